"""Apply staged rows to students, chunk by chunk."""
