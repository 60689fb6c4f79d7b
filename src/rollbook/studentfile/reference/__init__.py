"""The description of the student file, for the help pages and the documentation."""
