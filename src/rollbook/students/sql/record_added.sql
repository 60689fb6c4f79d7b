-- Add the first entry to the history of each of these students, who were just added.
-- {in_ids}: json_keys.IN_JSON_INTEGERS.
-- Parameters: time, update, member, and a JSON array of IDs.
-- Example row: 17 | STUDENT |  | added | 2026-11-28 02:05:11+00 | 42 | NULL
INSERT INTO students_change (student_id, field, old, new, changed_at, update_id, member_id)
SELECT id, 'STUDENT', '', 'added', %s, %s, %s
FROM students_student
WHERE id {in_ids}
