"""Django's SQLite backend with a turnstile, so that a busy worker cannot starve everybody else."""
