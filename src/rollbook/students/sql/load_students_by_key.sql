-- Load students of a district by one of their unique keys, with their version and their school.
-- {columns}: as in load_students_by_id.sql. {found}: handing_over.looked_up for the key's column.
-- Parameters: JSON array of keys, the district.
-- Example row: 17 | 3 | hmac$6b1f… | 100 | s017 | alee | Ann | Lee | …
SELECT found.id, version.edition, found.password, school.organization_id, {columns}
FROM {found}
JOIN roster_school school ON school.id = found.school_id
JOIN roster_rowdigest version ON version.student_id = found.id
