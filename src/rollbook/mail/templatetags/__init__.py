"""Template filters of emails."""
