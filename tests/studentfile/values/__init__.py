"""Rules for the values of the student file."""
