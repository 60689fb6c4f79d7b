-- Load the names of the groups that students are in.
-- {in_ids}: handing_over.AMONG_NUMBERS.
-- Parameter: JSON array of students' IDs.
-- Example row: 17 | Band
SELECT link.student_id, linked.name
FROM roster_student_groups link
JOIN roster_group linked ON linked.id = link.group_id
WHERE link.student_id {in_ids}
