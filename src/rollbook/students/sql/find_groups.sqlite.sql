-- Find groups by school and case-folded name.
-- Parameter: JSON object of school to its case-folded names.
-- Example row: 3 | band | 17
SELECT found.school_id, found.name_key, found.id
FROM json_each(%s) AS school
CROSS JOIN json_each(school.value) AS name
CROSS JOIN students_group AS found
  ON found.school_id = school.key AND found.name_key = name.value
