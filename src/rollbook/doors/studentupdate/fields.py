"""What the form's fields ask for. One that is nearly known refuses the call: ``chek=yes`` must never apply a file."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from rollbook.doors.studentupdate.refusals import Refused
from rollbook.format.nearest import nearest
from rollbook.format.reader import known_encoding
from rollbook.updates.moves import Mode
from rollbook.updates.wording import safe

START, STATUS, CANCEL = "start", "status", "cancel"
LONGEST_SHOWN = 40
LONGEST_NUMBER = 9  # digits


@dataclass(frozen=True)
class Choices:
    """The optional fields, understood. ``number`` None means the district's own; ``ignored`` are unknown names."""

    mode: Mode = Mode.UPDATE
    encoding: str = ""
    number: int | None = None
    ignored: tuple[str, ...] = ()


def _mode(value: str, choices: Choices) -> Choices:
    if value == "sync":
        raise Refused("not_supported", what="mode=sync")
    try:
        return replace(choices, mode=Mode(value))
    except ValueError:
        raise _wrong("mode", value, f"write {' or '.join(Mode)}") from None


def _encoding(value: str, choices: Choices) -> Choices:
    try:
        return replace(choices, encoding=known_encoding(value))
    except ValueError:
        raise _wrong("encoding", value, "write utf-8, cp1252, latin-1 or mac-roman") from None


def _number(value: str, choices: Choices) -> Choices:
    if not (value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER):
        raise _wrong("update", value, "write its number, as in update=17")
    return replace(choices, number=int(value))


def _wrong(field: str, value: str, repair: str) -> Refused:
    return Refused("wrong_value", field=field, value=safe(value, LONGEST_SHOWN), repair=repair)


Reader = Callable[[str, Choices], Choices]


@dataclass(frozen=True)
class Field:
    """A field that is known: the commands that take it, how it is read (None: not built yet), and what it says."""

    commands: frozenset[str]
    read: Reader | None = None
    says: str = ""


def _as_it_is(value: str, choices: Choices) -> Choices:
    return choices


_ALL = frozenset({START, STATUS, CANCEL})
_OF_START = frozenset({START})
_OF_STATUS = frozenset({STATUS})
FIELDS: Mapping[str, Field] = {
    "file": Field(_OF_START, _as_it_is, "the student file, as `file=@students.csv`; one in each call"),
    "login": Field(_ALL, _as_it_is, "the e-mail address you sign in with"),
    "password": Field(_ALL, _as_it_is, "your password"),
    "mode": Field(_OF_START, _mode, "`update` (the default) changes existing students only, `add` also adds new ones"),
    "encoding": Field(
        _OF_START,
        _encoding,
        "how the file writes letters, as in `encoding=cp1252`; without it your district's setting, else UTF-8",
    ),
    "update": Field(frozenset({STATUS, CANCEL}), _number, "the number of an update, as in `update=17`"),
    "check": Field(_OF_START),
    "note": Field(_OF_START),
    "notify": Field(_OF_START),
    "header_map": Field(_OF_START),
    "wait": Field(_OF_STATUS),
}


def understood(command: str, sent: Mapping[str, list[str]]) -> Choices:
    """What these fields ask of this command; Refused if one is not understood."""
    choices = Choices(ignored=tuple(safe(name, LONGEST_SHOWN) for name in unknown(sent)))
    for name in choices.ignored:
        _require_far_from_known(name)
    for name, values in sent.items():
        if name in FIELDS:
            choices = _reader(command, name)(values[0], choices)
    return choices


def unknown(sent: Iterable[str]) -> list[str]:
    """The names that mean nothing here."""
    return [name for name in sent if name not in FIELDS]


def _require_far_from_known(name: str) -> None:
    known = nearest(name.casefold(), FIELDS)
    if known:
        raise Refused("misspelled_field", field=name, known=known)


def _reader(command: str, name: str) -> Reader:
    field = FIELDS[name]
    if field.read is None:
        raise Refused("not_supported", what=name)
    if command not in field.commands:
        raise Refused("field_elsewhere", field=name, name=command)
    return field.read
