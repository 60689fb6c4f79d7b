-- Set the fingerprints of students that have changed, or clear them.
-- Parameter: JSON array of [student, fingerprint or null].
-- Example row: [17, -6148914691236517205]
UPDATE students_rowfingerprint
SET fingerprint = (value ->> 1)::bigint
FROM json_array_elements(%s) AS item(value)
WHERE student_id = (value ->> 0)::bigint
