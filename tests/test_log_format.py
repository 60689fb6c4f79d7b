"""Log lines: one per record, whatever the logged values contain."""

import logging
import sys

from rollbook.log_format import LineFormatter


def line(message: str, *arguments: object, error: bool = False) -> str:
    exception = sys.exc_info() if error else None
    record = logging.LogRecord(
        "rollbook.test", logging.INFO, __file__, 1, message, arguments, exception
    )
    record.created = 0.0
    return LineFormatter().format(record)


def test_a_line_has_time_level_logger_and_message() -> None:
    assert line("update %d", 17) == "1970-01-01T00:00:00Z INFO rollbook.test: update 17"


def test_control_characters_are_escaped() -> None:
    assert line("name %s", "a\nb\x1b[31m\u202ec\r") == (
        "1970-01-01T00:00:00Z INFO rollbook.test: name a\\nb\\x1b[31m\\u202ec\\r"
    )


def test_an_error_is_logged_with_its_type_and_place_but_not_its_text() -> None:
    try:
        int("Ana Ruiz")
    except ValueError:
        text = line("a step failed", error=True)
    assert "[ValueError at test_log_format.py:" in text
    assert "Ana" not in text
