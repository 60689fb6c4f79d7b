-- Set the fingerprints of students whose rows changed nothing, unless the student has changed since
-- the row was compared. The students are locked, so that none of them changes until the end of the
-- transaction.
-- Parameter: JSON array of [student, version compared with, fingerprint].
-- Example row: [17, 3, -6148914691236517205]
WITH unchanged AS (
    SELECT student.id, (item.value ->> 2)::bigint AS fingerprint
    FROM json_array_elements(%s) AS item(value)
    JOIN students_student AS student ON student.id = (item.value ->> 0)::bigint
    WHERE student.version = (item.value ->> 1)::bigint
    ORDER BY student.id
    FOR SHARE OF student
)
UPDATE students_rowfingerprint SET fingerprint = unchanged.fingerprint
FROM unchanged
WHERE student_id = unchanged.id
