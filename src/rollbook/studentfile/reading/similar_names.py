"""Find the column that a name means which is neither a column name nor an alias."""

import re
from collections.abc import Mapping
from functools import lru_cache

from rollbook.studentfile.columns import BY_SPELLING, COLUMNS, fold_header
from rollbook.studentfile.spelling import closest_match, edit_distance

KEY = "STUDENT_ID"

_PREFERRED_KEYS = ("SISID", "STUDENTNUMBER", "LOCALID", "SOURCEDID")
_KEY_PREFIXES = (
    *("STUDENT", "STU", "STUD", "PUPIL", "LEARNER", "CHILD"),
    *("SIS", "LOCAL", "PERM", "PERMANENT", "OTHER", "SOURCED", "EXTERNAL", "UNIQUE", "PERSON"),
    *("STUDENTSIS", "STUDENTLOCAL", "STUDENTPERM", "STUDENTUNIQUE", "STUDENTPERSON"),
    *("LOCALSTUDENT", "DISTRICTSTUDENT", "STUDENTDISTRICT", "STUDENTSTUDENT"),
    *("STATE", "STATESTUDENT", "STUDENTSTATE", "STATEWIDESTUDENT", "STUDENTS", "NAME"),
    *("POWERSCHOOL", "SKYWARD", "AERIES", "SYNERGY", "CLEVER", "ADMISSION"),
)
_KEY_SUFFIXES = ("ID", "IDS", "NUMBER", "NUM", "NO", "NBR", "IDNUMBER", "IDNUM", "IDNO")
_OTHER_KEYS = (
    *("ID", "IDNUMBER", "IDNUM", "IDNO", "IDENTIFIER", "STUDENTIDENTIFIER", "PUPILIDENTIFIER"),
    *("STUDENTCODE", "STUDENTKEY", "STUDENTGUID", "SSID", "SASID", "LASID", "DCID", "UPN"),
)
_NOT_KEYS = frozenset(
    {"NAMENUMBER", "NAMENUM", "NAMENO", "OTHERNUMBER", "OTHERNUM", "LOCALNUMBER", "PERSONNO"}
)
_KEYS = frozenset(_OTHER_KEYS).union(
    f"{prefix}{suffix}" for prefix in _KEY_PREFIXES for suffix in _KEY_SUFFIXES
)
_COLUMNS_OF_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "SCHOOL_ID": (
        *("SCHOOLSOURCEDID", "ORGSOURCEDID", "ORGANIZATIONID", "ORGID", "SCHOOLNO", "SCHOOLNUM"),
        *("SCHOOLNBR", "SCHOOLCD", "SCHID", "SCHCODE", "SCHNO", "SCHOOLIDENTIFIER"),
        *("BUILDINGID", "BUILDINGCODE", "CAMPUSID", "CAMPUSCODE", "SITEID", "SITECODE"),
        *("ENTITYID", "SCHOOLIDNUMBER", "STUDENTSCHOOLID", "CURRENTSCHOOLID"),
    ),
    "ELL": ("EL",),
    "SPECIAL_ED": ("IEP",),
    "FIRST_NAME": ("FIRST", "FNAME", "FORENAME", "FIRSTNM", "GIVENNAMES", "LEGALFIRSTNAME"),
    "LAST_NAME": ("LAST", "LNAME", "LASTNM", "LEGALLASTNAME", "LASTSURNAME"),
    "DOB": ("BIRTHDAY", "BIRTHDT", "BDATE", "DATEBIRTH", "DATEOFBRTH", "DTOFBIRTH"),
    "GRADE": (
        *("GRADELVL", "GRADECODE", "GRADELEVELCODE", "YEARLEVEL", "CURRENTGRADE"),
        "CURRENTGRADELEVEL",
    ),
}
_OTHER_ENTITIES = frozenset(
    (
        *("SCHOOL", "SITE", "CAMPUS", "BUILDING", "ORG", "ORGANIZATION", "DISTRICT", "ENTITY"),
        *("TEACHER", "STAFF", "EMPLOYEE", "COUNSELOR", "ADVISOR", "PRINCIPAL", "USER", "LOGIN"),
        *("FAMILY", "PARENT", "GUARDIAN", "CONTACT", "HOUSEHOLD", "MOTHER", "FATHER", "SIBLING"),
        *("HOMEROOM", "ROOM", "CLASS", "COURSE", "SECTION", "TEAM", "HOUSE", "GROUP", "PROGRAM"),
        *("CALENDAR", "TERM", "YEAR", "SCHEDULE", "PERIOD", "GRADE", "TRACK", "ENROLLMENT"),
        *("BUS", "ROUTE", "STOP", "LUNCH", "MEAL", "LOCKER", "PHOTO", "ADDRESS", "LANGUAGE"),
        *("GOOGLE", "NETWORK", "EMAIL", "DEVICE", "ROW", "RECORD", "BATCH", "STATUS", "DOCUMENT"),
    )
)
"""What an ID can be of if it's not the student's."""
OTHER_NAMES: Mapping[str, str] = {
    **{name: column for column, names in _COLUMNS_OF_OTHER_NAMES.items() for name in names},
    **dict.fromkeys(_KEYS - _NOT_KEYS, KEY),
}
"""Names, folded, that mean our columns in some systems and can mean something else in others.

They are not used silently: the file is refused unless another column has the value.
"""
POSSIBLE_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("ESL", "ELSTATUS", "LEPSTATUS"), "ELL"),
    **dict.fromkeys(("SPECIALEDSTATUS", "SPEDSTATUS"), "SPECIAL_ED"),
    **dict.fromkeys(("LOGIN", "LOGINID", "LOGINNAME", "USERID", "USERLOGIN"), "USERNAME"),
    **dict.fromkeys(("ENROLLSTATUS", "ENROLLMENTSTATUS", "STUDENTSTATUS"), "STATUS"),
    **dict.fromkeys(("GUARDIANEMAIL", "PARENTGUARDIANEMAIL"), "PARENT_EMAIL_1"),
    **dict.fromkeys(("RACECODE", "ETHNICCODE", "ETHNICITYCODE"), "RACE"),
    "GENDERCODE": "GENDER",
    "SCHOOL": "SCHOOL_ID",
}
"""Names, folded, for which a column is only suggested: many files have other values there."""

_SPELLINGS = tuple(
    fold_header(name) for column in COLUMNS for name in (column.name, *column.aliases)
)
_MAX_NAME_LENGTH = 64
_CACHED_NAMES = 2_000
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_STUDENT = re.compile("^(?:STUDENTS?|STU)")
_DOUBLED = re.compile(r"(.)\1")
_NOTE = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
_MIN_LENGTH, _MIN_LENGTH_OF_ANY_EDIT, _MIN_LENGTH_OF_TWO_EDITS = 4, 7, 12


def intended_column(name: str) -> str | None:
    """Return the column that a name certainly means, although it is not its name or alias."""
    return _intended_column(name) if len(name) <= _MAX_NAME_LENGTH else None


@lru_cache(maxsize=_CACHED_NAMES)
def _intended_column(name: str) -> str | None:
    for variant in (name, name.replace("#", " Number "), _NOTE.sub("", name)):
        folded = fold_header(variant)
        if variant != name and folded in BY_SPELLING:
            return BY_SPELLING[folded].name
        if column := OTHER_NAMES.get(folded, OTHER_NAMES.get(_STUDENT.sub("", folded))):
            return column
    if column := _misspelled_column(name):
        return column
    return KEY if _is_id_of_unknown_kind(name) else None


def _is_id_of_unknown_kind(name: str) -> bool:
    """Return whether it's an ID, and not known to be that of a family, a teacher or the like."""
    words = _words(name)
    return len(words) == 2 and words[1] == "ID" and words[0] not in _OTHER_ENTITIES


def suggested_column(name: str) -> str | None:
    """Return the column that a name possibly means."""
    return _suggested_column(name) if len(name) <= _MAX_NAME_LENGTH else None


@lru_cache(maxsize=_CACHED_NAMES)
def _suggested_column(name: str) -> str | None:
    folded = fold_header(name)
    if folded in POSSIBLE_NAMES:
        return POSSIBLE_NAMES[folded]
    spelling = closest_match(folded, _SPELLINGS, within=2 if len(folded) > 5 else 1)
    return BY_SPELLING[spelling].name if spelling else None


def key_rank(name: str) -> int:
    """Return the position of a name among those of student IDs; IDs of the state come last."""
    folded = fold_header(name)
    if folded in _PREFERRED_KEYS:
        return _PREFERRED_KEYS.index(folded)
    is_of_state = "STATE" in folded or folded in ("SSID", "SASID", "DCID")
    return len(_PREFERRED_KEYS) + is_of_state


def _words(name: str) -> tuple[str, ...]:
    return tuple(word.upper() for word in _WORD.findall(name))


_TARGETS: tuple[tuple[tuple[str, ...], str], ...] = tuple(
    (_words(name), column.name)
    for column in COLUMNS
    for name in (column.name, *column.aliases)
    if name == column.name or len(fold_header(name)) >= _MIN_LENGTH_OF_ANY_EDIT
)
"""The words of the names that can be misspelled, with their columns."""


def _misspelled_column(name: str) -> str | None:
    words = _words(name)
    for target, column in _TARGETS:
        if words and words[0][0] == target[0][0] and _is_misspelling(words, target):
            return column
    return None


def _is_misspelling(words: tuple[str, ...], target: tuple[str, ...]) -> bool:
    """Return whether a name differs from another by typing errors only.

    Numbers must be equal, so that PARENT_EMAIL_3 is not PARENT_EMAIL_1. A name of several words
    is compared word by word, so that BIRTH_STATE is not BIRTHDATE and STUDENT_AID not STUDENT_ID.
    """
    if list(filter(str.isdigit, words)) != list(filter(str.isdigit, target)):
        return False
    if len(words) == len(target) > 1:
        edits = [_edits_of_word(*pair) for pair in zip(words, target, strict=True)]
        return max(edits) <= 1
    return _is_one_word_misspelled("".join(words), "".join(target))


def _edits_of_word(word: str, target: str) -> int:
    """Return the number of edits, at most 2; in a short word only an S or a doubled letter."""
    if word == target:
        return 0
    if word == f"{target}S" or _DOUBLED.sub(r"\1", word) == target:
        return 1
    if len(target) < _MIN_LENGTH or abs(len(word) - len(target)) > 1:
        return 2
    return min(edit_distance(word, target), 2)


def _is_one_word_misspelled(word: str, target: str) -> bool:
    length = len(target)
    if min(len(word), length) < _MIN_LENGTH or abs(len(word) - length) > 2:
        return False
    distance = edit_distance(word, target)
    if length < _MIN_LENGTH_OF_ANY_EDIT:
        # GRACE and RATE are words; GRAD and GRDAE are not.
        is_replaced = len(word) == length and sorted(word) != sorted(target)
        return distance == 1 and not is_replaced
    return 0 < distance <= (2 if length >= _MIN_LENGTH_OF_TWO_EDITS else 1)
