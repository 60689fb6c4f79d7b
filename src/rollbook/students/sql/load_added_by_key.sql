-- Load the students with these keys that were ever added, and the update that added each.
-- Selected by student, not by update, which may have added a million.
-- {students}: as in load_students_by_key.sql; {dob}: the date of birth as text.
-- Parameters: JSON array of keys, and the district.
-- Example row: 17 | 0042 | ana brook | 2014-05-13 | 42
SELECT student.id, student.student_id, student.name_key, {dob}, change.update_id
FROM {students}
JOIN students_change change ON change.student_id = student.id AND change.field = 'STUDENT'
