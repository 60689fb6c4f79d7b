-- Find groups by school and case-folded name.
-- Parameter: JSON object of school to its case-folded names.
-- Example row: 3 | band | 17
SELECT found.school_id, found.name_key, found.id
FROM json_each(%s) AS school
CROSS JOIN json_array_elements_text(school.value) AS name(value)
CROSS JOIN LATERAL (
  SELECT * FROM students_group
  WHERE school_id = school.key::bigint AND name_key = name.value
  OFFSET 0
) AS found
