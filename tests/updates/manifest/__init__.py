"""The manifest of a district, and how records are found in it."""
