-- Set the fingerprints of students whose rows changed nothing, unless the student has changed since
-- the row was compared.
-- Parameter: JSON array of [student, version compared with, fingerprint].
-- Example row: [17, 3, -6148914691236517205]
UPDATE students_rowfingerprint SET fingerprint = item.value ->> 2
FROM json_each(%s) AS item
CROSS JOIN students_student AS student ON student.id = item.value ->> 0
WHERE students_rowfingerprint.student_id = student.id
  AND student.version = item.value ->> 1
