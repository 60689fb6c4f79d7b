"""Parsing the optional form fields, and the errors in them."""

import pytest

from rollbook.updates.state_machine import Mode
from rollbook.web.api.fields import PARSERS, StartOptions, parse_fields
from rollbook.web.http.command_reference import CANCEL, FIELDS, START, STATUS
from rollbook.web.http.error_codes import ApiError


def test_without_fields_the_defaults_are_used() -> None:
    assert parse_fields(START, {"login": ["x"], "password": ["y"]}) == StartOptions(
        Mode.UPDATE, "", None
    )


def test_fields_are_parsed() -> None:
    assert parse_fields(START, {"mode": ["add"], "encoding": ["Latin-1"]}) == StartOptions(
        Mode.ADD, "iso8859-1"
    )
    assert parse_fields(STATUS, {"update": ["17"]}).number == 17
    assert parse_fields(CANCEL, {"update": ["017"]}).number == 17
    sent = {"check": ["yes"], "note": ["a  b"], "notify": ["a@x.example, b@x.example"]}
    assert parse_fields(START, sent) == StartOptions(
        is_check=True, note="a b", notify=("a@x.example", "b@x.example")
    )
    assert parse_fields(STATUS, {"wait": ["60"]}).wait == 60


@pytest.mark.parametrize("value", ["", "-1", "1.5", "latest", "\uff11\uff17", "9" * 10, " 17"])
def test_a_number_is_digits(value: str) -> None:
    with pytest.raises(ApiError, match="wrong_value"):
        parse_fields(STATUS, {"update": [value]})


@pytest.mark.parametrize(
    "name", ["chek", "checks", "modus", "note_", "updat", "LOGIN", "emcoding", "wait "]
)
def test_a_field_within_two_letters_of_a_known_one_is_refused(name: str) -> None:
    with pytest.raises(ApiError, match="misspelled_field"):
        parse_fields(START, {name: ["x"]})


@pytest.mark.parametrize("name", ["school_year", "comment", "x", "submit-button"])
def test_other_unknown_fields_are_ignored_and_listed(name: str) -> None:
    assert parse_fields(START, {name: ["x"]}).ignored == (name,)


@pytest.mark.parametrize("command", [STATUS, CANCEL])
@pytest.mark.parametrize("name", ["mode", "encoding"])
def test_fields_of_start_are_rejected_by_other_commands(command: str, name: str) -> None:
    with pytest.raises(ApiError, match="field_elsewhere"):
        parse_fields(command, {name: ["update"]})


def test_a_value_in_an_error_text_is_short_and_printable() -> None:
    with pytest.raises(ApiError) as caught:
        parse_fields(START, {"mode": ["\x1b" + "x" * 500]})
    assert caught.value.text == f"mode can't be '{'x' * 39}…'; use update or add or sync"


def test_every_parsed_field_is_in_the_reference() -> None:
    assert PARSERS.keys() <= FIELDS.keys()
