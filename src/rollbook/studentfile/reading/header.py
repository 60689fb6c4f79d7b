"""The first line of a student file: which column each of its cells names, and what is wrong with it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rollbook.studentfile.columns import BY_NAME, BY_SPELLING, Column, fold_header
from rollbook.studentfile.problems.problem import Problem, printable_excerpt
from rollbook.studentfile.spelling import closest_match

IDENTIFYING_COLUMN_SETS: tuple[frozenset[str], ...] = (
    frozenset({"STUDENT_ID"}),
    frozenset({"FIRST_NAME", "LAST_NAME", "DOB"}),
    frozenset({"USERNAME"}),
)
"""Each of these sets of columns can say which student a row means."""
IDENTIFYING_COLUMNS = frozenset().union(*IDENTIFYING_COLUMN_SETS)
"""All columns that have a part in that."""

_KEY = "STUDENT_ID"
_FOREIGN_KEY_COLUMNS = ("SISID", "STUDENTNUMBER", "LOCALID", "SOURCEDID", "STUDENTID")
FOREIGN_COLUMN_NAMES: Mapping[str, str] = {
    **dict.fromkeys(_FOREIGN_KEY_COLUMNS, _KEY),
    **dict.fromkeys(
        ("SCHOOLSISID", "SCHOOLSOURCEDID", "ORGSOURCEDIDS", "SCHOOLNUMBER", "ORGANIZATIONID"),
        "SCHOOL_ID",
    ),
    **dict.fromkeys(("FIRSTNAME", "GIVENNAME"), "FIRST_NAME"),
    **dict.fromkeys(("LASTNAME", "FAMILYNAME", "SURNAME"), "LAST_NAME"),
    **dict.fromkeys(("DATEOFBIRTH", "BIRTHDAY"), "DOB"),
    **dict.fromkeys(("GRADELEVEL", "GRADES"), "GRADE"),
    **dict.fromkeys(("SPED", "SPECIALEDUCATION"), "SPECIAL_ED"),
    "SEX": "GENDER",
    "LEP": "ELL",
}
"""How other products name columns, squeezed(): never taken silently, only suggested."""

_STAFF_COLUMNS = frozenset(
    {
        "STAFF_ID",
        "TEACHER_ID",
        "TEACHER_NUMBER",
        "EMPLOYEE_ID",
        "ROLE",
        "ROLES",
        "STAFF_EMAIL",
        "TEACHER_EMAIL",
        "JOB_TITLE",
        "POSITION",
    }
)
_SHARED_WITH_STAFF = frozenset(
    {
        "USERNAME",
        "PASSWORD",
        "FIRST_NAME",
        "LAST_NAME",
        "MIDDLE_INITIAL",
        "SCHOOL_ID",
        "GROUPS",
        "STATUS",
        "STAFF",
    }
)


@dataclass(frozen=True, slots=True)
class Header:
    """The names as they were sent and, for each, its column; None where the cells are ignored."""

    names: tuple[str, ...]
    columns: tuple[Column | None, ...]

    @classmethod
    def parse(cls, names: Sequence[str]) -> "tuple[Header, list[Problem]]":
        """The header and every problem of it; json-friendly: parse(list(header.names)) gives the same header."""
        header = cls(tuple(names), tuple(BY_SPELLING.get(fold_header(name)) for name in names))
        return header, _problems(header)

    @property
    def known(self) -> frozenset[str]:
        """The names of the columns that are read."""
        return frozenset(column.name for column in self.columns if column)

    @property
    def unnamed_columns(self) -> tuple[int, ...]:
        """The positions of cells without a name."""
        return tuple(index for index, name in enumerate(self.names) if not fold_header(name))


def without_underscores(name: str) -> str:
    """A folded name without its underscores: sourcedId and SOURCED_ID are one."""
    return fold_header(name).replace("_", "")


def looks_like_header(names: Sequence[str]) -> bool:
    """Whether a cell names a column that identifies, here or in other products, or half of the cells name columns.

    One name alone proves nothing: in students without a header a state such as MI is one by chance.
    """
    meant = [_intended_column(name) for name in names if fold_header(name)]
    known = [column for column in meant if column]
    return not IDENTIFYING_COLUMNS.isdisjoint(known) or (
        bool(known) and 2 * len(known) >= len(meant)
    )


def _intended_column(name: str) -> str | None:
    """The name of the column, or of the column of staff files, that this is a name of."""
    folded = fold_header(name)
    if folded in BY_SPELLING:
        return BY_SPELLING[folded].name
    return (
        folded if folded in _STAFF_COLUMNS else FOREIGN_COLUMN_NAMES.get(without_underscores(name))
    )


def _problems(header: Header) -> list[Problem]:
    if not looks_like_header(header.names):
        return [Problem("header_not_found", 1)]
    return [*_unusable(header), *_duplicates(header), *_ignored(header), *_folded(header)]


def _unusable(header: Header) -> list[Problem]:
    renames = _renames(header)
    if _KEY in renames.values():
        listed = " and ".join(f"{printable_excerpt(old)} to {new}" for old, new in renames.items())
        return [Problem("key_column_renamed", 1, _KEY, hint=f"rename {listed}")]
    if _looks_like_staff_file(header):
        return [Problem("wrong_file_type", 1)]
    if any(keys <= header.known for keys in IDENTIFYING_COLUMN_SETS):
        return []
    listed = " and ".join(f"{printable_excerpt(old)} to {new}" for old, new in renames.items())
    return [Problem("missing_column", 1, hint=f"rename {listed}" if renames else "")]


def _renames(header: Header) -> dict[str, str]:
    """Ignored names and the columns they seem to mean, each column once; the earlier key wins."""
    renames: dict[str, str] = {}
    for name in sorted(_unknown(header), key=_weight):
        meant = FOREIGN_COLUMN_NAMES.get(without_underscores(name)) or _nearest(name)
        if meant and meant not in header.known and meant not in renames.values():
            renames[name] = meant
    return renames


def _weight(name: str) -> int:
    key = without_underscores(name)
    return (
        _FOREIGN_KEY_COLUMNS.index(key)
        if key in _FOREIGN_KEY_COLUMNS
        else len(_FOREIGN_KEY_COLUMNS)
    )


def _nearest(name: str) -> str | None:
    folded = fold_header(name)
    found = closest_match(folded, BY_SPELLING, within=2 if len(folded) > 5 else 1)
    return BY_SPELLING[found].name if found else None


def _looks_like_staff_file(header: Header) -> bool:
    """A column only staff have, and none that only students have."""
    folded = {fold_header(name) for name in header.names}
    return bool(folded & _STAFF_COLUMNS) and header.known <= _SHARED_WITH_STAFF


def _unknown(header: Header) -> list[str]:
    pairs = zip(header.names, header.columns, strict=True)
    return [
        name for name, column in pairs if column is None and fold_header(name)[:1] not in ("", "_")
    ]


def _duplicates(header: Header) -> list[Problem]:
    names = [column.name for column in header.columns if column] + [
        fold_header(name) for name in _unknown(header)
    ]
    return [
        Problem("duplicate_column", 1, _known(name), printable_excerpt(name))
        for name, n in Counter(names).items()
        if n > 1
    ]


def _known(name: str) -> str | None:
    return name if name in BY_NAME else None


def _ignored(header: Header) -> list[Problem]:
    renames = _renames(header)
    return [
        Problem(
            "unknown_column", 1, found=printable_excerpt(name), hint=_suggestion(renames.get(name))
        )
        for name in dict.fromkeys(_unknown(header))
    ]


def _suggestion(meant: str | None) -> str:
    return f"if {meant} is meant, rename it" if meant else ""


def _folded(header: Header) -> list[Problem]:
    pairs = zip(header.names, header.columns, strict=True)
    written = [
        name
        for name, column in pairs
        if column and name.strip() not in (column.name, *column.aliases)
    ]
    return [Problem("folded_header", 1)] if written else []
