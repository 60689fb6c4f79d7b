"""Staff members, their roles and permissions, how they sign in, and the audit log."""
