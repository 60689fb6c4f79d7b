-- Find the IDs of students in a district by what is left of them without leading zeros and case.
-- {students}: json_keys.lateral_lookup_sql with the alias student.
-- Parameters: JSON array of folded IDs, the district.
-- Example row: a17 | 00A17
SELECT item.value, MIN(student.student_id)
FROM {students}
GROUP BY item.value
