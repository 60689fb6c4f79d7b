-- Remove students of a district whom an update has settled. Those whom somebody is changing are
-- left: two transactions never wait for each other.
-- Parameters: the district, the update, and the maximum number.
-- Example row: 17
DELETE FROM students_touched
WHERE student_id = ANY(ARRAY(
  SELECT student_id FROM students_touched WHERE district_id = %s AND settled_by = %s LIMIT %s
  FOR UPDATE SKIP LOCKED
))
