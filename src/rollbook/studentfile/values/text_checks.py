"""What no cell may hold, whatever its column: the first thing every rule asks about a value."""

import re
from dataclasses import dataclass
from unicodedata import category, normalize

INVISIBLE = "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
"""Characters that show nothing and change nothing at the ends of a value."""
WHITESPACE = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
TRIMMED_CHARACTERS = WHITESPACE + INVISIBLE

_JOINERS = "\u200c\u200d"  # Persian and Hindi names, and emoji, are written with them
_LINE_BREAKS = "\u2028\u2029"
_EXCEL_ERRORS = frozenset(
    [
        "#N/A",
        "#REF!",
        "#VALUE!",
        "#NAME?",
        "#DIV/0!",
        "#NULL!",
        "#NUM!",
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
        "#BLOCKED!",
        "#GETTING_DATA",
    ]
)
_FORMULA = re.compile(r"[=+@]|-[0-9]")
_MARKUP = re.compile(r"<[A-Za-z/!?]")
PLACEHOLDERS = frozenset(
    {"null", "none", "n/a", "na", "nan", "nil", "undefined", "-", "--", "---", "?", "."}
)
"""What exports write for no value, in lower case."""


@dataclass(frozen=True, slots=True)
class InvalidValue:
    """Why a value is not accepted: the code of a problem and, where the general repair can be bettered, a hint."""

    code: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ValueWithWarning:
    """A value that is accepted with a warning."""

    value: str
    code: str
    hint: str = ""


RuleResult = str | InvalidValue | ValueWithWarning
"""What a rule makes of a cell's text: the canonical value, a fault, or a value with a warning."""


def trim(text: str) -> str:
    """The text without blanks and invisible characters at its ends, and without quotes that stood behind a blank."""
    inner = text.strip(TRIMMED_CHARACTERS)
    if len(inner) > 1 and text[0] == " " and inner[0] == inner[-1] == '"':
        return inner[1:-1].strip(TRIMMED_CHARACTERS).replace('""', '"')
    return inner


def check_characters(text: str, *, joiners: bool = True) -> InvalidValue | None:
    """What is wrong with the characters of a value; `joiners` allows the two that some scripts need inside words."""
    if text.isascii() and text.isprintable():
        return None
    allowed = _JOINERS if joiners else ""
    for letter in text:
        if letter == "\ufffd":
            return InvalidValue("damaged_text")
        kind = category(letter)
        if kind == "Cc" or letter in _LINE_BREAKS:
            return InvalidValue("control_char")
        if kind in ("Cf", "Cs") and letter not in allowed:
            return InvalidValue("invisible_char")
    return None


def is_spreadsheet_error(text: str) -> bool:
    """#N/A and its like, and the ##### of a column that is too narrow."""
    return text[:1] == "#" and (
        text.upper() in _EXCEL_ERRORS or (len(text) > 2 and not text.strip("#"))
    )


def check_value(text: str) -> InvalidValue | None:
    """What is wrong with a value in any column but free text and passwords."""
    if text.casefold() in PLACEHOLDERS:
        return InvalidValue("placeholder")
    return InvalidValue("formula") if _FORMULA.match(text) else check_free_text(text)


def check_free_text(text: str) -> InvalidValue | None:
    """What is wrong with a value in a column that takes any text."""
    if text[:1] == "=":
        return InvalidValue("formula")
    return InvalidValue("excel_error") if is_spreadsheet_error(text) else check_characters(text)


def normalize_with_warning(text: str) -> str | ValueWithWarning:
    """The accepted text, in NFC, with a warning if it looks damaged or like HTML."""
    if text.isascii():
        return ValueWithWarning(text, "markup") if "<" in text and _MARKUP.search(text) else text
    value = normalize("NFC", text)
    if _was_encoded_twice(value):
        return ValueWithWarning(value, "looks_double_encoded")
    return ValueWithWarning(value, "markup") if _MARKUP.search(value) else value


def _was_encoded_twice(text: str) -> bool:
    """UTF-8 read as Windows-1252 or Latin-1 goes back to UTF-8; honest text with accents does not."""
    for codec in ("cp1252", "latin-1"):
        try:
            text.encode(codec).decode("utf-8")
        except UnicodeError:
            continue
        return True
    return False
