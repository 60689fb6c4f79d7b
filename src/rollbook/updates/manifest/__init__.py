"""The manifest of a district: which records of a file are known, and who is on its lines."""
