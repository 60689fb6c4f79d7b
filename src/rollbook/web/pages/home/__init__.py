"""Show how the latest update went and what to do next."""
