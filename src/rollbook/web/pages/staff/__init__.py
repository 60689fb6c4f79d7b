"""Staff pages: list, invite, edit, deactivate, and invite many from a CSV file."""
