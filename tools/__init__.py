"""Programs for developers, run from the root of the repository."""
