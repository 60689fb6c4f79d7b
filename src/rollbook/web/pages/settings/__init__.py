"""Settings page: the settings that a district can change."""
