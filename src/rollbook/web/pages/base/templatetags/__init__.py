"""Provide the template tags and filters of the pages."""
