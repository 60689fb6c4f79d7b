-- Record that rows of an update are what these students are, unless they have changed since they
-- were compared.
-- Parameters: the update, and a JSON array of [student, version compared with].
-- Example row: 42 | [17, 3]
UPDATE students_touched SET settled_by = %s
FROM json_array_elements(%s) AS item(value)
WHERE student_id = (item.value ->> 0)::bigint AND version = (item.value ->> 1)::bigint
