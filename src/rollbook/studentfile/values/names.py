"""Rules for first names, last names and middle initials."""

from unicodedata import normalize

from rollbook.studentfile.values.text_checks import (
    InvalidValue,
    RuleResult,
    ValueWithWarning,
    check_characters,
    check_value,
    normalize_with_warning,
)

MAX_NAME_LENGTH = 100
PLACEHOLDER_OR_NAME = frozenset({"null", "none", "nan", "na", "nil"})
"""Names of real people that are also what exports write for no value."""


def name(text: str) -> RuleResult:
    """1 to 100 characters of any script, in NFC, at least one letter; runs of blanks become one blank."""
    if text.casefold() in PLACEHOLDER_OR_NAME:
        return ValueWithWarning(text, "possible_placeholder")
    fault = check_value(text)
    if fault:
        return fault
    joined = normalize("NFC", " ".join(text.split()))
    if len(joined) > MAX_NAME_LENGTH or not any(map(str.isalpha, joined)):
        return InvalidValue("bad_name")
    return normalize_with_warning(joined)


def middle_initial(text: str) -> RuleResult:
    """One letter, in upper case; a full stop behind it is dropped."""
    fault = check_value(text)
    if fault:
        return fault
    answer = normalize_with_warning(text.removesuffix("."))
    letter = answer if isinstance(answer, str) else answer.value
    upper = letter.upper()
    if len(letter) != 1 or not letter.isalpha() or check_characters(letter):
        return InvalidValue("bad_initial")
    return upper if len(upper) == 1 else letter
