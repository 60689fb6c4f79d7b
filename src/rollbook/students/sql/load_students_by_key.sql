-- Load students of a district by one of their unique keys, with their version and their school.
-- {columns}: as in load_students_by_id.sql. {found}: json_keys.lateral_lookup_sql for the key's column.
-- Parameters: JSON array of keys, the district.
-- Example row: 17 | 3 | hmac$6b1f… | 100 | s017 | alee | Ann | Lee | …
SELECT found.id, version.student_version, found.password, school.organization_id, {columns}
FROM {found}
JOIN districts_school school ON school.id = found.school_id
JOIN students_rowfingerprint version ON version.student_id = found.id
