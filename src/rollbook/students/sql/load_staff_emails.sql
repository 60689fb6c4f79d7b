-- Load the emails of the staff members that students are linked to.
-- {in_ids}: handing_over.AMONG_NUMBERS.
-- Parameter: JSON array of students' IDs.
-- Example row: 17 | ops@maple.example
SELECT link.student_id, linked.email
FROM roster_student_staff link
JOIN staff_member linked ON linked.id = link.member_id
WHERE link.student_id {in_ids}
