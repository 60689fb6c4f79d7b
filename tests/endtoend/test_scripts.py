"""The nightly script as the Automation page gives it, run for real: by sh, with curl, over TLS."""

import os
import subprocess
from pathlib import Path

import pytest

from rollbook.doors.pages.scripts import Values, script
from tests.conftest import PASSWORD
from tests.endtoend.conftest import LOGIN, Rollbook
from tests.faults.folder import base


@pytest.fixture
def folder(serving: Rollbook, tmp_path: Path) -> Path:
    """Where the script stands, with its password and a file of students who are here."""
    folder = tmp_path / "night"
    folder.mkdir()
    values = Values(f"{serving.url}/slc/studentupdate", LOGIN, "Maple USD", "America/Chicago")
    (folder / "nightly.sh").write_text(script("nightly.sh", values), encoding="utf-8")
    (folder / "password.txt").write_text(PASSWORD + "\n", encoding="utf-8")
    (folder / "students.csv").write_text(base(), encoding="utf-8")
    serving.run("student", "load", "maple-usd", str(folder / "students.csv"))
    return folder


def run(serving: Rollbook, folder: Path) -> "subprocess.CompletedProcess[str]":
    environment = serving.environment | {"ROLLBOOK_PAUSE": "0.2"}
    return subprocess.run(
        ["sh", folder / "nightly.sh"],
        env=environment,
        cwd=os.sep,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_night_goes_well(serving: Rollbook, folder: Path) -> None:
    done = run(serving, folder)
    accepted, completed = (line for line in done.stdout.splitlines() if line.startswith(("OK", "COMPLETED")))
    assert accepted.startswith("OK update 2 accepted: ")
    assert completed.startswith("COMPLETED update 2: ")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_wrong_password_fails_loudly(serving: Rollbook, folder: Path) -> None:
    (folder / "password.txt").write_text("another one, of long ago\n", encoding="utf-8")
    done = run(serving, folder)
    assert (done.returncode, done.stdout.split(":")[0]) == (1, "ERROR sign_in_failed")


def test_a_file_that_is_refused_fails_loudly(serving: Rollbook, folder: Path) -> None:
    (folder / "students.csv").write_bytes(b"")
    done = run(serving, folder)
    assert (done.returncode, done.stdout.startswith("REFUSED update 2: empty_file")) == (1, True)


def test_without_a_file_nothing_is_sent(serving: Rollbook, folder: Path) -> None:
    (folder / "students.csv").unlink()
    done = run(serving, folder)
    assert done.returncode != 0
    assert "students.csv" in done.stderr or "read" in done.stderr
