-- Find groups by school and case-folded name.
-- Parameter: JSON array of [school, case-folded name].
-- Example row: 3 | band | 17
SELECT found.school_id, found.name_key, found.id
FROM json_each(%s) AS item
CROSS JOIN students_group AS found
  ON found.school_id = item.value ->> 0 AND found.name_key = item.value ->> 1
