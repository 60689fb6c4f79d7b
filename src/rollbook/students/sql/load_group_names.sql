-- Load the names of the groups that students are in.
-- {in_ids}: json_keys.IN_JSON_INTEGERS.
-- Parameter: JSON array of students' IDs.
-- Example row: 17 | Band
SELECT link.student_id, linked.name
FROM students_student_groups link
JOIN students_group linked ON linked.id = link.group_id
WHERE link.student_id {in_ids}
