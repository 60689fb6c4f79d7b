"""Review the plan of an update that waits, and decide about it."""
