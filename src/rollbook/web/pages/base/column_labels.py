"""The columns of the student file as people look at them: in sections, with their own words for names and values."""

from collections.abc import Mapping
from dataclasses import dataclass

from rollbook.studentfile.columns import BY_NAME, Column
from rollbook.studentfile.values.choices import RACES


@dataclass(frozen=True)
class Section:
    """Columns that belong together. ``sensitive`` ones are shown only to whoever asks for them."""

    title: str
    columns: tuple[Column, ...]
    sensitive: bool = False


def _section(title: str, *names: str, sensitive: bool = False) -> Section:
    return Section(title, tuple(BY_NAME[name] for name in names), sensitive)


SECTIONS = (
    _section(
        "Who it is",
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
        "Programs",
        "ELL",
        "SPECIAL_ED",
        "TITLE_1",
        "MIGRANT",
        "RACE",
        "CLASSIFICATIONS",
        sensitive=True,
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
"""Every column is in one of them."""

SENSITIVE = frozenset(
    column.name for section in SECTIONS if section.sensitive for column in section.columns
) | {"DOB"}
"""Columns whose values are never open at first."""

_LABELS: Mapping[str, str] = {
    "STUDENT_ID": "Student ID",
    "SCHOOL_ID": "School",
    "DOB": "Birth date",
    "ELL": "English learner",
    "SPECIAL_ED": "Special education",
    "TITLE_1": "Title I",
    "PARENT_EMAIL_1": "E-mail of a parent",
    "PARENT_EMAIL_2": "E-mail of another parent",
    "ADDITIONAL_INFO_1": "Note 1",
    "ADDITIONAL_INFO_2": "Note 2",
    "ADDITIONAL_INFO_3": "Note 3",
}
_FLAGS: Mapping[str, str] = {"y": "yes", "n": "no"}
_WORDS: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys(("ELL", "SPECIAL_ED", "TITLE_1", "MIGRANT"), _FLAGS),
    "GENDER": {"f": "female", "m": "male", "x": "nonbinary"},
    "RACE": {code: name for name, code in RACES.items()},
    "GRADE": {"pk": "pre-kindergarten", "k": "kindergarten"},
}


def label(name: str) -> str:
    """What people call the column: ``First name``."""
    return _LABELS.get(name) or name.replace("_", " ").capitalize()


def shown(name: str, value: str) -> str:
    """What people read where the student file has this value: ``yes`` for ``y``, names with commas between them."""
    if not value or name not in BY_NAME:
        return value
    column = BY_NAME[name]
    if column.is_list:
        return ", ".join(value.split("&"))
    return _WORDS.get(name, {}).get(value) or column.format(value)
