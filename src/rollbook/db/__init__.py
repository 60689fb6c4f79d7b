"""SQLite and PostgreSQL, where they differ: bulk writes, JSON keys, errors, timeouts, triggers."""
