"""Schools pages: list, add, rename, close, and load from a CSV file."""
