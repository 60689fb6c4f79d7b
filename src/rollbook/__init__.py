"""Rollbook keeps a school district's student records in step with its student information system."""
