"""Reports to Sentry: none without a DSN, a clear error without the package, and never a value."""

import json
import subprocess
import sys
from importlib import util
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from rollbook import error_reports
from tests.cli.conftest import Rollbook
from tests.cli.conftest import rollbook as rollbook
from tests.installations import environment, installed

ROOT = Path(__file__).parent.parent
SECRET = "Zuzanna-Quill"
DSN = "https://key@sentry.example/1"


@pytest.fixture
def without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_reports, "find_spec", lambda name: None)


@pytest.mark.usefixtures("without_package")
@pytest.mark.parametrize("command", [("serve",), ("web", "--behind-proxy"), ("worker",)])
def test_without_the_package_the_start_fails_in_one_line(
    rollbook: Rollbook, settings: Settings, command: tuple[str, ...]
) -> None:
    settings.SENTRY_DSN = DSN
    result = rollbook(*command)
    assert (result.code, result.err) == (
        1,
        "ERROR no_sentry: SENTRY_DSN is set, but the package sentry-sdk is not installed; install "
        "it with `pip install 'rollbook[sentry]'`, or remove SENTRY_DSN\n",
    )


@pytest.mark.usefixtures("without_package")
def test_without_a_dsn_the_package_is_not_needed() -> None:
    error_reports.require_package("")
    error_reports.start("")


def test_with_the_package_the_dsn_is_accepted() -> None:
    assert util.find_spec(error_reports.PACKAGE)
    error_reports.require_package(DSN)


def test_an_event_is_made_anew_from_fields_without_values() -> None:
    frame = {"filename": "rows.py", "lineno": 7, "function": "parse", "vars": {"row": SECRET}}
    error = {"type": "ValueError", "value": SECRET, "stacktrace": {"frames": [frame]}}
    collected: dict[str, Any] = {
        "event_id": "8f3a1c",
        "logger": "rollbook.jobs",
        "logentry": {"message": "update %s failed", "params": [SECRET], "formatted": SECRET},
        "exception": {"values": [error]},
        "request": {"url": SECRET},
        "user": {"ip_address": SECRET},
        "a_field_of_a_newer_version": SECRET,
    }
    assert error_reports.without_values(collected, {}) == {
        "event_id": "8f3a1c",
        "logger": "rollbook.jobs",
        "logentry": {"message": "update %s failed"},
        "exception": {
            "values": [
                {
                    "type": "ValueError",
                    "module": None,
                    "stacktrace": {
                        "frames": [{"filename": "rows.py", "lineno": 7, "function": "parse"}]
                    },
                }
            ]
        },
    }


@pytest.mark.statement("S43")
@pytest.mark.process
def test_nothing_that_leaves_the_process_contains_a_value(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.raising_errors", SECRET],
        cwd=ROOT,
        env=environment(installed(tmp_path / "data"), DJANGO_SETTINGS_MODULE="rollbook.settings"),
        capture_output=True,
        text=True,
        check=True,
    )
    sent = json.loads(done.stdout.splitlines()[-1])
    everything = "".join(sent)
    assert SECRET not in everything
    assert SECRET.partition("-")[0] not in everything
    for reported in ("ValueError", "KeyError", "LookupError", "the row of %s failed"):
        assert reported in everything
    assert "a note about" not in everything
    assert "students/" not in everything
    assert len(sent) == 5  # two of log lines, one each of the exception, the thread, the request
