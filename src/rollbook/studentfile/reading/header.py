"""Parse the header of a student file: its columns and its problems."""

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
"""Each of these sets of columns can identify the student of a row."""
IDENTIFYING_COLUMNS = frozenset().union(*IDENTIFYING_COLUMN_SETS)
"""The columns of all these sets."""

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
"""Column names of other products, as without_underscores() returns them.

They are suggested in hints but never used silently.
"""

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
    """A parsed header.

    Attributes:
        names: The cells as they were sent.
        columns: The column of each cell; None if the column is ignored.
    """

    names: tuple[str, ...]
    columns: tuple[Column | None, ...]

    @classmethod
    def parse(cls, names: Sequence[str]) -> "tuple[Header, list[Problem]]":
        """Return the header and its problems.

        A header can be stored as JSON: parse(list(header.names)) returns the same header.
        """
        header = cls(tuple(names), tuple(BY_SPELLING.get(fold_header(name)) for name in names))
        return header, _problems(header)

    @property
    def known(self) -> frozenset[str]:
        """The names of the columns that are used."""
        return frozenset(column.name for column in self.columns if column)

    @property
    def ignored(self) -> tuple[str, ...]:
        """The names, as sent, of columns that are not read and not ignored on purpose."""
        pairs = zip(self.names, self.columns, strict=True)
        ignored = [name for name, column in pairs if column is None]
        return tuple(name for name in ignored if fold_header(name)[:1] not in ("", "_"))

    @property
    def unnamed_columns(self) -> tuple[int, ...]:
        """The indexes of cells without a name."""
        return tuple(index for index, name in enumerate(self.names) if not fold_header(name))


def without_underscores(name: str) -> str:
    """Return a folded name without underscores: sourcedId and SOURCED_ID are the same."""
    return fold_header(name).replace("_", "")


def looks_like_header(names: Sequence[str]) -> bool:
    """Return whether a cell names an identifying column, or half of the cells name columns.

    Names that other products use count too. One other name is not enough: in a file without a
    header a value such as the state MI can be a column name by chance.
    """
    columns = [_intended_column(name) for name in names if fold_header(name)]
    known = [column for column in columns if column]
    if not IDENTIFYING_COLUMNS.isdisjoint(known):
        return True
    return bool(known) and 2 * len(known) >= len(columns)


def _intended_column(name: str) -> str | None:
    """Return the column, of student files or of staff files, that a header cell names."""
    folded = fold_header(name)
    if folded in BY_SPELLING:
        return BY_SPELLING[folded].name
    if folded in _STAFF_COLUMNS:
        return folded
    return FOREIGN_COLUMN_NAMES.get(without_underscores(name))


def _problems(header: Header) -> list[Problem]:
    if not looks_like_header(header.names):
        return [Problem("header_not_found", 1)]
    return [*_unusable(header), *_duplicates(header), *_ignored(header), *_folded(header)]


def _unusable(header: Header) -> list[Problem]:
    renames = _renames(header)
    if _KEY in renames.values():
        return [Problem("key_column_renamed", 1, _KEY, hint=_rename_hint(renames))]
    if _looks_like_staff_file(header):
        return [Problem("wrong_file_type", 1)]
    if any(keys <= header.known for keys in IDENTIFYING_COLUMN_SETS):
        return []
    return [Problem("missing_column", 1, hint=_rename_hint(renames))]


def _rename_hint(renames: Mapping[str, str]) -> str:
    if not renames:
        return ""
    pairs = [f"{printable_excerpt(old)} to {new}" for old, new in renames.items()]
    return f"rename {' and '.join(pairs)}"


def _renames(header: Header) -> dict[str, str]:
    """Return ignored names and the missing columns that they probably name, each column once."""
    renames: dict[str, str] = {}
    for name in sorted(_unknown(header), key=_key_column_rank):
        column = FOREIGN_COLUMN_NAMES.get(without_underscores(name)) or _closest_column(name)
        if column and column not in header.known and column not in renames.values():
            renames[name] = column
    return renames


def _key_column_rank(name: str) -> int:
    """Return the position among the foreign names of STUDENT_ID; all other names come last."""
    key = without_underscores(name)
    if key in _FOREIGN_KEY_COLUMNS:
        return _FOREIGN_KEY_COLUMNS.index(key)
    return len(_FOREIGN_KEY_COLUMNS)


def _closest_column(name: str) -> str | None:
    folded = fold_header(name)
    max_distance = 2 if len(folded) > 5 else 1
    spelling = closest_match(folded, BY_SPELLING, within=max_distance)
    return BY_SPELLING[spelling].name if spelling else None


def _looks_like_staff_file(header: Header) -> bool:
    """Return whether it has a column of staff files, and none that only student files have."""
    folded = {fold_header(name) for name in header.names}
    return bool(folded & _STAFF_COLUMNS) and header.known <= _SHARED_WITH_STAFF


def _unknown(header: Header) -> list[str]:
    """Return the names that are not recognized, without those that are ignored silently."""
    pairs = zip(header.names, header.columns, strict=True)
    ignored = [name for name, column in pairs if column is None]
    return [name for name in ignored if fold_header(name)[:1] not in ("", "_")]


def _duplicates(header: Header) -> list[Problem]:
    names = Counter(column.name for column in header.columns if column)
    names.update(map(fold_header, _unknown(header)))
    return [_duplicate(name) for name, count in names.items() if count > 1]


def _duplicate(name: str) -> Problem:
    column = name if name in BY_NAME else None
    return Problem("duplicate_column", 1, column, printable_excerpt(name))


def _ignored(header: Header) -> list[Problem]:
    renames = _renames(header)
    problems: list[Problem] = []
    for name in dict.fromkeys(_unknown(header)):
        hint = f"if you mean {renames[name]}, rename it" if name in renames else ""
        problems.append(Problem("unknown_column", 1, found=printable_excerpt(name), hint=hint))
    return problems


def _folded(header: Header) -> list[Problem]:
    for name, column in zip(header.names, header.columns, strict=True):
        if column and name.strip() not in (column.name, *column.aliases):
            return [Problem("folded_header", 1)]
    return []
