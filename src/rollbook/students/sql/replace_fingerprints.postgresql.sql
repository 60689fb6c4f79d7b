-- Set the fingerprints of students that have changed, or clear them, and count up their versions.
-- Parameter: JSON array of [student, fingerprint or null].
-- Example row: [17, -6148914691236517205]
UPDATE students_rowfingerprint
SET fingerprint = (value ->> 1)::bigint,
    student_version = student_version + 1
FROM json_array_elements(%s) AS item(value)
WHERE student_id = (value ->> 0)::bigint
