"""The format of a student file: columns, values and problems.

Pure code: no database, no Django, no clock and no settings.
"""
