-- Find the IDs of students in a district by what is left of them without leading zeros and case.
-- The username isn't used. Without a column that the unique index of IDs doesn't have, SQLite would
-- read that whole index for each key, and not the index student_folded_id.
-- {students}: json_keys.lateral_lookup_sql with the alias student.
-- Parameters: JSON array of folded IDs, the district.
-- Example row: a17 | 00A17 | alee
SELECT item.value, MIN(student.student_id), MIN(student.username)
FROM {students}
GROUP BY item.value
