"""Removes the history of students, students who left, and former staff, by district settings."""
