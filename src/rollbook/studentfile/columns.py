"""The columns of the student file: name, aliases, rule and documentation of each."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rollbook.studentfile.values import birth_dates, choices, free_text, identifiers, names
from rollbook.studentfile.values.text_checks import TRIMMED_CHARACTERS, RuleResult

CLEAR = "<clear>"
"""The text that empties an optional field, in any case."""

REQUIRED, OPTIONAL = "required", "optional"
_SEPARATORS = re.compile(r"[\s_-]+")


def _as_is(canonical: str) -> str:
    return canonical


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the student file.

    Attributes:
        name: Its documented name.
        rule: Takes the trimmed text of a cell that is not blank, and returns the canonical value,
            an InvalidValue or a ValueWithWarning.
        values: Documentation: the values that it accepts.
        aliases: Other names, as fold_header() returns them.
        adding: Documentation: whether a new student needs it, or what is used if it is absent.
        clearable: Whether ``<clear>`` empties the field.
        secret: Whether values are never quoted.
        is_list: Whether a cell contains several values.
        repetitive: Whether the results of its rule are worth caching while a file is checked.
        format: Returns a canonical value as exports write it.
        noun: What a message calls one of its values.
    """

    name: str
    rule: Callable[[str], RuleResult]
    values: str
    aliases: tuple[str, ...] = ()
    adding: str = OPTIONAL
    clearable: bool = False
    secret: bool = False
    is_list: bool = False
    repetitive: bool = True
    format: Callable[[str], str] = _as_is
    noun: str = "value"

    @property
    def required_to_add(self) -> bool:
        """Whether a new student needs a value."""
        return self.adding == REQUIRED


_NAME = "1 to 100 characters in any script; `-` if the student has only one name"
_FLAG = "`y` or `n`; also yes/no, true/false, 1/0"
_INFO = "free text, up to 255 characters"

COLUMNS: tuple[Column, ...] = (
    Column(
        "STUDENT_ID",
        identifiers.student_id,
        "1 to 32 of A-Z a-z 0-9 `.` `_` `-`; case and leading zeros matter; unique in the district",
        repetitive=False,
    ),
    Column(
        "USERNAME",
        identifiers.username,
        "2 to 64 characters without spaces; stored in lower case; unique in the district",
        adding="generated if absent",
        repetitive=False,
    ),
    Column(
        "PASSWORD",
        identifiers.password,
        "4 to 64 characters; case doesn't matter; not the username or student ID in the same row; "
        "never shown again",
        adding="generated if absent",
        secret=True,
        repetitive=False,
    ),
    Column("FIRST_NAME", names.name, _NAME, adding=REQUIRED),
    Column("LAST_NAME", names.name, _NAME, adding=REQUIRED),
    Column("MIDDLE_INITIAL", names.middle_initial, "one letter", aliases=("MI",), clearable=True),
    Column(
        "DOB",
        birth_dates.birth_date,
        "`mm/dd/yyyy`, `m/d/yyyy` or `yyyy-mm-dd`; a real date, not in the future",
        aliases=("DATE_OF_BIRTH", "BIRTHDATE"),
        adding=REQUIRED,
        format=birth_dates.to_us_format,
    ),
    Column(
        "GENDER",
        choices.gender,
        "`f`, `m` or `x`; also female, male, nonbinary",
        adding=REQUIRED,
        noun="gender",
    ),
    Column(
        "GRADE",
        choices.grade,
        "`pk` (prek, pre-k, -1), `k` (kg, 0), `1` to `12` (01, 4th, 4.0), `adult`",
        adding=REQUIRED,
        noun="grade",
    ),
    Column(
        "SCHOOL_ID",
        identifiers.school_id,
        "the School ID of a school in the district; a different one transfers the student",
        adding=REQUIRED,
    ),
    Column("ELL", choices.flag, _FLAG, adding=REQUIRED),
    Column("SPECIAL_ED", choices.flag, _FLAG, adding=REQUIRED),
    Column("TITLE_1", choices.flag, _FLAG, clearable=True),
    Column("MIGRANT", choices.flag, _FLAG, clearable=True),
    Column(
        "RACE",
        choices.race,
        "exactly one of the codes or names listed below",
        aliases=("ETHNICITY",),
        clearable=True,
        noun="race",
    ),
    Column(
        "CLASSIFICATIONS",
        free_text.list_of(choices.classification),
        "any of the names listed below, joined by `&`",
        clearable=True,
        is_list=True,
        noun="classification",
    ),
    Column(
        "PARENT_EMAIL_1", free_text.email, "one email address", clearable=True, repetitive=False
    ),
    Column(
        "PARENT_EMAIL_2", free_text.email, "one email address", clearable=True, repetitive=False
    ),
    Column("ADDITIONAL_INFO_1", free_text.free_text, _INFO, clearable=True),
    Column("ADDITIONAL_INFO_2", free_text.free_text, _INFO, clearable=True),
    Column("ADDITIONAL_INFO_3", free_text.free_text, _INFO, clearable=True),
    Column(
        "GROUPS",
        free_text.list_of(free_text.group_name),
        "names of groups at the student's school, up to 100 characters each, joined by `&`; "
        "groups that don't exist are added",
        aliases=("GROUP",),
        adding="the Default group if absent",
        clearable=True,
        is_list=True,
    ),
    Column(
        "STAFF",
        free_text.list_of(free_text.email),
        "emails of staff members, joined by `&`; unknown ones are ignored with a warning",
        clearable=True,
        is_list=True,
    ),
    Column(
        "STATUS",
        choices.status,
        "`active` or `inactive`; students who leave are deactivated, never deleted",
        adding="active if absent",
        noun="status",
    ),
)
"""All columns in the documented order."""

BY_NAME: Mapping[str, Column] = MappingProxyType({column.name: column for column in COLUMNS})
BY_SPELLING: Mapping[str, Column] = MappingProxyType(
    {spelling: column for column in COLUMNS for spelling in (column.name, *column.aliases)}
)
"""Columns by their names and aliases, as fold_header() returns them."""
REQUIRED_TO_ADD: tuple[str, ...] = tuple(
    column.name for column in COLUMNS if column.required_to_add
)
"""Names of the columns that a new student needs."""


def fold_header(name: str) -> str:
    """Return a header cell in the form of column names.

    The result is in upper case, with ``_`` for spaces and hyphens, and without invisible
    characters and quotes around it.
    """
    visible = name.strip(TRIMMED_CHARACTERS + "\t\"'")
    return _SEPARATORS.sub("_", visible).rstrip("_").upper()
