"""Color and signs: on a terminal that can show them, and nowhere else."""

import io

import pytest

from rollbook.cli.terminal import PlainText, Toned, has_color, paint, shows_signs
from tests.cli.conftest import Rollbook


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class AsciiTerminal(Terminal):
    encoding = "ascii"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("variables", "on_terminal", "in_log"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_colors_are_for_terminals_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], *, on_terminal: bool, in_log: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (has_color(Terminal()), has_color(io.StringIO())) == (on_terminal, in_log)
    assert not has_color(PlainText())


def test_signs_need_a_terminal_that_can_display_them() -> None:
    assert shows_signs(Terminal(), "✓")
    assert not shows_signs(AsciiTerminal(), "✓")
    assert shows_signs(AsciiTerminal(), "!")
    assert not shows_signs(io.StringIO(), "✓")
    assert not shows_signs(PlainText(), "✓")


def test_a_toned_text_has_its_sign_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Toned.of("failed", "bad") == "failed"
    monkeypatch.setattr("sys.stdout", Terminal())
    assert Toned.of("failed", "bad") == "✕ failed"
    assert Toned.of("canceled", "quiet") == "canceled"
    assert paint("failed", "bad") == "\x1b[31mfailed\x1b[0m"
    assert paint("failed", "no tone") == "failed"


def test_an_error_is_red_on_a_terminal_and_json_is_never_colored(
    rollbook: Rollbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    result = rollbook("distrit", "--json")
    assert result.err.startswith("\x1b[31mERROR\x1b[0m usage: ")
    assert "\x1b" not in result.out
