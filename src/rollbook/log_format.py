"""One log line for each thing that happened, which no text that somebody sent can break or forge."""

import logging
import time
import traceback


class Line(logging.Formatter):
    """``2026-11-23T02:05:11Z INFO rollbook.jobs: …``, control characters escaped.

    Of an exception it tells the type and where it was raised, never its text: that may quote a student's row.
    """

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        text = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            text += f" [{_origin(record.exc_info[1])}]"
        return f"{moment} {record.levelname} {record.name}: {_printable(text)}"


def _origin(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames[-6:])
    )
    return f"{type(error).__name__} at {places}"


def _printable(text: str) -> str:
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
