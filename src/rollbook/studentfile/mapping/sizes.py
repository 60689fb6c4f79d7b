"""The maximum size of a mapping and its parts."""

MAX_DOCUMENT_BYTES = 256 * 1024
MAX_NAME_LENGTH = 40
MAX_SOURCES = 8
"""File columns of one Rollbook column."""
MAX_STEPS = 12
"""Steps of one Rollbook column."""
MAX_TABLE = 1000
"""Entries of one table."""
MAX_CONDITIONS = 8
MAX_VALUES = 200
"""Values of one condition, or of one step that makes values blank."""
MAX_TEXT = 200
"""Characters of a text in a mapping."""
MAX_WIDTH = 64
"""Characters to which a step pads a value."""
MAX_RESULT = 4096
"""Characters of a value after a step; the following steps leave a longer one as it is."""
