"""Rules for what is compared exactly: student IDs, organization IDs, usernames; and for passwords."""

import re
from unicodedata import normalize

from rollbook.studentfile.values.text_checks import (
    INVISIBLE,
    PLACEHOLDERS,
    InvalidValue,
    RuleResult,
    ValueWithWarning,
    check_characters,
    check_value,
    is_spreadsheet_error,
)

_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
_SCIENTIFIC = re.compile(r"[0-9]+(?:[.,][0-9]+[eE][+-]?|[eE][+-])[0-9]+")
_DECIMAL = re.compile(r"[0-9]+[.,]0+")
_ROUNDED_DIGITS = 16  # spreadsheets keep 15 digits; a longer number ends in zeros
_BLANK = re.compile(r"\s")


def student_id(text: str) -> RuleResult:
    """1 to 32 of A-Z a-z 0-9 . _ - exactly as written: leading zeros and capitals matter, nothing is repaired."""
    return _identifier(text, "bad_student_id")


def school_id(text: str) -> RuleResult:
    """The organization ID of a school, written like a student ID."""
    return _identifier(text, "bad_school_id")


def username(text: str) -> RuleResult:
    """2 to 64 characters without blanks, in lower case."""
    fault = _explain_number(text) or check_value(text) or check_characters(text, joiners=False)
    if fault:
        return fault
    folded = normalize("NFC", text.lower())
    return (
        folded
        if 2 <= len(folded) <= 64 and not _BLANK.search(folded)
        else InvalidValue("bad_username")
    )


def password(text: str) -> RuleResult:
    """4 to 64 characters, folded to lower case."""
    if is_spreadsheet_error(text):
        return InvalidValue("excel_error")
    if text.casefold() in PLACEHOLDERS:
        return InvalidValue("placeholder")
    fault = check_characters(text)
    if fault:
        return fault
    folded = normalize("NFC", text.lower())
    return folded if 4 <= len(folded) <= 64 else InvalidValue("weak_password")


def _identifier(text: str, code: str) -> RuleResult:
    if _ID.fullmatch(text) and not _explain_number(text) and not check_value(text):
        rounded = len(text) >= _ROUNDED_DIGITS and text.isdigit() and text[-1] == "0"
        return ValueWithWarning(text, "possible_rounding") if rounded else text
    return (
        _explain_number(text)
        or _explain_characters(text)
        or check_value(text)
        or _malformed(text, code)
    )


def _explain_number(text: str) -> InvalidValue | None:
    if _SCIENTIFIC.fullmatch(text):
        return InvalidValue("excel_scientific")
    return InvalidValue("excel_number") if _DECIMAL.fullmatch(text) else None


def _explain_characters(text: str) -> InvalidValue | None:
    if text.isascii():
        return None
    if any(letter in INVISIBLE or (letter.isspace() and not letter.isascii()) for letter in text):
        return InvalidValue("invisible_char")
    return check_characters(text, joiners=False) or InvalidValue("non_ascii_id")


def _malformed(text: str, code: str) -> InvalidValue:
    if text[:1] == "'":
        return InvalidValue(
            code, "remove the apostrophe; it only tells a spreadsheet that a cell is text"
        )
    return InvalidValue(code)
