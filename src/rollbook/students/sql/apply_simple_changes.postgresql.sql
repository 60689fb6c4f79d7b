-- Set the new values of simple columns, and count up the versions; every student of the call
-- changes in the same columns.
-- {assignments}: simple_change_assignment.postgresql.sql for each of the columns.
-- Parameter: JSON array of [student, {column: [old value, new value]}].
-- Example row: [17, {"GRADE": ["4", "5"], "RACE": ["", "WH"]}]
UPDATE students_student SET version = version + 1, {assignments}
FROM jsonb_array_elements(%s) AS item(value)
WHERE students_student.id = (item.value ->> 0)::bigint
