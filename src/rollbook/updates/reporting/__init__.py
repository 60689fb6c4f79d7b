"""Reports of updates: status, progress, rows, history and timeline, for every interface."""
