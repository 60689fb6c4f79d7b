-- Return the versions of students. SQLite has one writer at a time, so there is nothing to lock.
-- {in_ids}: json_keys.IN_JSON_INTEGERS.
-- Parameter: JSON array of IDs.
-- Example row: 17 | 3
SELECT id, version
FROM students_student
WHERE id {in_ids}
ORDER BY id
