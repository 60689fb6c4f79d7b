"""Log lines: one per record, whatever the logged values contain."""

import json
import logging
import re
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import psycopg.errors
import pytest
from django.db import OperationalError

from rollbook import environment
from rollbook.log_format import (
    FORMATTERS,
    JsonFormatter,
    LineFormatter,
    event_fields,
    log_uncaught_exceptions,
    request_context,
)


def line(message: str, *arguments: object, error: bool = False) -> str:
    exception = sys.exc_info() if error else None
    record = logging.LogRecord(
        "rollbook.test", logging.INFO, __file__, 1, message, arguments, exception
    )
    record.created = 0.0
    return LineFormatter().format(record)


def test_a_line_has_time_level_logger_and_message() -> None:
    assert line("update %d", 17) == "1970-01-01T00:00:00Z INFO rollbook.test: update 17"


@pytest.mark.statement("S47")
def test_control_characters_are_escaped() -> None:
    assert line("name %s", "a\nb\x1b[31m\u202ec\r") == (
        "1970-01-01T00:00:00Z INFO rollbook.test: name a\\nb\\x1b[31m\\u202ec\\r"
    )


@pytest.mark.statement("S44")
def test_an_error_is_logged_with_its_type_and_place_but_not_its_text() -> None:
    try:
        int("Ana Ruiz")
    except ValueError:
        text = line("a step failed", error=True)
    assert "[ValueError at test_log_format.py:" in text
    assert "Ana" not in text


def _raised(raise_error: Callable[[], object]) -> BaseException:
    try:
        raise_error()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def _sql_of_bad_table() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("SELECT 'Ana Ruiz' FROM nowhere")


def _wrapped() -> None:
    try:
        _sql_of_bad_table()
    except sqlite3.Error as error:
        raise OperationalError("Ana Ruiz") from error


def _postgresql() -> None:
    raise OperationalError("Ana Ruiz") from psycopg.errors.DiskFull("Ana Ruiz")


def _unreachable() -> None:
    raise OperationalError("Ana Ruiz") from psycopg.errors.ConnectionTimeout("Ana Ruiz")


ERRORS = {
    "sqlite": (_sql_of_bad_table, "OperationalError", "SQLITE_ERROR"),
    "sqlite by Django": (_wrapped, "OperationalError", "SQLITE_ERROR"),
    "postgresql": (_postgresql, "OperationalError", "53100"),
    "no server": (_unreachable, "OperationalError", "ConnectionTimeout"),
    "system": (lambda: Path("/Ana Ruiz").read_bytes(), "FileNotFoundError", "ENOENT"),
    "bug": (lambda: int("Ana Ruiz"), "ValueError", None),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_has_the_code_of_the_database_or_the_system(kind: str) -> None:
    raise_error, name, code = ERRORS[kind]
    error = _raised(raise_error)
    record = _record("a step failed", error=error)
    head = f"[{name} {code} at " if code else f"[{name} at "
    assert head in LineFormatter().format(record)
    facts = json.loads(JsonFormatter().format(record))
    assert (facts["error_type"], facts["error_code"]) == (name, code)
    assert facts["error_at"].startswith(("test_log_format.py:", "pathlib.py:"))
    for formatter in FORMATTERS.values():
        assert "Ana" not in formatter().format(record)


def _record(
    message: str, *arguments: object, error: BaseException | None = None, name: str = "rollbook"
) -> logging.LogRecord:
    exception = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord(name, logging.INFO, __file__, 1, message, arguments, exception)


def test_json_has_the_fields_of_the_record_and_of_its_request() -> None:
    record = _record("update %d\nis completed", 17)
    record.created, record.msecs = 0.25, 250.0
    record.event_fields = event_fields(update=17, level="forged", at=Decimal(1))["event_fields"]
    token = request_context.set({"request_id": "8f3a", "client": "203.0.113.7"})
    try:
        json_line, text = JsonFormatter().format(record), LineFormatter().format(record)
    finally:
        request_context.reset(token)
    assert "\n" not in json_line
    assert json.loads(json_line) == {
        "timestamp": "1970-01-01T00:00:00.250Z",
        "level": "INFO",
        "logger": "rollbook",
        "message": "update 17\nis completed",
        "request_id": "8f3a",
        "client": "203.0.113.7",
        "update": 17,
        "at": "1",
    }
    assert text.endswith("update 17\\nis completed, request 8f3a, client 203.0.113.7")


def test_the_frames_of_libraries_between_our_own_are_left_out() -> None:
    error = _raised(lambda: environment.MAX_ROWS.read({"ROLLBOOK_MAX_ROWS": "Ana"}))
    text = LineFormatter().format(_record("no number", error=error))
    assert re.search(r"\[ValueError at setting\.py:\d+ < setting\.py:\d+\]$", text)


def test_asyncio_quotes_no_task() -> None:
    record = _record("an exception\nfuture: <Task exception=Error('Ana Ruiz')>", name="asyncio")
    assert LineFormatter().format(record).endswith("asyncio: an exception")


@pytest.fixture
def hooks() -> Iterator[None]:
    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    log_uncaught_exceptions()
    yield
    sys.excepthook, threading.excepthook, sys.unraisablehook = before


@pytest.mark.statement("S44")
def test_what_nobody_catches_is_logged_without_its_text(
    hooks: None, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    thread = threading.Thread(target=lambda: int("Ana Ruiz"))
    thread.start()
    thread.join()
    error = _raised(lambda: int("Ana Ruiz"))
    sys.excepthook(type(error), error, error.__traceback__)

    class Unclosed:
        def __del__(self) -> None:
            raise KeyError("Ana Ruiz")

    Unclosed()
    lines = list(map(LineFormatter().format, caplog.records))
    assert [line.partition("[")[2].partition(" ")[0] for line in lines] == [
        "ValueError",
        "ValueError",
        "KeyError",
    ]
    assert "Ana" not in "".join(lines) + capsys.readouterr().err
