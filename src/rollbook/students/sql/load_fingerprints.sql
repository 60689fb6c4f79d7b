-- Load the fingerprints of a district's students in ascending order, those that are not cleared.
-- Parameter: the district.
-- Example row: -6148914691236517205 | 17
SELECT digest, student_id
FROM roster_rowdigest
WHERE district_id = %s AND digest IS NOT NULL
ORDER BY digest
