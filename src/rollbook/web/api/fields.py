"""Parse the optional form fields; ``chek=yes`` is refused, as it must never apply a file."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from rollbook.studentfile.reading.reader import normalize_encoding_name
from rollbook.studentfile.spelling import closest_match
from rollbook.text import printable
from rollbook.updates.state_machine import Mode
from rollbook.web.http.command_reference import FIELDS
from rollbook.web.http.error_codes import ApiError

LONGEST_SHOWN = 40
LONGEST_NUMBER = 9  # digits


@dataclass(frozen=True)
class StartOptions:
    """The optional fields, understood. ``number`` None means the district's own; ``ignored`` are unknown names."""

    mode: Mode = Mode.UPDATE
    encoding: str = ""
    number: int | None = None
    ignored: tuple[str, ...] = ()


def _mode(value: str, choices: StartOptions) -> StartOptions:
    if value == "sync":
        raise ApiError("not_supported", what="mode=sync")
    try:
        return replace(choices, mode=Mode(value))
    except ValueError:
        raise _wrong("mode", value, f"write {' or '.join(Mode)}") from None


def _encoding(value: str, choices: StartOptions) -> StartOptions:
    try:
        return replace(choices, encoding=normalize_encoding_name(value))
    except ValueError:
        raise _wrong("encoding", value, "write utf-8, cp1252, latin-1 or mac-roman") from None


def _number(value: str, choices: StartOptions) -> StartOptions:
    if not (value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER):
        raise _wrong("update", value, "write its number, as in update=17")
    return replace(choices, number=int(value))


def _wrong(field: str, value: str, repair: str) -> ApiError:
    return ApiError(
        "wrong_value", field=field, value=printable(value, LONGEST_SHOWN), repair=repair
    )


Parser = Callable[[str, StartOptions], StartOptions]

PARSERS: Mapping[str, Parser] = MappingProxyType(
    {"mode": _mode, "encoding": _encoding, "update": _number}
)
"""How the optional fields are parsed; file, login and password are no options."""


def parse_fields(command: str, sent: Mapping[str, list[str]]) -> StartOptions:
    """What these fields ask of this command; Refused if one is not understood."""
    choices = StartOptions(ignored=tuple(printable(name, LONGEST_SHOWN) for name in unknown(sent)))
    for name in choices.ignored:
        _require_far_from_known(name)
    for name, values in sent.items():
        if name in FIELDS:
            _require_accepted(command, name)
        if name in PARSERS:
            choices = PARSERS[name](values[0], choices)
    return choices


def unknown(sent: Iterable[str]) -> list[str]:
    """The names that mean nothing here."""
    return [name for name in sent if name not in FIELDS]


def _require_far_from_known(name: str) -> None:
    known = closest_match(name.casefold(), FIELDS)
    if known:
        raise ApiError("misspelled_field", field=name, known=known)


def _require_accepted(command: str, name: str) -> None:
    field = FIELDS[name]
    if not field.is_implemented:
        raise ApiError("not_supported", what=name)
    if command not in field.commands:
        raise ApiError("field_elsewhere", field=name, name=command)
