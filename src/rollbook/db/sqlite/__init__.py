"""Django's SQLite backend with a turnstile, so that a busy worker can't starve other writers."""
