"""The progress of a task: a bar on a terminal, lines in a log."""

import fcntl
import io
import os
import pty
import struct
import sys
import termios

import pytest

from rollbook.cli.progress_bar import ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr("rollbook.cli.progress_bar.time.monotonic", lambda: now[0])
    return now


def test_a_log_has_a_line_every_few_seconds_and_at_the_end_of_each_phase(
    capsys: pytest.CaptureFixture[str], clock: list[float]
) -> None:
    with ProgressBar() as progress_bar:
        for done in range(0, 10_001, 1000):
            progress_bar.show("checking", done, 10_000)
            clock[0] += 1
        progress_bar.show("applying", 5, 8, "changed students")
    assert capsys.readouterr() == (
        "",
        "checking: 3,000 of 10,000 rows (30%)\n"
        "checking: 6,000 of 10,000 rows (60%)\n"
        "checking: 9,000 of 10,000 rows (90%)\n"
        "checking: 10,000 of 10,000 rows (100%)\n"
        "applying: 5 of 8 changed students (62%)\n",
    )


def test_a_terminal_has_a_bar_for_each_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with ProgressBar() as progress_bar:
        progress_bar.show("checking", 50, 100)
        progress_bar.show("checking", 100, 100)
        progress_bar.show("applying", 1, 2, "changed students")
    output = terminal.getvalue()
    assert "checking: 100%" in output
    assert "applying:  50%" in output


def test_a_phase_that_never_starts_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar():
        pass
    assert capsys.readouterr() == ("", "")


def test_what_is_waited_for_is_repeated_in_a_log_only(
    capsys: pytest.CaptureFixture[str], clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ProgressBar() as progress_bar:
        for _ in range(5):
            progress_bar.show_status("waiting for update 1")
            clock[0] += 1
        assert capsys.readouterr().err == "waiting for update 1\n" * 2
        terminal = Terminal()
        monkeypatch.setattr("sys.stderr", terminal)
        clock[0] += 10
        progress_bar.show_status("waiting for update 1")
        progress_bar.show_status("waiting for update 2")
        assert terminal.getvalue() == "waiting for update 2\n"


@pytest.mark.process
@pytest.mark.parametrize("columns", [0, 60])
def test_a_terminal_has_a_bar_whether_or_not_its_size_is_known(columns: int) -> None:
    ours, theirs = pty.openpty()
    size = struct.pack("HHHH", 24 if columns else 0, columns, 0, 0)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
    script = """
from rollbook.cli.progress_bar import ProgressBar
with ProgressBar() as progress_bar:
    progress_bar.show("checking", 100, 100)
"""
    child = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", script],
        {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}},
        file_actions=[(os.POSIX_SPAWN_DUP2, theirs, 2)],
    )
    assert os.waitpid(child, 0)[1] == 0
    assert b"checking: 100%" in os.read(ours, 4096)
    os.close(ours)
    os.close(theirs)
