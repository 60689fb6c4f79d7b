"""Find out whether a file is damaged or the wrong one, before it is applied; see examine.py."""
