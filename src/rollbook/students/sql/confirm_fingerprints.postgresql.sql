-- Set the fingerprints of students whose rows changed nothing, unless the student has changed since
-- the row was compared.
-- Parameter: JSON array of [student, version compared with, fingerprint].
-- Example row: [17, 3, -6148914691236517205]
UPDATE students_rowfingerprint SET fingerprint = (value ->> 2)::bigint
FROM json_array_elements(%s) AS item(value)
WHERE student_id = (value ->> 0)::bigint AND student_version = (value ->> 1)::bigint
