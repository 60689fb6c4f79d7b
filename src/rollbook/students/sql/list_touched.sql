-- List touched students of a district, without those whom an update has settled.
-- Parameters: the district, the update, and the maximum number.
-- Example row: 17
SELECT student_id
FROM students_touched
WHERE district_id = %s AND settled_by IS DISTINCT FROM %s
LIMIT %s
