"""Account pages: profile, password, sessions, two-step verification and tokens."""
