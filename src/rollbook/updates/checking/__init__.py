"""Check the rows of student files: validate them, match them with students, and compare."""
