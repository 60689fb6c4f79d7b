-- Load the type of role of staff members, and a row for each of their schools.
-- {in_emails}: json_keys.IN_JSON_TEXTS.
-- Parameters: the district, and a JSON array of emails.
-- Example row: teacher@maple.example | instructor | 100
SELECT member.email, role.type, school.organization_id
FROM accounts_member member
JOIN accounts_role role ON role.id = member.role_id
LEFT JOIN accounts_member_schools assigned ON assigned.member_id = member.id
LEFT JOIN districts_school school ON school.id = assigned.school_id
WHERE member.district_id = %s AND member.email {in_emails}
