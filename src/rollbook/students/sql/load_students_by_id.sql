-- Load students by their IDs in the database, with their version and their school.
-- {columns}: the columns of roster_student that hold one column of the student file each, every one
-- written as found.<column>. {in_ids}: handing_over.AMONG_NUMBERS.
-- Parameter: JSON array of IDs.
-- Example row: 17 | 3 | hmac$6b1f… | 100 | s017 | alee | Ann | Lee | …
SELECT found.id, version.edition, found.password, school.organization_id, {columns}
FROM roster_student found
JOIN roster_school school ON school.id = found.school_id
JOIN roster_rowdigest version ON version.student_id = found.id
WHERE found.id {in_ids}
