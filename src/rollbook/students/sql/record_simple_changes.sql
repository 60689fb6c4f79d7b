-- Add an entry to the history for each column of each simple change.
-- The values of secret columns are not recorded, only that they changed.
-- {secret_columns}: the names of secret columns, quoted.
-- Parameters: time, update, member, and the JSON object of apply_simple_changes.
-- Example row: 17 | GRADE | 4 | 5 | 2026-11-28 02:05:11 | 42 | NULL
INSERT INTO students_change (student_id, field, old, new, changed_at, update_id, member_id)
SELECT CAST(item.key AS bigint),
       change.key,
       CASE WHEN change.key IN ({secret_columns}) THEN '' ELSE change.value ->> 0 END,
       CASE WHEN change.key IN ({secret_columns}) THEN 'changed' ELSE change.value ->> 1 END,
       %s, %s, %s
FROM json_each(%s) AS item
CROSS JOIN json_each(item.value) AS change
