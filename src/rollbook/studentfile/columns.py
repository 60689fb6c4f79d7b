"""The columns of the student file: name, aliases, rule and documentation of each."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from unicodedata import normalize

from rollbook.studentfile.values import birth_dates, choices, free_text, identifiers, names
from rollbook.studentfile.values.text_checks import TRIMMED_CHARACTERS, RuleResult

CLEAR = "<clear>"
"""The text that empties an optional field, in any case."""

REQUIRED, OPTIONAL = "required", "optional"
_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Za-z]+")
_AROUND_NAMES = TRIMMED_CHARACTERS + "\t\r\n\"'`\u201c\u201d\u2018\u2019[](){}<>"

NAMES_IN_OTHER_SYSTEMS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Aeries": {
            "StudentID": "STUDENT_ID",
            "SchoolCode": "SCHOOL_ID",
            "FirstName": "FIRST_NAME",
            "LastName": "LAST_NAME",
            "Birthdate": "DOB",
            "Sex": "GENDER",
            "Gender": "GENDER",
            "Grade": "GRADE",
            "Grd": "GRADE",
        },
        "Clever students.csv": {
            "Student_id": "STUDENT_ID",
            "School_id": "SCHOOL_ID",
            "First_name": "FIRST_NAME",
            "Last_name": "LAST_NAME",
            "DOB": "DOB",
            "Gender": "GENDER",
            "Grade": "GRADE",
            "Race": "RACE",
            "Ell_status": "ELL",
            "Iep_status": "SPECIAL_ED",
            "Username": "USERNAME",
            "Password": "PASSWORD",
        },
        "Infinite Campus": {
            "student.firstName": "FIRST_NAME",
            "student.lastName": "LAST_NAME",
            "student.birthdate": "DOB",
            "student.gender": "GENDER",
            "student.grade": "GRADE",
            "student.raceEthnicity": "RACE",
            "sch.number": "SCHOOL_ID",
        },
        "OneRoster 1.1 and 1.2 and School Data Sync v2.1 users.csv": {
            "sourcedId": "STUDENT_ID",
            "orgSourcedIds": "SCHOOL_ID",
            "primaryOrgSourcedId": "SCHOOL_ID",
            "username": "USERNAME",
            "password": "PASSWORD",
            "givenName": "FIRST_NAME",
            "familyName": "LAST_NAME",
            "grades": "GRADE",
            "status": "STATUS",
        },
        "OneRoster 1.1 and 1.2 demographics.csv": {
            "sourcedId": "STUDENT_ID",
            "birthDate": "DOB",
            "sex": "GENDER",
        },
        "PowerSchool": {
            "SchoolID": "SCHOOL_ID",
            "School_Number": "SCHOOL_ID",
            "First_Name": "FIRST_NAME",
            "Last_Name": "LAST_NAME",
            "DOB": "DOB",
            "Gender": "GENDER",
            "Grade_Level": "GRADE",
            "Ethnicity": "RACE",
        },
        "School Data Sync v1 student.csv": {
            "SIS ID": "STUDENT_ID",
            "School SIS ID": "SCHOOL_ID",
            "Username": "USERNAME",
            "Password": "PASSWORD",
            "First Name": "FIRST_NAME",
            "Last Name": "LAST_NAME",
            "Grade": "GRADE",
            "Status": "STATUS",
            "Birthdate": "DOB",
        },
    }
)
"""What other systems call our columns in the files they write, from their public documentation.

A name is listed only if it has one meaning in all of them. The names that can have another
meaning elsewhere, in particular those of student IDs, are in KEYS_OF_EXCHANGE_FILES or in
``reading/similar_names.py``.
"""

KEYS_OF_EXCHANGE_FILES: tuple[tuple[str, frozenset[str]], ...] = (
    ("SISID", frozenset({"SCHOOLSISID", "GRADE"})),
    ("SISID", frozenset({"SCHOOLSISID", "BIRTHDATE"})),
    ("SISID", frozenset({"SCHOOLSISID", "STUDENTNUMBER"})),
    ("SISID", frozenset({"SCHOOLSISID", "GRADUATIONYEAR"})),
    ("SOURCEDID", frozenset({"GIVENNAME", "FAMILYNAME", "USERNAME"})),
    ("SOURCEDID", frozenset({"BIRTHDATE", "SEX"})),
)
"""Names of STUDENT_ID in exchange files, and columns that such a file has, all folded.

Elsewhere the name can mean another ID, so it is STUDENT_ID only beside all these columns.
"""

COLUMNS_NAMED_WITH_STUDENT = (
    "USERNAME",
    "PASSWORD",
    "FIRST_NAME",
    "LAST_NAME",
    "MIDDLE_INITIAL",
    "DOB",
    "GENDER",
    "GRADE",
    "RACE",
)
"""Columns whose names can follow Student or Stu, as in Stu First Name and student.grade."""
_NEVER_WITH_STUDENT = frozenset({"grades"})  # the marks of a student

_KEYS = frozenset(name for name, _ in KEYS_OF_EXCHANGE_FILES)


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
        aliases: Other names, as their sources write them.
        adding: Documentation: whether a new student needs it, or what is used if it is absent.
        clearable: Whether ``<clear>`` empties the field.
        secret: Whether values are never quoted.
        is_list: Whether a cell contains several values.
        repetitive: Whether the results of its rule are worth caching while a file is checked.
        plain: A form of texts that the rule returns as they are, for columns whose values don't
            repeat: recognizing it takes less time than the rule.
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
    plain: re.Pattern[str] | None = None
    format: Callable[[str], str] = _as_is
    noun: str = "value"

    @property
    def required_to_add(self) -> bool:
        """Whether a new student needs a value."""
        return self.adding == REQUIRED

    @property
    def is_optional(self) -> bool:
        """Whether a value that can't be used is left out instead of rejecting the row."""
        return self.clearable or self.name == "STATUS"


def fold_header(name: str) -> str:
    """Return a header cell in the form in which column names are compared.

    Everything but letters, digits and a leading underscore is dropped: `Student ID`, `studentId`,
    ``[STUDENT_ID]`` and ``"Student.ID"`` are the same name. The result is in upper case.
    """
    if name.isascii():
        visible = name.strip(_AROUND_NAMES)
        folded = _NOT_ALPHANUMERIC.sub("", visible).upper()
    else:
        visible = normalize("NFKC", name).strip(_AROUND_NAMES)
        folded = "".join(filter(str.isalnum, visible)).upper()
    return "_" + folded if visible.startswith("_") else folded


def is_nameless(name: str) -> bool:
    """Return whether a header cell is blank."""
    return not name.strip(_AROUND_NAMES)


def _aliases(column: str, *own: str) -> tuple[str, ...]:
    """Return our aliases of a column and those from other systems, each once.

    Names that begin with ``student.`` are found in BY_SPELLING without being aliases.
    """
    vendors = [
        name
        for names in NAMES_IN_OTHER_SYSTEMS.values()
        for name, meaning in names.items()
        if meaning == column and fold_header(name) not in _KEYS and "student." not in name
    ]
    distinct = {fold_header(column): column}
    for name in (*own, *vendors):
        distinct.setdefault(fold_header(name), name)
    return tuple(distinct.values())[1:]


_NAME = "1 to 100 characters in any script; `-` if the student has only one name"
_FLAG = "`y` or `n`; also yes/no, true/false, t/f, 1/0"
_INFO = "free text, up to 255 characters; line breaks become spaces"

COLUMNS: tuple[Column, ...] = (
    Column(
        "STUDENT_ID",
        identifiers.student_id,
        "1 to 64 of A-Z a-z 0-9 `.` `_` `-`; case and leading zeros matter; unique in the district",
        repetitive=False,
        plain=identifiers.PLAIN_ID,
    ),
    Column(
        "USERNAME",
        identifiers.username,
        "2 to 64 characters without spaces; stored in lower case; unique in the district",
        adding="generated if absent",
        repetitive=False,
        plain=identifiers.PLAIN_USERNAME,
    ),
    Column(
        "PASSWORD",
        identifiers.password,
        "4 to 64 characters; case doesn't matter; not the username or student ID in the same row; "
        "never shown again",
        adding="generated if absent",
        secret=True,
        repetitive=False,
        plain=identifiers.PLAIN_PASSWORD,
    ),
    Column("FIRST_NAME", names.name, _NAME, aliases=_aliases("FIRST_NAME"), adding=REQUIRED),
    Column(
        "LAST_NAME", names.name, _NAME, aliases=_aliases("LAST_NAME", "SURNAME"), adding=REQUIRED
    ),
    Column("MIDDLE_INITIAL", names.middle_initial, "one letter", aliases=("MI",), clearable=True),
    Column(
        "DOB",
        birth_dates.birth_date,
        "`mm/dd/yyyy`, `m/d/yyyy`, `yyyy-mm-dd`, or another form that can be read only one way, "
        "such as `5-Mar-2012`; a real date, not in the future",
        aliases=_aliases("DOB", "DATE_OF_BIRTH", "BIRTHDATE"),
        adding=REQUIRED,
        format=birth_dates.to_us_format,
    ),
    Column(
        "GENDER",
        choices.gender,
        "`f`, `m` or `x`; also female, male, nonbinary",
        aliases=_aliases("GENDER"),
        adding=REQUIRED,
        noun="gender",
    ),
    Column(
        "GRADE",
        choices.grade,
        "`pk`, `k`, `t1`, `1` to `13`, `ug`, `adult`, and the spellings listed below",
        aliases=_aliases("GRADE"),
        adding=REQUIRED,
        noun="grade",
    ),
    Column(
        "SCHOOL_ID",
        identifiers.school_id,
        "the School ID of a school in the district, written like a student ID; a different one "
        "transfers the student",
        aliases=_aliases("SCHOOL_ID"),
        adding=REQUIRED,
    ),
    Column(
        "ELL",
        choices.flag,
        _FLAG,
        aliases=_aliases("ELL", "LEP", "ENGLISH_LEARNER"),
        adding=REQUIRED,
    ),
    Column(
        "SPECIAL_ED",
        choices.flag,
        _FLAG,
        aliases=_aliases("SPECIAL_ED", "SPECIAL_EDUCATION", "SPED"),
        adding=REQUIRED,
    ),
    Column("TITLE_1", choices.flag, _FLAG, aliases=("TITLE_I",), clearable=True),
    Column("MIGRANT", choices.flag, _FLAG, clearable=True),
    Column(
        "RACE",
        choices.race,
        "exactly one of the codes or names listed below",
        aliases=_aliases("RACE", "ETHNICITY", "RACE_ETHNICITY"),
        clearable=True,
        noun="race",
    ),
    Column(
        "CLASSIFICATIONS",
        free_text.list_of(choices.classification, choices.CLASSIFICATION_HINT),
        "any of the names listed below, joined by `&`",
        clearable=True,
        is_list=True,
        noun="classification",
    ),
    Column(
        "PARENT_EMAIL_1",
        free_text.email,
        "one email address",
        aliases=("PARENT_EMAIL",),
        clearable=True,
        repetitive=False,
        plain=free_text.PLAIN_EMAIL,
    ),
    Column(
        "PARENT_EMAIL_2",
        free_text.email,
        "one email address",
        clearable=True,
        repetitive=False,
        plain=free_text.PLAIN_EMAIL,
    ),
    Column(
        "ADDITIONAL_INFO_1",
        free_text.free_text,
        _INFO,
        aliases=("ADDITIONAL_INFO",),
        clearable=True,
    ),
    Column("ADDITIONAL_INFO_2", free_text.free_text, _INFO, clearable=True),
    Column("ADDITIONAL_INFO_3", free_text.free_text, _INFO, clearable=True),
    Column(
        "GROUPS",
        free_text.list_of(free_text.group_name, "use names of groups, joined by &"),
        "names of groups at the student's school, up to 100 characters each, joined by `&`; write "
        "`&&` for an `&` in a name; groups that don't exist are added",
        aliases=("GROUP",),
        adding="the Default group if absent",
        clearable=True,
        is_list=True,
    ),
    Column(
        "STAFF",
        free_text.list_of(free_text.email, "enter email addresses, joined by &", ";|,"),
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
OWN_NAMES: Mapping[str, Column] = MappingProxyType(
    {fold_header(column.name): column for column in COLUMNS}
)
"""Columns by their documented names, as fold_header() returns them."""
_WITH_STUDENT = {
    f"{prefix}{fold_header(name)}": column
    for column in COLUMNS
    if column.name in COLUMNS_NAMED_WITH_STUDENT
    for name in (column.name, *column.aliases)
    if name not in _NEVER_WITH_STUDENT
    for prefix in ("STUDENTS", "STUDENT", "STU")
}
BY_SPELLING: Mapping[str, Column] = MappingProxyType(
    _WITH_STUDENT
    | {fold_header(alias): column for column in COLUMNS for alias in column.aliases}
    | dict(OWN_NAMES)
)
"""Columns by their names and aliases, as fold_header() returns them."""
EXACT_NAMES = frozenset(BY_NAME).union(
    *(column.aliases for column in COLUMNS), *NAMES_IN_OTHER_SYSTEMS.values()
)
"""All documented names as they are documented."""
REQUIRED_TO_ADD: tuple[str, ...] = tuple(
    column.name for column in COLUMNS if column.required_to_add
)
"""Names of the columns that a new student needs."""

CONFIDENTIAL: frozenset[str] = frozenset(
    {"DOB", "ELL", "SPECIAL_ED", "TITLE_1", "MIGRANT", "RACE", "CLASSIFICATIONS"}
)
"""Names of the columns that are shown only on request, with a permission of their own."""
