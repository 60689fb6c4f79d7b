"""The audit log: recording events, sealing them, and removing old ones."""
