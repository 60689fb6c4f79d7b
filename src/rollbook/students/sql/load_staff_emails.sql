-- Load the emails of the staff members that students are linked to.
-- {in_ids}: json_keys.IN_JSON_INTEGERS.
-- Parameter: JSON array of students' IDs.
-- Example row: 17 | ops@maple.example
SELECT link.student_id, linked.email
FROM students_student_staff link
JOIN accounts_member linked ON linked.id = link.member_id
WHERE link.student_id {in_ids}
