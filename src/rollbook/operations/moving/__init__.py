"""Move everything from one database to another."""
