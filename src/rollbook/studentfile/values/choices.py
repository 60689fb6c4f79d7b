"""Rules for columns with a closed list of values: gender, grade, flags, race and so on."""

import re
from collections.abc import Callable, Mapping
from itertools import chain

from rollbook.studentfile.values.placeholders import is_placeholder
from rollbook.studentfile.values.text_checks import InvalidValue, RuleResult, check_value

GENDERS: Mapping[str, str] = {
    "f": "f",
    "m": "m",
    "x": "x",
    "female": "f",
    "male": "m",
    "nonbinary": "x",
    "non-binary": "x",
    "non binary": "x",
}

_ORDINALS = {1: "1st", 2: "2nd", 3: "3rd"}
_GRADE_WORDS = (
    *("first", "second", "third", "fourth", "fifth", "sixth"),
    *("seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth"),
)
_HIGH_SCHOOL = {"freshman": "9", "sophomore": "10", "junior": "11", "senior": "12"}
_PRE_KINDERGARTEN = (
    *("pk", "prek", "pre k", "pk3", "pk4", "pk 3", "pk 4", "prek3", "prek4", "prek 3", "prek 4"),
    *("pre k 3", "pre k 4", "pr", "preschool", "prekindergarten", "pre kindergarten"),
    *("ec", "ee", "early childhood", "early education"),
)
_KINDERGARTEN = (
    *("k", "kg", "kf", "kh", "tk", "0", "00", "0.0", "kindergarten", "transitional kindergarten"),
    *("full day kindergarten", "half day kindergarten"),
)
_TRANSITIONAL_FIRST_GRADE = (
    *("t1", "t 1", "grade t1", "transitional 1", "transitional 1st", "transitional first"),
    *("transitional 1st grade", "transitional first grade", "transitional grade 1"),
)
_UNGRADED = ("ug", "ungraded", "grade ug")
_ADULT = ("adult", "ae", "adult education")


def _grade_spellings(grade: int) -> tuple[str, ...]:
    ordinal, word = _ORDINALS.get(grade, f"{grade}th"), _GRADE_WORDS[grade - 1]
    numbers = {str(grade), f"{grade:02}"}
    decimals = [f"{number}{zeros}" for number in numbers for zeros in (".0", ".00")]
    titles = [
        f"{title}{number}" for title in ("grade ", "grade", "gr ", "gr") for number in numbers
    ]
    return (
        *numbers,
        *decimals,
        *titles,
        ordinal,
        ordinal.zfill(4),
        word,
        f"{ordinal} grade",
        f"{word} grade",
    )


GRADES: Mapping[str, str] = {
    **dict.fromkeys((*_PRE_KINDERGARTEN, "grade pk", "grade prek"), "pk"),
    **dict.fromkeys((*_KINDERGARTEN, "grade k", "grade kg"), "k"),
    **dict.fromkeys(_TRANSITIONAL_FIRST_GRADE, "t1"),
    **{spelling: str(grade) for grade in range(1, 14) for spelling in _grade_spellings(grade)},
    **_HIGH_SCHOOL,
    **dict.fromkeys(_UNGRADED, "ug"),
    **dict.fromkeys(_ADULT, "adult"),
}
"""Grades by their spellings, as ``_fold_grade`` returns them, in the order of the grades."""

REDEFINABLE_GRADES = frozenset({"t1", "13", "ug"})
"""Grades whose codes have another meaning in some districts, which can say so."""

FLAGS: Mapping[str, str] = {
    **dict.fromkeys(("y", "yes", "true", "t", "1", "1.0"), "y"),
    **dict.fromkeys(("n", "no", "false", "f", "0", "0.0"), "n"),
}

STATUSES: Mapping[str, str] = {"active": "active", "inactive": "inactive"}

RACES: Mapping[str, str] = {
    "Aboriginal": "AB",
    "American Indian or Alaska Native": "AI",
    "Asian": "AS",
    "Black or African American": "BL",
    "Hispanic/Latino of any race": "HI",
    "Native Hawaiian or Other Pacific Islander": "PI",
    "Other": "OT",
    "White": "WH",
}
"""Full names and the codes that are stored."""

CLASSIFICATIONS: tuple[str, ...] = (
    "Dyslexia",
    "Down Syndrome",
    "Phonological Disorder",
    "Autism",
    "Asperger's Syndrome",
    "Expressive Communicative Disorder",
    "Developmental Delay",
    "Special Learning Disability",
)

_OTHER_RACE_NAMES: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("American Indian", "Alaska Native", "Alaskan Native", "Native American"),
            *("American Indian/Alaska Native", "American Indian or Alaskan Native", "AM7", "AI7"),
            "American Indian/Alaskan Native",
        ),
        "AI",
    ),
    **dict.fromkeys(("Asian American", "AS7"), "AS"),
    **dict.fromkeys(("Black", "African American", "Black/African American", "BL7"), "BL"),
    **dict.fromkeys(
        (
            *("Hispanic", "Latino", "Hispanic or Latino", "Hispanic/Latino", "HI7"),
            *("Hispanic or Latino ethnicity", "Hispanic or Latino of any race"),
        ),
        "HI",
    ),
    **dict.fromkeys(
        (
            *("Native Hawaiian", "Hawaiian", "Pacific Islander", "Other Pacific Islander", "PI7"),
            *("Native Hawaiian or Pacific Islander", "Hawaiian or Other Pacific Islander"),
            *("Native Hawaiian/Other Pacific Islander", "Native Hawaiian/Pacific Islander"),
            "Hawaiian/Pacific Islander",
        ),
        "PI",
    ),
    **dict.fromkeys(("Caucasian", "White/Caucasian", "WH7"), "WH"),
}
"""What the federal categories, Clever and OneRoster call the races."""

_RACE_LETTERS = {"w": "WH", "b": "BL", "a": "AS", "i": "AI", "p": "PI", "h": "HI"}
_MULTIRACIAL = re.compile(
    r"(?i)m|mu7?|multi ?-?racial|(?:demographic ?race ?)?two ?or ?more(?: ?races)?|2 ?or ?more.*"
    r"|.*[&;|,+].*"
)
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_WORD_BREAKS = re.compile(r"[\s_-]+")
_AFTER_TITLE = re.compile(r"\b(gr)\.")


def _fold_race(name: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", name).casefold()


_RACE_CODES: dict[str, str] = {code.casefold(): code for code in RACES.values()} | dict(
    _RACE_LETTERS
)
_RACE_NAMES = {
    _fold_race(name): code for name, code in chain(RACES.items(), _OTHER_RACE_NAMES.items())
}
_CLASSIFICATION_SPELLINGS = {name.casefold(): name for name in CLASSIFICATIONS}


def one_of(spellings: Mapping[str, str], hint: str) -> Callable[[str], RuleResult]:
    """Return a rule that accepts these spellings in any case.

    Args:
        spellings: Accepted texts, case-folded, and their canonical values.
        hint: How to fix any other value.
    """

    def rule(text: str) -> RuleResult:
        canonical = spellings.get(text.casefold())
        if canonical is not None:
            return canonical
        return check_value(text) or InvalidValue("bad_value", hint)

    return rule


CLASSIFICATION_HINT = "use names from the list of classifications, joined by &"
GRADE_HINT = "use PK, K, T1, 1–13, UG or Adult"
_GRADE_CODE_HINT = (
    f"{GRADE_HINT}, or enter what the code means under grade codes in the district settings"
)
_RACE_HINT = f"use exactly one of {', '.join(RACES.values())}, or its full name"

gender = one_of(GENDERS, "use F, M or X")
flag = one_of(FLAGS, "use Y or N")
status = one_of(STATUSES, "use Active or Inactive")
_plain_classification = one_of(_CLASSIFICATION_SPELLINGS, "")


def classification(text: str) -> RuleResult:
    """Return the canonical name; a curly apostrophe is accepted for a straight one."""
    return _plain_classification(text.replace("\u2019", "'"))


def grade(text: str) -> RuleResult:
    """Return pk, k, t1, 1 to 13, ug or adult for the spellings that have one meaning.

    A code that only one product or district uses, such as -1, is not among them.
    """
    canonical = GRADES.get(_fold_grade(text))
    if canonical is not None:
        return canonical
    if text[:1] == "-" and not is_placeholder(text):
        return InvalidValue("bad_value", _GRADE_CODE_HINT)
    return check_value(text) or InvalidValue("bad_value", _GRADE_CODE_HINT)


def _fold_grade(text: str) -> str:
    """Return a grade in lower case with single spaces between its words."""
    if text[:1] == "-":
        return text
    return _AFTER_TITLE.sub(r"\1", " ".join(_WORD_BREAKS.split(text.casefold())))


def race(text: str) -> RuleResult:
    """Return the code of exactly one race.

    A letter or code must be written exactly; in a name, only letters and digits count.
    """
    code = _RACE_CODES.get(text.casefold())
    if code is None and len(text) > 2:
        code = _RACE_NAMES.get(_fold_race(text))
    if code is not None:
        return code
    if _MULTIRACIAL.fullmatch(text):
        return InvalidValue("bad_value", f"the column contains one race: {_RACE_HINT}")
    return check_value(text) or InvalidValue("bad_value", _RACE_HINT)
