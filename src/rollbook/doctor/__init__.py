"""Checks one part of an installation after the other; says what is wrong and how to fix it.

Nothing is changed, but what must be writable is written to. Each module checks one part. Any part
may be broken, even the settings, so no check relies on another part: ``checks.py`` lists what each
requires and imports it only if that is available.
"""
