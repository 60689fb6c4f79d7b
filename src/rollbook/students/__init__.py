"""Students, groups and transfers, and the only code that writes students."""
