"""Read a student file: its type, encoding, header, records and rows."""
