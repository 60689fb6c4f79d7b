"""One Column object for each column of the student file: name, aliases, rule, documentation."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rollbook.studentfile.values import birth_dates, choices, free_text, identifiers, names
from rollbook.studentfile.values.text_checks import TRIMMED_CHARACTERS, RuleResult

CLEAR = "<clear>"
"""What a cell says to empty an optional field, in any case."""

REQUIRED, OPTIONAL = "required", "optional"
_SEPARATORS = re.compile(r"[\s_-]+")


def _as_is(canonical: str) -> str:
    return canonical


@dataclass(frozen=True, slots=True)
class Column:
    """What one column may say.

    `rule` takes the trimmed text of a cell that is not blank and answers the canonical value, a Fault, or a Noted
    value. `values` and `adding` are its documentation: which values it takes, and what a new student needs. `secret`
    values are never quoted. `repetitive` values are worth remembering while a file is checked. `show` writes a
    canonical value the way an export does.
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

    @property
    def required_to_add(self) -> bool:
        return self.adding == REQUIRED


_NAME = "1 to 100 characters of any script; with the other name and DOB unique in the district"
_FLAG = "`y` or `n`; also yes/no, true/false, 1/0"
_INFO = "free text, up to 255 characters"

COLUMNS: tuple[Column, ...] = (
    Column(
        "STUDENT_ID",
        identifiers.student_id,
        "1 to 32 of A-Z a-z 0-9 `.` `_` `-`; capitals and leading zeros matter; unique in the district",
        repetitive=False,
    ),
    Column(
        "USERNAME",
        identifiers.username,
        "2 to 64 characters without blanks; kept and compared in lower case; unique in the district",
        adding="made if absent",
        repetitive=False,
    ),
    Column(
        "PASSWORD",
        identifiers.password,
        "4 to 64 characters; capitals do not matter; not the username or student ID of the same row; never shown again",
        adding="made if absent",
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
        "GENDER", choices.gender, "`f`, `m` or `x`; also female, male, nonbinary", adding=REQUIRED
    ),
    Column(
        "GRADE",
        choices.grade,
        "`pk` (prek, pre-k, -1), `k` (kg, 0), `1` to `12` (01, 4th, 4.0), `adult`",
        adding=REQUIRED,
    ),
    Column(
        "SCHOOL_ID",
        identifiers.school_id,
        "the organization ID of a school of the district; another one than before transfers the student",
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
    ),
    Column(
        "CLASSIFICATIONS",
        free_text.list_of(choices.classification),
        "any of the names listed below, joined by `&`",
        clearable=True,
        is_list=True,
    ),
    Column(
        "PARENT_EMAIL_1", free_text.email, "one e-mail address", clearable=True, repetitive=False
    ),
    Column(
        "PARENT_EMAIL_2", free_text.email, "one e-mail address", clearable=True, repetitive=False
    ),
    Column("ADDITIONAL_INFO_1", free_text.free_text, _INFO, clearable=True),
    Column("ADDITIONAL_INFO_2", free_text.free_text, _INFO, clearable=True),
    Column("ADDITIONAL_INFO_3", free_text.free_text, _INFO, clearable=True),
    Column(
        "GROUPS",
        free_text.list_of(free_text.group_name),
        "names of groups at the student's school, each up to 100 characters, joined by `&`; a new one is made",
        aliases=("GROUP",),
        adding="the Default group if absent",
        clearable=True,
        is_list=True,
    ),
    Column(
        "STAFF",
        free_text.list_of(free_text.email),
        "login e-mails of members, joined by `&`; an unknown one is left out with a warning",
        clearable=True,
        is_list=True,
    ),
    Column(
        "STATUS",
        choices.status,
        "`active` or `inactive`; a leaver is deactivated, never deleted",
        adding="active if absent",
    ),
)
"""In the documented order."""

BY_NAME: Mapping[str, Column] = MappingProxyType({column.name: column for column in COLUMNS})
BY_SPELLING: Mapping[str, Column] = MappingProxyType(
    {spelling: column for column in COLUMNS for spelling in (column.name, *column.aliases)}
)
"""Columns by their names and aliases, as fold_header() writes them."""
REQUIRED_TO_ADD: tuple[str, ...] = tuple(
    column.name for column in COLUMNS if column.required_to_add
)


def fold_header(name: str) -> str:
    """A header cell the way columns are named: upper case, blanks and hyphens as _, without marks and quotes around."""
    visible = name.strip(TRIMMED_CHARACTERS + "\t\"'")
    return _SEPARATORS.sub("_", visible).rstrip("_").upper()
