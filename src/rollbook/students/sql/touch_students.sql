-- Mark students as touched, as the triggers do.
-- {in_ids}: json_keys.IN_JSON_INTEGERS.
-- Parameter: JSON array of IDs.
-- Example row: 17 | 1 | 3
INSERT INTO students_touched (student_id, district_id, version)
SELECT id, district_id, version
FROM students_student
WHERE id {in_ids}
ON CONFLICT (student_id) DO UPDATE SET version = excluded.version, settled_by = NULL
