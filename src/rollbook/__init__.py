"""Keeps a school district's student records in sync with its student information system."""

__version__ = "0.2.0"
