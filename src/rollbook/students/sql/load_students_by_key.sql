-- Load students of a district by one of their keys, with their version and their school.
-- {columns}: as in load_students_by_id.sql.
-- {students}: json_keys.lateral_lookup_sql for the column of the key, with the alias student.
-- Parameters: JSON array of keys, the district.
-- Example row: 17 | 3 | hmac$6b1f… | 100 | s017 | alee | Ann | Lee | …
SELECT student.id, student.version, student.password, school.organization_id, {columns}
FROM {students}
JOIN districts_school school ON school.id = student.school_id
