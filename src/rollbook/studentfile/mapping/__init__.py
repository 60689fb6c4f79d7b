"""Column mappings: how the columns of a file become columns of Rollbook (pure)."""
