"""Rules for columns with a closed list of values: gender, grade, flags, race and so on."""

from collections.abc import Callable, Mapping

from rollbook.studentfile.values.text_checks import InvalidValue, RuleResult, check_value

GENDERS: Mapping[str, str] = {
    "f": "f",
    "m": "m",
    "x": "x",
    "female": "f",
    "male": "m",
    "nonbinary": "x",
    "non-binary": "x",
}

_ORDINALS = {1: "1st", 2: "2nd", 3: "3rd"}


def _grade_spellings(grade: int) -> tuple[str, ...]:
    return str(grade), f"{grade:02}", f"{grade}.0", _ORDINALS.get(grade, f"{grade}th")


GRADES: Mapping[str, str] = {
    **dict.fromkeys(("pk", "prek", "pre-k", "-1"), "pk"),
    **dict.fromkeys(("k", "kg", "0"), "k"),
    **{spelling: str(grade) for grade in range(1, 13) for spelling in _grade_spellings(grade)},
    "adult": "adult",
}

FLAGS: Mapping[str, str] = {
    **dict.fromkeys(("y", "yes", "true", "1"), "y"),
    **dict.fromkeys(("n", "no", "false", "0"), "n"),
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

_RACE_CODES = {code.casefold(): code for code in RACES.values()}
_RACE_SPELLINGS = _RACE_CODES | {name.casefold(): code for name, code in RACES.items()}
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


gender = one_of(GENDERS, "use F, M or X")
grade = one_of(GRADES, "use PK, K, 1–12 or Adult")
flag = one_of(FLAGS, "use Y or N")
status = one_of(STATUSES, "use Active or Inactive")
race = one_of(_RACE_SPELLINGS, f"use exactly one of {', '.join(RACES.values())}, or its full name")
_plain_classification = one_of(
    _CLASSIFICATION_SPELLINGS, "use names from the list of classifications, joined by &"
)


def classification(text: str) -> RuleResult:
    """Return the canonical name; a curly apostrophe is accepted for a straight one."""
    return _plain_classification(text.replace("\u2019", "'"))
