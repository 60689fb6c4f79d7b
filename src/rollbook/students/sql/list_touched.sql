-- List the touched students of a district, without those whom an update has settled.
-- Parameters: the district, the update.
-- Example row: 17
SELECT student_id
FROM students_touched
WHERE district_id = %s AND settled_by IS DISTINCT FROM %s
