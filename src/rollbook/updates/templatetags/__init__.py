"""Template filters of emails and pages."""
