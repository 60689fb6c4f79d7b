"""Undo an update: a plan that sets back what it changed, from the history of its students."""
