"""What is wrong with an installation and how to fix it: checks one part after the other, and changes nothing.

Each module checks one part. Any part may be broken, the settings first, so no check relies on another part:
``checks.py`` lists what each requires and imports it only if that is there.
"""
