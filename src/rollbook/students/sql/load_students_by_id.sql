-- Load students by their IDs in the database, with their version and their school.
-- {columns}: the columns of students_student that hold one column of the student file each, every one
-- written as student.<column>, and the date of birth as a text. {in_ids}: json_keys.IN_JSON_INTEGERS.
-- Parameter: JSON array of IDs.
-- Example row: 17 | 3 | hmac$6b1f… | 100 | s017 | alee | Ann | Lee | …
SELECT student.id, student.version, student.password, school.organization_id, {columns}
FROM students_student student
JOIN districts_school school ON school.id = student.school_id
WHERE student.id {in_ids}
