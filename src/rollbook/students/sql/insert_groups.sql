-- Create groups; one that another transaction has created meanwhile is left as it is.
-- Parameters: school, name, case-folded name.
-- Example row: 3 | Band | band
INSERT INTO students_group (school_id, name, name_key)
VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING
