"""The format of log lines: text or JSON, one line per record, without personal data.

A line of text ends with the context of its request. JSON has the same, and the fields that the
record was logged with (``event_fields``), each as a key.
"""

import errno
import json
import logging
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType, TracebackType
from typing import Any

MAX_FRAMES = 6
_PACKAGE = __file__.rpartition("/")[0]
_NO_CONTEXT: Mapping[str, str] = MappingProxyType({})

request_context: ContextVar[Mapping[str, str]] = ContextVar("request_context", default=_NO_CONTEXT)
"""What every line that is logged during a request contains: ``request_id``, and ``client``."""

_CONTEXT_WORDS = {"request_id": "request", "client": "client"}

log = logging.getLogger(__name__)


def event_fields(**fields: object) -> dict[str, dict[str, object]]:
    """Return the argument ``extra`` of a log call, for fields that only JSON lines contain."""
    return {"event_fields": fields}


class LineFormatter(logging.Formatter):
    """Formats a record as ``2026-11-23T02:05:11Z INFO rollbook.jobs: …``.

    Control characters are escaped. Of an exception, the type, the database's error code and the
    place where it was raised are logged but never its text, which may contain values of a student's
    row.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the log line of a record."""
        text = _message(record)
        for name, value in request_context.get().items():
            text += f", {_CONTEXT_WORDS[name]} {value}"
        if error := _error_of(record):
            text += f" [{' '.join(filter(None, (type(error).__name__, _code(error))))}"
            text += f" at {_origin(error)}]"
        return f"{_second(record)}Z {record.levelname} {record.name}: {_escape(text)}"


class JsonFormatter(logging.Formatter):
    """Formats a record as one line with a JSON object; see ``LineFormatter`` for exceptions."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the log line of a record."""
        facts: dict[str, Any] = {
            "timestamp": f"{_second(record)}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            **request_context.get(),
        }
        if error := _error_of(record):
            facts |= {"error_type": type(error).__name__, "error_code": _code(error) or None}
            facts["error_at"] = _origin(error)
        # A field never replaces one of these.
        return json.dumps(getattr(record, "event_fields", {}) | facts, default=str)


FORMATTERS: Mapping[str, type[logging.Formatter]] = MappingProxyType(
    {"text": LineFormatter, "json": JsonFormatter}
)
"""The formats that can be chosen, by name."""


def log_uncaught_exceptions() -> None:
    """Log an exception that nothing catches, in any thread; Python's traceback shows its text."""
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread
    sys.unraisablehook = _log_unraisable


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    log.critical("this process ends because of an exception", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        log.critical("a thread ends because of an exception", exc_info=args.exc_value)


def _log_unraisable(args: "sys.UnraisableHookArgs") -> None:
    log.error("an exception was ignored", exc_info=args.exc_value)


def _second(record: logging.LogRecord) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))


def _message(record: logging.LogRecord) -> str:
    text = record.getMessage()
    # Its further lines quote tasks and their exceptions.
    return text.partition("\n")[0] if record.name == "asyncio" else text


def _error_of(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _code(error: BaseException) -> str:
    """Return the name that the database or the system has for an error; empty if it has none.

    That is an SQLSTATE, or a name such as ``SQLITE_FULL`` or ``ENOSPC``. If a library has replaced
    the exception of the database's driver, the type of that is better than nothing.
    """
    cause = error.__cause__ or error
    if name := getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None):
        return str(name)
    if isinstance(cause, OSError) and cause.errno is not None:
        return errno.errorcode.get(cause.errno, "")
    return type(cause).__name__ if type(cause).__name__ != type(error).__name__ else ""


def _origin(error: BaseException) -> str:
    """Return the frame that raised an error, and the innermost ones of our own that led to it."""
    frames = traceback.extract_tb(error.__traceback__)
    callers = [frame for frame in frames[:-1] if frame.filename.startswith(_PACKAGE)]
    shown = [*(callers or frames[:-1]), *frames[-1:]][-MAX_FRAMES:]
    return " < ".join(_location(frame) for frame in reversed(shown))


def _location(frame: traceback.FrameSummary) -> str:
    return f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"


def _escape(text: str) -> str:
    """Return the text with each character that can't be printed as a Python escape."""
    if text.isprintable():
        return text
    return "".join(map(_escape_character, text))


def _escape_character(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode()
