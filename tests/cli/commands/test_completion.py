"""``rollbook completion``, in a real shell."""

import shlex
import shutil
import subprocess

import pytest

from rollbook.cli.command_parser import commands_of
from rollbook.cli.parser import build_parser
from tests.cli.conftest import Rollbook

BASH = shutil.which("bash")


def complete(rollbook: Rollbook, line: str) -> list[str]:
    """Return what bash offers for the last word of a line."""
    words = line.split(" ")
    script = f"""
{rollbook("completion", "bash").out}
COMP_WORDS=({" ".join(map(shlex.quote, words))})
COMP_CWORD={len(words) - 1}
_rollbook
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    assert BASH
    result = subprocess.run(
        [BASH, "--norc", "-u", "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stderr == ""
    return result.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("rollbook dis", ["district"]),
        ("rollbook update re", ["retry"]),
        ("rollbook update show --re", ["--rejected"]),
        ("rollbook student load maple-usd --mode ", ["update", "add", "sync"]),
        ("rollbook student load --mode add maple-usd --he", ["--help", "--header-map"]),
        ("rollbook keys rotate se", ["session"]),
        ("rollbook completion ", ["bash", "zsh"]),
        ("rollbook student load maple-usd stud", []),  # then bash completes files
        ("rollbook --v", ["--version"]),
    ],
)
def test_commands_options_and_values_are_completed(
    rollbook: Rollbook, line: str, offered: list[str]
) -> None:
    assert complete(rollbook, line) == offered


def test_every_command_is_offered(rollbook: Rollbook) -> None:
    assert complete(rollbook, "rollbook ") == list(commands_of(build_parser()))


def test_zsh_reads_the_script_as_bash_does(rollbook: Rollbook) -> None:
    first, _, rest = rollbook("completion", "zsh").out.partition("\n")
    assert first == "autoload -U +X bashcompinit && bashcompinit"
    assert rest == rollbook("completion", "bash").out


def test_another_shell_is_an_error(rollbook: Rollbook) -> None:
    result = rollbook("completion", "fish")
    assert result.code == 2
    assert "'fish' is not one of bash, zsh" in result.err
