"""Rules for first names, last names and middle initials."""

from unicodedata import normalize

from rollbook.studentfile.values.damaged_text import TextKind
from rollbook.studentfile.values.spreadsheet_values import explain_date, explain_number
from rollbook.studentfile.values.text_checks import (
    InvalidValue,
    RuleResult,
    ValueWithWarning,
    check_characters,
    check_value,
    normalize_with_warning,
)

MAX_NAME_LENGTH = 100
PLACEHOLDER_OR_NAME = frozenset({"null", "none", "nan", "na", "nil", "unknown"})
"""Names of real people that some exports write if there is no value."""
ONE_NAME = "-"
"""How the missing name of a student with only one name is stored."""
MISSING_NAMES = frozenset({"", ONE_NAME, ".", "fnu", "lnu"})
"""How files write that name, in lower case: *first name unknown*, *last name unknown*."""
_QUOTES = frozenset({'""', "''", "“”", "‘’"})
_NO_NAMES = frozenset(
    {
        *("name unknown", "first name unknown", "last name unknown", "not known"),
        *("no name", "no first name", "no last name", "unspecified", "not specified"),
        *("not provided", "not given", "not entered", "not recorded"),
    }
)
"""What files write in place of a name, in lower case; in other columns it can be a value."""


def is_one_name(text: str) -> bool:
    """Return whether a name can be the only one of a student: it is one word, and not missing."""
    folded = text.casefold()
    return " " not in text and folded not in MISSING_NAMES and folded not in PLACEHOLDER_OR_NAME


def name(text: str) -> RuleResult:
    """Return 1 to 100 characters in any script, with a letter, in NFC, with single spaces."""
    if text in (ONE_NAME, "."):  # row_validator checks the other name
        return ONE_NAME
    folded = text.casefold()
    if folded in PLACEHOLDER_OR_NAME:
        return ValueWithWarning(text, "possible_placeholder")
    if folded in _NO_NAMES:
        return InvalidValue("placeholder")
    invalid = check_value(text, TextKind.NAME) or explain_number(text) or explain_date(text)
    if invalid:
        return invalid
    joined = normalize("NFC", " ".join(text.split()))
    if len(joined) > MAX_NAME_LENGTH or not any(map(str.isalpha, joined)):
        return InvalidValue("bad_name")
    if text[0] + text[-1] in _QUOTES:
        return InvalidValue("bad_name", "remove the quotation marks, which are part of the value")
    return normalize_with_warning(joined)


def middle_initial(text: str) -> RuleResult:
    """Return one letter in upper case; a period after it is dropped."""
    invalid = check_value(text)
    if invalid:
        return invalid
    result = normalize_with_warning(text.removesuffix("."))
    letter = result if isinstance(result, str) else result.value
    upper = letter.upper()
    if len(letter) != 1 or not letter.isalpha() or check_characters(letter):
        return InvalidValue("bad_initial")
    return upper if len(upper) == 1 else letter
