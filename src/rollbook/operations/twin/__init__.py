"""Check a student file against a roster export: the engine on a temporary database."""
