"""``python -m tests``: what a developer sees of the two runs, and how they end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.__main__ import NOTHING_TO_TEST, ROOT, code_of
from tests.patience import TIMEOUT_S
from tests.postgres.binaries import VARIABLE

pytestmark = [pytest.mark.process, pytest.mark.without_database]

PLACEHOLDER = Path(__file__).with_name("outcome.py")


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file to which the placeholder writes what it runs on."""
    monkeypatch.setenv("OUTPUT", str(tmp_path / "output"))
    return tmp_path / "output"


def both(*words: object, **more: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests", *map(str, words)]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | more,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def test_each_test_runs_on_both_databases_and_failures_are_repeated_at_the_end(
    output: Path,
) -> None:
    done = both(
        PLACEHOLDER, FAILS_ON="postgresql", DATABASE_URL="postgres://somebody@elsewhere/school"
    )
    assert done.returncode == 1
    assert {line.split()[0] for line in output.read_text().splitlines()} == {"sqlite", "postgresql"}
    assert "elsewhere" not in output.read_text()
    first, *lines = done.stdout.splitlines()
    assert first.startswith("PostgreSQL ")
    assert all(line.startswith(("    sqlite | ", "postgresql | ")) for line in lines)
    passed = max(at for at, line in enumerate(lines) if line.startswith("    sqlite | 2 passed"))
    again = lines[passed + 1 :]
    assert again[0].startswith(
        "postgresql | FAILED tests/outcome.py::test_that_fails_where_it_is_told_to"
    )
    assert again[-1].startswith("postgresql | 1 failed in ")  # and one that was not for it


@pytest.mark.parametrize(
    ("codes", "code"),
    [((0, 0), 0), ((0, 1), 1), ((2, 0), 2), ((0, 5), 0), ((5, 0), 0), ((5, 5), 5), ((5, 1), 1)],
)
def test_a_test_of_one_alone_is_no_failure_of_the_other_but_no_test_at_all_is_one(
    codes: tuple[int, int], code: int
) -> None:
    assert code_of(codes) == code


def test_one_database_can_be_named_and_the_server_is_gone_at_the_end(output: Path) -> None:
    assert both("--on", "postgresql", PLACEHOLDER).returncode == 0
    [vendor, url] = output.read_text().split()
    assert vendor == "postgresql"
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_without_a_postgresql_nothing_is_tested_and_the_way_out_is_told(
    output: Path, tmp_path: Path
) -> None:
    done = both(PLACEHOLDER, **{VARIABLE: str(tmp_path)})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        f"ERROR no_postgresql: {VARIABLE} names {tmp_path}, which has no initdb"
    )
    assert not output.exists()
    assert both("--on", "sqlite", PLACEHOLDER, **{VARIABLE: str(tmp_path)}).returncode == 0


def test_told_to_stop_it_ends_both_runs(output: Path) -> None:
    command = [sys.executable, "-m", "tests", str(PLACEHOLDER)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert running.stdout.readline().startswith("PostgreSQL ")
        running.send_signal(signal.SIGTERM)
        rest = running.stdout.read()  # whose end comes when nobody is left who could write to it
        assert running.wait() == 128 + signal.SIGTERM
    assert "passed" not in rest


def test_what_never_asks_the_database_is_tested_once() -> None:
    """Neither a test without the database in this process nor one that is marked so."""
    done = both(
        "--on", "postgresql", "tests/studentfile/test_spelling.py", "tests/browser/test_chromium.py"
    )
    assert done.returncode == NOTHING_TO_TEST
    assert " deselected" in done.stdout
