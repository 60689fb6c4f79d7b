"""Roles pages: list, add, edit and remove roles."""
