"""Automation page: upload commands and nightly scripts for the district, ready to copy."""
