-- Lock students until the end of the transaction and return their versions.
-- They are locked in ascending order, so that two transactions never wait for each other.
-- {in_ids}: json_keys.IN_JSON_INTEGERS.
-- Parameter: JSON array of IDs.
-- Example row: 17 | 3
SELECT id, version
FROM students_student
WHERE id {in_ids}
ORDER BY id
FOR NO KEY UPDATE
