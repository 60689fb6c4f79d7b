-- Load the fingerprints of a district's students in ascending order, those that are not cleared.
-- Parameter: the district.
-- Example row: -6148914691236517205 | 17
SELECT fingerprint, student_id
FROM students_rowfingerprint
WHERE district_id = %s AND fingerprint IS NOT NULL
ORDER BY fingerprint
