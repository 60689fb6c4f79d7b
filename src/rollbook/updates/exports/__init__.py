"""CSV downloads of an update: its rejected rows, its unprocessed rows, and its changes."""
