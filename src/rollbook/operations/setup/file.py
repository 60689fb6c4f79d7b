"""Read a districts file: TOML tables with known fields of known types."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollbook.districts.grade_codes import parse_grade_codes
from rollbook.districts.models import District
from rollbook.studentfile.reading.encodings import normalize_encoding_name

SETTINGS = (
    "time_zone",
    "encoding",
    "date_order",
    "grade_codes",
    "reactivates_students",
    "requires_second_factor",
    "files_kept_days",
    "details_kept_days",
    "audit_kept_years",
    "history_kept_days",
    "leavers_kept_days",
    "staff_kept_days",
)
"""The fields of a district that are its settings, with the names of their columns."""

MAX_FILE_BYTES = 10_000_000

_TYPE_NAMES: Mapping[type, str] = {
    str: "a text",
    int: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}
_SETTING_TYPES: Mapping[str, type] = {name: type(getattr(District(), name)) for name in SETTINGS}
_DISTRICT_FIELDS: Mapping[str, type] = {
    "slug": str,
    "name": str,
    **_SETTING_TYPES,
    "recipients": list,
    "schools": list,
    "staff": list,
}
_SCHOOL_FIELDS: Mapping[str, type] = {"id": str, "name": str}
_STAFF_FIELDS: Mapping[str, type] = {
    "email": str,
    "first_name": str,
    "last_name": str,
    "role": str,
    "schools": list,
}
_OPTIONAL_OF_STAFF = ("schools",)


@dataclass(frozen=True)
class SetupProblem:
    """What is wrong, and in which table and field."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class FileRefused(Exception):
    """The file has problems; nothing was changed."""

    def __init__(self, problems: list[SetupProblem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True)
class StaffEntry:
    """A staff member in the file."""

    place: str
    email: str
    first_name: str
    last_name: str
    role: str
    schools: tuple[str, ...]


@dataclass(frozen=True)
class DistrictEntry:
    """A district in the file.

    Attributes:
        place: Where it is, such as ``district 3 (maple-usd)``.
        slug: Its short name.
        name: Its name.
        settings: The settings that the file mentions.
        recipients: Emails of members who get the results of every update.
        schools: School ID to name.
        staff: Its staff members.
    """

    place: str
    slug: str
    name: str
    settings: Mapping[str, Any]
    recipients: tuple[str, ...]
    schools: Mapping[str, str]
    staff: tuple[StaffEntry, ...]


def read(data: bytes) -> list[DistrictEntry]:
    """Read the file, without looking at the database.

    Raises:
        FileRefused: With every problem.
    """
    document = _parse(data)
    reader = _Reader()
    reader.check_fields("the file", document, {"district": list}, ("district",))
    entries = []
    for number, table in enumerate(reader.tables("the file", document, "district"), start=1):
        slug = table.get("slug")
        name = f" ({slug})" if isinstance(slug, str) else ""
        entries.append(reader.district(f"district {number}{name}", table))
    reader.check_unique(entries)
    if reader.problems:
        raise FileRefused(reader.problems)
    return [entry for entry in entries if entry]


def _parse(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_FILE_BYTES:
        raise FileRefused([SetupProblem("the file", f"it has more than {MAX_FILE_BYTES:,} bytes")])
    try:
        return tomllib.loads(data.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileRefused(
            [SetupProblem(f"line {line:,}", "it isn't UTF-8; save the file as UTF-8")]
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise FileRefused([SetupProblem("the file", f"it isn't TOML: {error}")]) from None


def _unchanged(value: Any) -> Any:
    return value


def _grade_codes(codes: dict[str, Any]) -> dict[str, str]:
    return parse_grade_codes("\n".join(f"{code} = {grade}" for code, grade in codes.items()))


_FORMS: Mapping[str, Callable[[Any], Any]] = {
    "encoding": normalize_encoding_name,
    "grade_codes": _grade_codes,
}
"""Functions that return a setting in the form in which it is stored, or raise ValueError."""


@dataclass
class _Reader:
    """Collects the problems of all tables."""

    problems: list[SetupProblem] = field(default_factory=list)

    def district(self, place: str, table: dict[str, Any]) -> DistrictEntry | None:
        if not self.check_fields(place, table, _DISTRICT_FIELDS, ("slug", "name")):
            return None
        staff = [
            self.member(f"{place}, staff {number}", row)
            for number, row in enumerate(self.tables(place, table, "staff"), start=1)
        ]
        return DistrictEntry(
            place,
            table["slug"],
            table["name"],
            dict(self.settings(place, table)),
            self.texts(place, table, "recipients"),
            dict(self.schools(place, table)),
            tuple(member for member in staff if member),
        )

    def settings(self, place: str, table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield the settings in the form in which they are stored."""
        for name in SETTINGS:
            if name in table:
                try:
                    yield name, _FORMS.get(name, _unchanged)(table[name])
                except ValueError as error:
                    self.add(f"{place}, {name}", str(error))

    def schools(self, place: str, table: dict[str, Any]) -> Iterator[tuple[str, str]]:
        seen: set[str] = set()
        for number, row in enumerate(self.tables(place, table, "schools"), start=1):
            here = f"{place}, school {number}"
            if not self.check_fields(here, row, _SCHOOL_FIELDS, tuple(_SCHOOL_FIELDS)):
                continue
            if row["id"] in seen:
                self.add(f"{here}, id", f"the School ID '{row['id']}' is in the file twice")
            seen.add(row["id"])
            yield row["id"], row["name"]

    def member(self, place: str, row: dict[str, Any]) -> StaffEntry | None:
        required = tuple(name for name in _STAFF_FIELDS if name not in _OPTIONAL_OF_STAFF)
        if not self.check_fields(place, row, _STAFF_FIELDS, required):
            return None
        schools = self.texts(place, row, "schools")
        texts = {name: row[name] for name in required}
        return StaffEntry(place=place, **texts, schools=schools)

    def check_fields(
        self,
        place: str,
        table: dict[str, Any],
        fields: Mapping[str, type],
        required: tuple[str, ...],
    ) -> bool:
        """Check names and types of fields; return whether all are right."""
        before = len(self.problems)
        for name, value in table.items():
            if name not in fields:
                self.add(f"{place}, {name}", f"there is no such field; use {', '.join(fields)}")
            elif type(value) is not fields[name]:
                self.add(f"{place}, {name}", f"it must be {_TYPE_NAMES[fields[name]]}")
        for name in required:
            if name not in table:
                self.add(f"{place}, {name}", "it is missing")
        return len(self.problems) == before

    def tables(self, place: str, table: dict[str, Any], name: str) -> list[dict[str, Any]]:
        """Return the tables in a list."""
        return self._items(place, table, name, dict)

    def texts(self, place: str, table: dict[str, Any], name: str) -> tuple[str, ...]:
        """Return the texts in a list."""
        return tuple(self._items(place, table, name, str))

    def _items(self, place: str, table: dict[str, Any], name: str, kind: type) -> list[Any]:
        values = table.get(name, [])
        if not isinstance(values, list):
            return []
        if any(type(value) is not kind for value in values):
            self.add(f"{place}, {name}", f"each item must be {_TYPE_NAMES[kind]}")
            return []
        return values

    def check_unique(self, entries: list[DistrictEntry | None]) -> None:
        seen: set[str] = set()
        for entry in filter(None, entries):
            if entry.slug in seen:
                self.add(f"{entry.place}, slug", f"'{entry.slug}' is in the file twice")
            seen.add(entry.slug)

    def add(self, place: str, text: str) -> None:
        self.problems.append(SetupProblem(place, text))
