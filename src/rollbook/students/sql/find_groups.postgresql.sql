-- Find groups by school and case-folded name.
-- Parameter: JSON array of [school, case-folded name].
-- Example row: 3 | band | 17
SELECT found.school_id, found.name_key, found.id
FROM json_array_elements(%s) AS item(value)
CROSS JOIN LATERAL (
  SELECT * FROM students_group
  WHERE school_id = (item.value ->> 0)::bigint AND name_key = item.value ->> 1
  OFFSET 0
) AS found
