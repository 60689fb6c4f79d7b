"""The cookie parser is timed, whatever version of Python it belongs to."""

import time
from http.cookies import SimpleCookie

import pytest

from rollbook import cookie_parser
from rollbook.doctor import versions
from rollbook.doctor.result import Level
from tests.doctor.conftest import Here, data, here, results

__all__ = ["data", "here"]


def set_seconds_per_byte(monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[int]:
    """Replace the parser by one that takes so long; return the sizes of what it parses."""
    clock, sizes = [0.0], list[int]()

    def load(cookies: SimpleCookie, text: str) -> None:
        sizes.append(len(text))
        clock[0] += seconds * len(text)

    monkeypatch.setattr(SimpleCookie, "load", load)
    monkeypatch.setattr(time, "thread_time", lambda: clock[0])
    return sizes


def test_a_fast_parser_is_not_reported(monkeypatch: pytest.MonkeyPatch, here: Here) -> None:
    sizes = set_seconds_per_byte(monkeypatch, 1e-7)
    assert cookie_parser.find_problem() == ""
    assert sizes[-1] == cookie_parser.MAX_PROBE_BYTES
    assert all(level is Level.OK for level, _ in results(versions.check(here())))


def test_a_slow_parser_is_reported_by_doctor(monkeypatch: pytest.MonkeyPatch, here: Here) -> None:
    set_seconds_per_byte(monkeypatch, 1e-5)
    found = results(versions.check(here()))
    assert [what for level, what in found if level is Level.WARNING] == [
        "Python's cookie parser takes 20 ms for 2,048 bytes, so requests with long cookies could "
        "keep the server busy"
    ]


def test_a_very_slow_parser_is_not_probed_further(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = set_seconds_per_byte(monkeypatch, 1e-3)
    assert "256 bytes" in cookie_parser.find_problem()
    assert sizes == [256]
