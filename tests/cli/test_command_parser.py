"""Usage errors: the same form as other errors, with a suggestion."""

import json
from pathlib import Path

import pytest

from rollbook.cli import argument_types
from rollbook.cli.command_parser import EXPECTED, actions_of, iter_commands
from rollbook.cli.parser import build_parser
from tests.cli.conftest import Rollbook


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("distrit", "list"), "there is no command 'distrit'; did you mean district? See `roll"),
        (("xyzzy",), "there is no command 'xyzzy'; see `rollbook --help`"),
        (
            ("update", "lst", "maple-usd"),
            "there is no command 'lst'; did you mean list? See `rollbook update --help`",
        ),
        (
            ("update", "list", "maple-usd", "--jsn"),
            "there is no option '--jsn'; did you mean --json? See `rollbook update list --help`",
        ),
        (
            ("update", "list", "maple-usd", "--xyzzy=7"),
            "there is no option '--xyzzy'; see `rollbook update list --help`",
        ),
        (
            ("update", "show", "maple-usd", "x"),
            "argument NUMBER: 'x' is not a whole number; see `rollbook update show --help`",
        ),
        (
            ("audit", "who-saw", "maple-usd", "--student", "1", "--since", "9/1/2026"),
            "argument --since: '9/1/2026' is not a date such as 2026-09-01; "
            "see `rollbook audit who-saw --help`",
        ),
        (
            ("update", "list", "maple-usd", "2"),
            "'2' is one argument too many; see `rollbook update list --help`",
        ),
        (
            ("student", "load", "maple-usd", "a.csv", "--mode", "ad"),
            "argument --mode: 'ad' is not one of update, add, sync; did you mean add? "
            "See `rollbook student load --help`",
        ),
        (
            ("student", "load", "maple-usd"),
            "the following arguments are required: FILE; see `rollbook student load --help`",
        ),
        (
            ("serve", "--port", "99999"),
            "argument --port: '99999' is not a port; use a number from 0 to 65535; "
            "see `rollbook serve --help`",
        ),
        (("district",), "the following arguments are required: COMMAND; see `rollbook district"),
    ],
)
def test_a_usage_error_is_one_line_with_a_suggestion(
    rollbook: Rollbook, arguments: tuple[str, ...], error: str
) -> None:
    result = rollbook(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"ERROR usage: {error}")
    assert result.err.count("\n") == 1


def test_with_json_an_error_is_printed_as_json_too(rollbook: Rollbook) -> None:
    result = rollbook("update", "list", "--json")
    assert result.code == 2
    text = "the following arguments are required: DISTRICT; see `rollbook update list --help`"
    assert result.err == f"ERROR usage: {text}\n"
    assert json.loads(result.out) == {"error": {"code": "usage", "message": text, "exit_code": 2}}


@pytest.mark.django_db
def test_with_json_an_error_of_the_action_is_printed_as_json_too(rollbook: Rollbook) -> None:
    result = rollbook("update", "list", "maple-usd", "--json")
    assert result.code == 1
    assert json.loads(result.out)["error"]["code"] == "no_such_district"
    assert result.err.startswith("ERROR no_such_district: ")


def test_no_error_about_a_value_names_a_function() -> None:
    """Types of arguments raise errors with words of their own, or have them here."""
    unworded = {
        action.type
        for command in iter_commands(build_parser())
        for action in actions_of(command)
        if action.type not in {None, Path, *EXPECTED}
    }
    assert {getattr(each, "__module__", each) for each in unworded} == {argument_types.__name__}
