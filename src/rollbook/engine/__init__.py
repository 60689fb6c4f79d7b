"""Who calls the work, and when."""
