"""Runs the command in this process and captures its output."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from rollbook.cli import run
from tests.cli.files import HEADER, row

_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [A-Z]{3}")
_DURATION = re.compile(r"\bin \d+\.\d s\b")


@dataclass(frozen=True)
class Result:
    """The output and exit code of a command; times are replaced by <time>."""

    code: int
    out: str
    err: str


Rollbook = Callable[..., Result]


@pytest.fixture
def rollbook(capsys: pytest.CaptureFixture[str]) -> Rollbook:
    def call(*arguments: object) -> Result:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, _without_times(captured.out), _without_times(captured.err))

    return call


def _without_times(text: str) -> str:
    return _DURATION.sub("in <span>", _TIME.sub("<time>", text))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Return a student file with two students of Maple USD."""
    path = tmp_path / "base.csv"
    path.write_text(
        "\n".join((HEADER, row("00123", "Ana", "Brook"), row("00124", "Ben", "Cole"), ""))
    )
    return path
