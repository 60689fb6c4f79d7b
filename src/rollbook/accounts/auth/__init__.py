"""Sign-in: passwords, two-step verification, API tokens, browser sessions and rate limits."""
