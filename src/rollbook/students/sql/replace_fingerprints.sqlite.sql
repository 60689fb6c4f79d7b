-- Set the fingerprints of students that have changed, or clear them.
-- Parameter: JSON array of [student, fingerprint or null].
-- Example row: [17, -6148914691236517205]
UPDATE students_rowfingerprint
SET fingerprint = item.value ->> 1
FROM json_each(%s) AS item
WHERE student_id = item.value ->> 0
