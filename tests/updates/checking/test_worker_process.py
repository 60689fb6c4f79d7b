"""The second checking process ends quietly when another run has its update."""

import sys

import django
import pytest

from rollbook.updates.checking import worker_process
from rollbook.updates.transitions import Fenced


@pytest.mark.parametrize("end", [Fenced, BrokenPipeError])
def test_an_expected_end_is_no_error(end: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def check_ranges(update_id: int, run: str, *, finds_known: bool) -> None:
        raise end

    monkeypatch.setattr(sys, "argv", ["worker_process", '[17, "run", true]'])
    monkeypatch.setattr(django, "setup", lambda: None)
    monkeypatch.setattr(worker_process, "log_uncaught_exceptions", lambda: None)
    monkeypatch.setattr(worker_process, "_check_ranges", check_ranges)
    worker_process.main()


def test_any_other_error_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def check_ranges(update_id: int, run: str, *, finds_known: bool) -> None:
        raise KeyError

    monkeypatch.setattr(sys, "argv", ["worker_process", '[17, "run", true]'])
    monkeypatch.setattr(django, "setup", lambda: None)
    monkeypatch.setattr(worker_process, "log_uncaught_exceptions", lambda: None)
    monkeypatch.setattr(worker_process, "_check_ranges", check_ranges)
    with pytest.raises(KeyError):
        worker_process.main()
