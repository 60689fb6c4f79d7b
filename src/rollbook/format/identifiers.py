"""Rules for what is compared exactly: student IDs, organization IDs, usernames; and for passwords."""

import re
from unicodedata import normalize

from rollbook.format.screening import (
    INVISIBLE,
    PLACEHOLDERS,
    Answer,
    Fault,
    Noted,
    fault_of_text,
    fault_of_value,
    is_spreadsheet_error,
)

_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
_SCIENTIFIC = re.compile(r"[0-9]+(?:[.,][0-9]+[eE][+-]?|[eE][+-])[0-9]+")
_DECIMAL = re.compile(r"[0-9]+[.,]0+")
_ROUNDED_DIGITS = 16  # spreadsheets keep 15 digits; a longer number ends in zeros
_BLANK = re.compile(r"\s")


def student_id(text: str) -> Answer:
    """1 to 32 of A-Z a-z 0-9 . _ - exactly as written: leading zeros and capitals matter, nothing is repaired."""
    return _identifier(text, "bad_student_id")


def school_id(text: str) -> Answer:
    """The organization ID of a school, written like a student ID."""
    return _identifier(text, "bad_school_id")


def username(text: str) -> Answer:
    """2 to 64 characters without blanks, in lower case."""
    fault = _fault_of_number(text) or fault_of_value(text) or fault_of_text(text, joiners=False)
    if fault:
        return fault
    folded = normalize("NFC", text.lower())
    return folded if 2 <= len(folded) <= 64 and not _BLANK.search(folded) else Fault("bad_username")


def password(text: str) -> Answer:
    """4 to 64 characters, folded to lower case."""
    if is_spreadsheet_error(text):
        return Fault("excel_error")
    if text.casefold() in PLACEHOLDERS:
        return Fault("placeholder")
    fault = fault_of_text(text)
    if fault:
        return fault
    folded = normalize("NFC", text.lower())
    return folded if 4 <= len(folded) <= 64 else Fault("weak_password")


def _identifier(text: str, code: str) -> Answer:
    if _ID.fullmatch(text) and not _fault_of_number(text) and not fault_of_value(text):
        rounded = len(text) >= _ROUNDED_DIGITS and text.isdigit() and text[-1] == "0"
        return Noted(text, "possible_rounding") if rounded else text
    return _fault_of_number(text) or _fault_of_letters(text) or fault_of_value(text) or _malformed(text, code)


def _fault_of_number(text: str) -> Fault | None:
    if _SCIENTIFIC.fullmatch(text):
        return Fault("excel_scientific")
    return Fault("excel_number") if _DECIMAL.fullmatch(text) else None


def _fault_of_letters(text: str) -> Fault | None:
    if text.isascii():
        return None
    if any(letter in INVISIBLE or (letter.isspace() and not letter.isascii()) for letter in text):
        return Fault("invisible_char")
    return fault_of_text(text, joiners=False) or Fault("non_ascii_id")


def _malformed(text: str, code: str) -> Fault:
    if text[:1] == "'":
        return Fault(code, "remove the apostrophe; it only tells a spreadsheet that a cell is text")
    return Fault(code)
