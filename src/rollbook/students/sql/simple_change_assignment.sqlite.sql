-- One assignment of apply_simple_changes: the new value of a column, taken out of the example row
-- 17 | {"GRADE": ["4", "5"]}
-- {column}: the column of the table, such as grade; {name}: the same in the student file, GRADE.
{column} = item.value ->> '$.{name}[1]'
