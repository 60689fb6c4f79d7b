"""Export everything that belongs to a district into one archive."""
