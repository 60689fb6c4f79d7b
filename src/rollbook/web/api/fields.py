"""Parse the optional form fields; misspelled ones are errors, so a typo never applies a file."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from rollbook.studentfile.mapping.mapping import NO_MAPPING, is_mapping_name
from rollbook.studentfile.reading.reader import normalize_encoding_name
from rollbook.studentfile.spelling import closest_match
from rollbook.text import printable
from rollbook.updates.state_machine import Mode
from rollbook.web.http.command_reference import FIELDS
from rollbook.web.http.error_codes import ApiError

MAX_SHOWN_LENGTH = 40  # characters
MAX_NUMBER_DIGITS = 9
MAX_NOTE_LENGTH = 200  # characters
MAX_NOTIFIED = 20
MAX_WAIT_S = 60
MAX_PLAN_LENGTH = 40  # characters; a digest is shorter
MAX_SCHOOLS = 1000


@dataclass(frozen=True)
class StartOptions:
    """The values of the optional fields.

    Attributes:
        mode: How to use the file.
        encoding: The encoding of the file; empty for the default.
        number: The number of an update; None for the current one.
        is_check: Whether the update is a dry run.
        header_map: The name of a column mapping; empty for the one that fits.
        note: What the sender says about the file.
        notify: Addresses of further members who get the emails.
        wait: Seconds to wait for the end of an update.
        plan: The digest of the plan to decide about.
        without: SCHOOL_IDs of schools to leave out.
        ignored: The names of unknown fields.
    """

    mode: Mode = Mode.UPDATE
    encoding: str = ""
    number: int | None = None
    is_check: bool = False
    header_map: str = ""
    note: str = ""
    notify: tuple[str, ...] = ()
    wait: int = 0
    plan: str = ""
    without: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def _mode(value: str, options: StartOptions) -> StartOptions:
    try:
        return replace(options, mode=Mode(value))
    except ValueError:
        raise _wrong("mode", value, f"use {' or '.join(Mode)}") from None


def _encoding(value: str, options: StartOptions) -> StartOptions:
    try:
        return replace(options, encoding=normalize_encoding_name(value))
    except ValueError:
        raise _wrong("encoding", value, "use utf-8, cp1252, latin-1 or mac-roman") from None


def _number(value: str, options: StartOptions) -> StartOptions:
    if not (value.isascii() and value.isdigit() and len(value) <= MAX_NUMBER_DIGITS):
        raise _wrong("update", value, "use the number of an update, as in update=17")
    return replace(options, number=int(value))


def _check(value: str, options: StartOptions) -> StartOptions:
    if value not in {"yes", "no"}:
        raise _wrong("check", value, "use yes or no")
    return replace(options, is_check=value == "yes")


def _note(value: str, options: StartOptions) -> StartOptions:
    note = " ".join(value.split())
    if len(note) > MAX_NOTE_LENGTH or not note.isprintable():
        raise _wrong("note", value, f"use one line of at most {MAX_NOTE_LENGTH} characters")
    return replace(options, note=note)


def _header_map(value: str, options: StartOptions) -> StartOptions:
    if not is_mapping_name(value) and value != NO_MAPPING:
        raise _wrong("header_map", value, "use the name of a column mapping, or none")
    return replace(options, header_map=value)


def _notify(value: str, options: StartOptions) -> StartOptions:
    addresses = tuple(dict.fromkeys(filter(None, map(str.strip, value.split(",")))))
    if not addresses or len(addresses) > MAX_NOTIFIED:
        raise _wrong("notify", value, f"use 1 to {MAX_NOTIFIED} addresses, separated by commas")
    return replace(options, notify=addresses)


def _wait(value: str, options: StartOptions) -> StartOptions:
    if not (value.isascii() and value.isdigit() and len(value) <= 2 and int(value) <= MAX_WAIT_S):
        raise _wrong("wait", value, f"use a number of seconds from 0 to {MAX_WAIT_S}")
    return replace(options, wait=int(value))


def _plan(value: str, options: StartOptions) -> StartOptions:
    plan = value.strip()
    if not plan.isalnum() or len(plan) > MAX_PLAN_LENGTH:
        raise _wrong("plan", value, "use the digest of a plan, as in plan=3f9a1c20b7de")
    return replace(options, plan=plan)


def _without(value: str, options: StartOptions) -> StartOptions:
    schools = tuple(dict.fromkeys(filter(None, map(str.strip, value.split(",")))))
    if not schools or len(schools) > MAX_SCHOOLS:
        raise _wrong("without", value, f"use 1 to {MAX_SCHOOLS:,} SCHOOL_IDs, separated by commas")
    return replace(options, without=schools)


def _wrong(field: str, value: str, repair: str) -> ApiError:
    return ApiError(
        "wrong_value", field=field, value=printable(value, MAX_SHOWN_LENGTH), repair=repair
    )


Parser = Callable[[str, StartOptions], StartOptions]

PARSERS: Mapping[str, Parser] = MappingProxyType(
    {
        "mode": _mode,
        "encoding": _encoding,
        "update": _number,
        "check": _check,
        "header_map": _header_map,
        "note": _note,
        "notify": _notify,
        "wait": _wait,
        "plan": _plan,
        "without": _without,
    }
)
"""The parsers of the optional fields; file, login and password are handled elsewhere."""


def parse_fields(command: str, fields: Mapping[str, list[str]]) -> StartOptions:
    """Parse the fields of a request to this command.

    Raises:
        ApiError: If a field is misspelled, not supported, or has a wrong value.
    """
    ignored = [printable(name, MAX_SHOWN_LENGTH) for name in unknown(fields)]
    options = StartOptions(ignored=tuple(ignored))
    for name in options.ignored:
        _require_far_from_known(name)
    for name, values in fields.items():
        if name in FIELDS:
            _require_accepted(command, name)
        if name in PARSERS:
            options = PARSERS[name](values[0].removesuffix("\n").removesuffix("\r"), options)
    return options


def unknown(names: Iterable[str]) -> list[str]:
    """Return the names that are not fields."""
    return [name for name in names if name not in FIELDS]


def _require_far_from_known(name: str) -> None:
    known = closest_match(name.casefold(), FIELDS)
    if known:
        raise ApiError("misspelled_field", field=name, known=known)


def _require_accepted(command: str, name: str) -> None:
    if command not in FIELDS[name].commands:
        raise ApiError("field_elsewhere", field=name, name=command)
