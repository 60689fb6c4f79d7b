"""Receive student files: store each file, scan it, and create its update or draft."""
