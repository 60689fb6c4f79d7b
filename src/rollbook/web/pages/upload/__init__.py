"""Offer a template, check a student file and start an update with it."""
