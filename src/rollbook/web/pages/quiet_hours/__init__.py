"""Quiet hours: when students don’t change unless a person applies an update."""
