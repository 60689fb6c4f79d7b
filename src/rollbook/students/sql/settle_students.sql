-- Record that rows of an update are what these students are now; the caller has locked them.
-- {in_ids}: json_keys.IN_JSON_INTEGERS.
-- Parameters: the update, and a JSON array of IDs.
-- Example row: 42 | [17, 18]
UPDATE students_touched SET settled_by = %s
WHERE student_id {in_ids}
