"""Find, show, add and edit students."""
