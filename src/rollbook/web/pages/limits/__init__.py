"""Limits: how much an update may change by itself, profiles with dates, and expected changes."""
