"""The engine of a single worker: one process that does all work, on SQLite."""
