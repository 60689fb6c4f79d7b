"""Group the columns of the student file in sections, and name columns and values for people."""

from collections.abc import Mapping
from dataclasses import dataclass

from rollbook.studentfile.columns import BY_NAME, CONFIDENTIAL, Column
from rollbook.studentfile.values.choices import RACES
from rollbook.studentfile.values.free_text import split_list


@dataclass(frozen=True)
class Section:
    """Columns that belong together."""

    title: str
    columns: tuple[Column, ...]

    @property
    def is_confidential(self) -> bool:
        """Whether all its columns are shown only on request."""
        return all(column.name in CONFIDENTIAL for column in self.columns)


def _section(title: str, *names: str) -> Section:
    return Section(title, tuple(BY_NAME[name] for name in names))


SECTIONS = (
    _section(
        "Profile",
        "STUDENT_ID",
        "USERNAME",
        "PASSWORD",
        "FIRST_NAME",
        "LAST_NAME",
        "MIDDLE_INITIAL",
        "DOB",
        "GENDER",
    ),
    _section("School and groups", "SCHOOL_ID", "GRADE", "GROUPS", "STAFF", "STATUS"),
    _section(
        "Confidential information",
        "ELL",
        "SPECIAL_ED",
        "TITLE_1",
        "MIGRANT",
        "RACE",
        "CLASSIFICATIONS",
    ),
    _section(
        "Parents and notes",
        "PARENT_EMAIL_1",
        "PARENT_EMAIL_2",
        "ADDITIONAL_INFO_1",
        "ADDITIONAL_INFO_2",
        "ADDITIONAL_INFO_3",
    ),
)
"""The sections of a student's page and form; every column is in exactly one."""


_LABELS: Mapping[str, str] = {
    "STUDENT_ID": "Student ID",
    "SCHOOL_ID": "School",
    "DOB": "Birth date",
    "ELL": "English learner",
    "SPECIAL_ED": "Special education",
    "TITLE_1": "Title I",
    "PARENT_EMAIL_1": "Parent email 1",
    "PARENT_EMAIL_2": "Parent email 2",
    "ADDITIONAL_INFO_1": "Note 1",
    "ADDITIONAL_INFO_2": "Note 2",
    "ADDITIONAL_INFO_3": "Note 3",
}
_FLAGS: Mapping[str, str] = {"y": "yes", "n": "no"}
_WORDS: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys(("ELL", "SPECIAL_ED", "TITLE_1", "MIGRANT"), _FLAGS),
    "GENDER": {"f": "female", "m": "male", "x": "nonbinary"},
    "RACE": {code: name for name, code in RACES.items()},
    "GRADE": {
        "pk": "pre-kindergarten",
        "k": "kindergarten",
        "t1": "transitional first grade",
        "ug": "ungraded",
    },
}


def label(name: str) -> str:
    """Return the column's name for people: ``First name`` for ``FIRST_NAME``."""
    return _LABELS.get(name) or name.replace("_", " ").capitalize()


def display_value(name: str, value: str) -> str:
    """Return a value of the student file as people read it.

    ``y`` becomes ``yes``; the items of a list are separated by commas.
    """
    if not value or name not in BY_NAME:
        return value
    column = BY_NAME[name]
    if column.is_list:
        return ", ".join(split_list(value))
    return _WORDS.get(name, {}).get(value) or column.format(value)
