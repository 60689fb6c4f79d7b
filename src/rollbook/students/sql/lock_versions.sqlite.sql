-- Return the versions of students. SQLite has one writer at a time, so there is nothing to lock.
-- {in_ids}: handing_over.AMONG_NUMBERS.
-- Parameter: JSON array of IDs.
-- Example row: 17 | 3
SELECT student_id, edition
FROM roster_rowdigest
WHERE student_id {in_ids}
ORDER BY student_id
