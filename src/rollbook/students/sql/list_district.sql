-- List a district's students in the order of STUDENT_ID, those without one last.
-- Parameter: the district.
-- Example row: 17
SELECT id
FROM students_student
WHERE district_id = %s
ORDER BY student_id IS NULL, student_id, id
