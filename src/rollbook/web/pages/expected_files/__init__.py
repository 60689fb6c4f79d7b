"""Expected files: by when a district's student file is expected, and pauses for holidays."""
