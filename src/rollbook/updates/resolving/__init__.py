"""Resolve conflicts between the rows of a file, and assign the order in which they are applied."""
