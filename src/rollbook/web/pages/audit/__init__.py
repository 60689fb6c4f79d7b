"""Audit page: list, filter and download the audit events of a district."""
