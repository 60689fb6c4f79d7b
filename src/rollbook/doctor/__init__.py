"""What is wrong with an installation, and how to mend it: looks at one part after the other, and changes nothing.

Each module looks at one part. Any of them may be broken, the settings first, so nothing here takes another part for
granted: ``examining.py`` says what each look needs, and imports it only when that is there.
"""
