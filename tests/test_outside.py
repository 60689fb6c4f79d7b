"""A test that opens what a clone by itself does not have is refused, wherever the clone is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.outside import Border, Guard, OpenedOutside, StartedPython, border_of


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with a folder beside it, in a temporary folder."""
    (tmp_path / "clone" / "tests").mkdir(parents=True)
    (tmp_path / "clone" / "inside.csv").write_text("1")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "sample.csv").write_text("1")
    return tmp_path / "clone"


@pytest.fixture
def guard(clone: Path) -> Guard:
    return Guard(border_of(clone))


def opened(guard: Guard, path: object, flags: int = os.O_RDONLY) -> None:
    guard("open", (str(path), "r", flags))


def test_what_was_beside_the_clone_is_refused_also_in_a_temporary_folder(
    clone: Path, guard: Guard
) -> None:
    sample = clone / "tests" / ".." / ".." / "shared" / "sample.csv"
    with pytest.raises(OpenedOutside, match="shared"):
        opened(guard, sample)
    assert guard.taken() == [f"open: {sample}"]
    assert guard.taken() == []


def test_a_link_does_not_lead_out(clone: Path, guard: Guard) -> None:
    (clone / "link.csv").symlink_to(clone.parent / "shared" / "sample.csv")
    with pytest.raises(OpenedOutside):
        opened(guard, clone / "link.csv")


def test_a_command_may_not_name_it_either(clone: Path, guard: Guard) -> None:
    sample = clone.parent / "shared" / "sample.csv"
    with pytest.raises(OpenedOutside):
        guard(
            "subprocess.Popen", (sys.executable, [sys.executable, os.fsencode(sample)], None, None)
        )


@pytest.mark.parametrize("event", ["os.listdir", "os.scandir", "sqlite3.connect"])
def test_folders_and_databases_are_looked_at(clone: Path, guard: Guard, event: str) -> None:
    with pytest.raises(OpenedOutside):
        guard(event, (str(clone.parent / "shared"),))


def test_the_clone_python_the_system_and_what_the_run_makes_are_open(
    clone: Path, guard: Guard
) -> None:
    made = clone.parent / "made-by-the-run.csv"
    made.write_text("1")
    for path in (
        clone / "inside.csv",
        made,
        sys.executable,
        os.__file__,
        "/etc/passwd",
        "/proc/self/status",
    ):
        opened(guard, path)
    guard("open", (3, "r", 0))
    guard("sqlite3.connect", (":memory:",))
    assert guard.taken() == []


def test_what_does_not_exist_cannot_be_read_but_may_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    guard = Guard(Border(tmp_path / "clone", [], []))
    opened(guard, tmp_path / "elsewhere" / "nothing.csv")
    with pytest.raises(OpenedOutside):
        opened(guard, tmp_path / "elsewhere" / "new.csv", os.O_WRONLY | os.O_CREAT)


def test_python_may_be_started_by_tests_that_say_so(guard: Guard) -> None:
    started = (sys.executable, [sys.executable, "-c", ""], None, None)
    guard("subprocess.Popen", started)
    guard.python_processes = False
    guard("subprocess.Popen", ("sh", ["sh", "-c", ""], None, None))
    with pytest.raises(StartedPython):
        guard("subprocess.Popen", started)


@pytest.mark.process
def test_python_calls_the_guard(tmp_path: Path) -> None:
    """In a process of its own: a hook cannot be removed, and this run's own must find nothing."""
    (tmp_path / "clone").mkdir()
    (tmp_path / "sample.csv").write_text("1")
    code = (
        "import sys, pathlib; from tests import outside\n"
        "guard = outside.Guard(outside.border_of(pathlib.Path(sys.argv[1])))\n"
        "sys.addaudithook(guard)\n"
        "try: open(sys.argv[2])\n"
        "except outside.OpenedOutside: print(len(guard.taken()))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "clone"), str(tmp_path / "sample.csv")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "1\n"
