-- Set the new values of simple columns, and count up the versions; every student of the call
-- changes in the same columns.
-- {assignments}: simple_change_assignment.postgresql.sql for each of the columns.
-- Parameter: JSON object of student to {column: [old value, new value]}.
-- Example row: 17 | {"GRADE": ["4", "5"], "RACE": ["", "WH"]}
UPDATE students_student SET version = version + 1, {assignments}
FROM jsonb_each(%s) AS item(key, value)
WHERE students_student.id = item.key::bigint
