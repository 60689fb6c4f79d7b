"""Rules for values that must match exactly: student IDs, School IDs, usernames and passwords."""

import re
from unicodedata import normalize

from rollbook.studentfile.values.damaged_text import TextKind
from rollbook.studentfile.values.placeholders import is_masked, is_placeholder
from rollbook.studentfile.values.spreadsheet_values import explain_day_and_month, explain_number
from rollbook.studentfile.values.text_checks import (
    INVISIBLE,
    InvalidValue,
    RuleResult,
    ValueWithWarning,
    check_characters,
    check_damage,
    check_value,
    is_spreadsheet_error,
)

MAX_ID_LENGTH = 64
# Forms of most values, none of which is a placeholder, a mask, a hash or made by a spreadsheet.
PLAIN_ID = re.compile(r"[A-Za-z]?[0-9]{1,15}")
PLAIN_USERNAME = re.compile(r"[a-z]{2,20}(?:\.[a-z]{2,20})?[0-9]{1,20}")
PLAIN_PASSWORD = re.compile(r"[a-z]{3,12}[0-9]{1,12}")
_ID = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_ID_LENGTH}}}")
_PLAIN_USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[.-][A-Za-z0-9]+)*")  # needs no checks
_WORKBOOK_CODE = re.compile(r"_x[0-9A-Fa-f]{4}_")
_MIN_ROUNDED_DIGITS = 16  # spreadsheets keep 15 digits; a longer number ends in zeros
_WHITESPACE = re.compile(r"\s")


def student_id(text: str) -> RuleResult:
    """Return 1 to 64 of A-Z a-z 0-9 . _ - as written: leading zeros and case matter."""
    return _identifier(text, "bad_student_id")


def school_id(text: str) -> RuleResult:
    """Return a School ID, which has the characters of a student ID."""
    return _identifier(text, "bad_school_id")


def username(text: str) -> RuleResult:
    """Return 2 to 64 characters without spaces, in lower case."""
    folded = text.lower()
    is_plain = _PLAIN_USERNAME.fullmatch(text) and not is_placeholder(text)
    if is_plain and 2 <= len(folded) <= 64:
        return folded
    invalid = (
        explain_number(text)
        or check_value(text, TextKind.USERNAME)
        or check_characters(text, joiners=False)
    )
    if invalid:
        return invalid
    folded = normalize("NFC", folded)
    if 2 <= len(folded) <= 64 and not _WHITESPACE.search(folded):
        return folded
    return InvalidValue("bad_username")


def password(text: str) -> RuleResult:
    """Return 4 to 64 characters in lower case."""
    is_plain = text.isascii() and text.isalnum()
    if not is_plain and is_spreadsheet_error(text):
        return InvalidValue("excel_error")
    if is_masked(text):
        return InvalidValue("masked_password")
    if is_placeholder(text) and (is_plain or any(map(str.isalnum, text))):
        return InvalidValue("placeholder")
    if is_plain:
        folded = text.lower()
    else:
        invalid = check_damage(text, TextKind.PASSWORD) or check_characters(text)
        if invalid:
            return invalid
        folded = normalize("NFC", text.lower())
    return folded if 4 <= len(folded) <= 64 else InvalidValue("weak_password")


def _identifier(text: str, code: str) -> RuleResult:
    if _ID.fullmatch(text):
        invalid = _check_id(text)
        if invalid:
            return invalid
        is_rounded = len(text) >= _MIN_ROUNDED_DIGITS and text.isdigit() and text[-1] == "0"
        return ValueWithWarning(text, "possible_rounding") if is_rounded else text
    return (
        explain_number(text)
        or _explain_characters(text)
        or check_value(text, TextKind.USERNAME)
        or InvalidValue(code)
    )


def _check_id(text: str) -> InvalidValue | None:
    """Return what is wrong with an ID whose characters are allowed, or None."""
    if text.isdigit():
        return None
    if "_x" in text and _WORKBOOK_CODE.search(text):
        return check_damage(text, TextKind.USERNAME)
    return explain_number(text) or explain_day_and_month(text) or check_value(text)


def _explain_characters(text: str) -> InvalidValue | None:
    if text.isascii():
        return None
    if is_placeholder(text):
        return InvalidValue("placeholder")
    if any(map(_is_invisible, text)):
        return InvalidValue("invisible_char")
    return (
        check_damage(text, TextKind.USERNAME)
        or check_characters(text, joiners=False)
        or InvalidValue("non_ascii_id")
    )


def _is_invisible(character: str) -> bool:
    return character in INVISIBLE or (character.isspace() and not character.isascii())
