"""The format of log lines: one line per record, safe against line breaks in logged values."""

import logging
import time
import traceback

MAX_FRAMES = 6


class LineFormatter(logging.Formatter):
    """Formats a record as ``2026-11-23T02:05:11Z INFO rollbook.jobs: …``.

    Control characters are escaped. Of an exception, the type and the place where it was raised are
    logged but never its text, which may contain values of a student's row.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the log line of a record."""
        timestamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        text = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            text += f" [{_origin(record.exc_info[1])}]"
        return f"{timestamp} {record.levelname} {record.name}: {_escape(text)}"


def _origin(error: BaseException) -> str:
    """Return the type of an error and the innermost frames of its traceback."""
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    locations = [_location(frame) for frame in reversed(frames)]
    return f"{type(error).__name__} at {' < '.join(locations)}"


def _location(frame: traceback.FrameSummary) -> str:
    return f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"


def _escape(text: str) -> str:
    """Return the text with each character that can't be printed as a Python escape."""
    if text.isprintable():
        return text
    return "".join(map(_escape_character, text))


def _escape_character(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode()
