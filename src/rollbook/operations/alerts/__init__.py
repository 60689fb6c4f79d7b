"""Alerts of the operator, by email and by a ping URL.

A table of conditions (``conditions.py``) is checked every minute, by the worker and by each web
server, because any of them may be what is broken.
"""
