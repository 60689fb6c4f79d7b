-- Find which of these students are touched.
-- {in_ids}: json_keys.IN_JSON_INTEGERS.
-- Parameter: JSON array of IDs.
-- Example row: 17
SELECT student_id
FROM students_touched
WHERE student_id {in_ids}
