"""Rules for columns that take a closed list of values: gender, grade, flags, race, classifications, status."""

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
GRADES: Mapping[str, str] = {
    **dict.fromkeys(("pk", "prek", "pre-k", "-1"), "pk"),
    **dict.fromkeys(("k", "kg", "0"), "k"),
    **{
        spelling: str(grade)
        for grade in range(1, 13)
        for spelling in (
            str(grade),
            f"{grade:02}",
            f"{grade}.0",
            _ORDINALS.get(grade, f"{grade}th"),
        )
    },
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
"""The full name of each, and the code that is kept."""

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

_RACE_SPELLINGS = {
    **{name.casefold(): code for name, code in RACES.items()},
    **{c.casefold(): c for c in RACES.values()},
}
_CLASSIFICATION_SPELLINGS = {name.casefold(): name for name in CLASSIFICATIONS}


def one_of(spellings: Mapping[str, str], hint: str) -> Callable[[str], RuleResult]:
    """A rule that accepts the spellings, whatever their case, and answers what each of them stands for."""

    def rule(text: str) -> RuleResult:
        found = spellings.get(text.casefold())
        return (
            found if found is not None else (check_value(text) or InvalidValue("bad_value", hint))
        )

    return rule


gender = one_of(GENDERS, "write f, m or x")
grade = one_of(GRADES, "write pk, k, 1 to 12, or adult")
flag = one_of(FLAGS, "write y or n")
status = one_of(STATUSES, "write active or inactive")
race = one_of(
    _RACE_SPELLINGS, f"write exactly one of {', '.join(RACES.values())}, or its full name"
)
_plain_classification = one_of(_CLASSIFICATION_SPELLINGS, "write names of the list, joined by &")


def classification(text: str) -> RuleResult:
    """One classification in its canonical spelling; a curly apostrophe is as good as a straight one."""
    return _plain_classification(text.replace("\u2019", "'"))
