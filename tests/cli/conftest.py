"""The command as the operator gives it: in this process, whole outputs at hand."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from rollbook.cli import run
from tests.cli.files import HEADER, row

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [A-Z]{3}")
_SPAN = re.compile(r"\bin \d+\.\d s\b")


@dataclass(frozen=True)
class Result:
    """What a command said, with <time> for moments, and how it ended."""

    code: int
    out: str
    err: str


Rollbook = Callable[..., Result]


@pytest.fixture
def rollbook(capsys: pytest.CaptureFixture[str]) -> Rollbook:
    def call(*arguments: object) -> Result:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Result(code, _calm(said.out), _calm(said.err))

    return call


def _calm(text: str) -> str:
    return _SPAN.sub("in <span>", _MOMENT.sub("<time>", text))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Two students of Maple USD."""
    path = tmp_path / "base.csv"
    path.write_text(
        "\n".join((HEADER, row("00123", "Ana", "Brook"), row("00124", "Ben", "Cole"), ""))
    )
    return path
