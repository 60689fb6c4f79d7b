"""Serve the pages that staff members use in the browser."""
