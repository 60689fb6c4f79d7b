"""Log lines: one for each thing, whatever somebody sent."""

import logging
import sys

from rollbook.log_format import Line


def line(message: str, *arguments: object, error: bool = False) -> str:
    trouble = sys.exc_info() if error else None
    record = logging.LogRecord(
        "rollbook.test", logging.INFO, __file__, 1, message, arguments, trouble
    )
    record.created = 0.0
    return Line().format(record)


def test_a_line_tells_when_how_bad_where_and_what() -> None:
    assert line("update %d", 17) == "1970-01-01T00:00:00Z INFO rollbook.test: update 17"


def test_no_text_can_break_or_forge_a_line() -> None:
    assert line("name %s", "a\nb\x1b[31m\u202ec\r") == (
        "1970-01-01T00:00:00Z INFO rollbook.test: name a\\nb\\x1b[31m\\u202ec\\r"
    )


def test_an_error_is_told_by_its_type_and_place_and_never_by_its_text() -> None:
    try:
        int("Ana Ruiz")
    except ValueError:
        told = line("a step failed", error=True)
    assert "[ValueError at test_log_format.py:" in told
    assert "Ana" not in told
