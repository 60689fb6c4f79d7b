"""Checks that apply to the values of all columns, and the results of rules."""

import re
from dataclasses import dataclass
from unicodedata import category, normalize

from rollbook.studentfile.values.damaged_text import TextKind, find_damage
from rollbook.studentfile.values.placeholders import is_placeholder

INVISIBLE = (
    "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2066\u2067\u2068\u2069\ufeff"
)
"""Characters without a width, which are removed from both ends of a value."""
WHITESPACE = (
    " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u202f\u205f\u3000\t\n\v\f\r\x85\u2028\u2029"
)
TRIMMED_CHARACTERS = WHITESPACE + INVISIBLE

_BEFORE_LOST_SPACE = frozenset("ÃÅ")
_JOINERS = "\u200c\u200d"  # part of Persian and Hindi names, and of emoji
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


@dataclass(frozen=True, slots=True)
class InvalidValue:
    """Why a value is rejected: a problem code, and a hint if the general fix is too vague."""

    code: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ValueWithWarning:
    """A value that is accepted with a warning."""

    value: str
    code: str
    hint: str = ""


RuleResult = str | InvalidValue | ValueWithWarning
"""The result of a rule: the canonical value, a value with a warning, or an invalid value."""


def trim(text: str) -> str:
    """Remove whitespace and invisible characters at both ends, and quotes after a space.

    A no-break space stays where it shows that à or Š was damaged: they became Ã or Å and a space.
    """
    inner = text.strip(TRIMMED_CHARACTERS)
    if inner == text:
        return text
    if inner[-1:] in _BEFORE_LOST_SPACE and f"{inner}\u00a0" in text:
        return f"{inner}\u00a0"
    if len(inner) > 1 and text[0] == " " and inner[0] == inner[-1] == '"':
        return inner[1:-1].strip(TRIMMED_CHARACTERS).replace('""', '"')
    return inner


def check_characters(text: str, *, joiners: bool = True) -> InvalidValue | None:
    """Return what is wrong with the characters of a value, or None.

    Args:
        text: The trimmed value.
        joiners: Whether the two joiners that some scripts need inside words are allowed.
    """
    if text.isascii() and text.isprintable():
        return None
    allowed = _JOINERS if joiners else ""
    for character in text:
        if character == "\ufffd":
            return check_damage(text, TextKind.TEXT)
        unicode_category = category(character)
        if unicode_category == "Cc" or character in _LINE_BREAKS:
            return InvalidValue("control_char")
        if unicode_category in ("Cf", "Cs") and character not in allowed:
            return InvalidValue("invisible_char")
    return None


def is_spreadsheet_error(text: str) -> bool:
    """Return whether the text is an error such as #N/A, or the ##### of a narrow column."""
    return text[:1] == "#" and (
        text.upper() in _EXCEL_ERRORS or (len(text) > 2 and not text.strip("#"))
    )


def check_damage(text: str, kind: TextKind) -> InvalidValue | None:
    """Return ``damaged_text`` with a hint for the export if the text is damaged, or None."""
    hint = find_damage(text, kind)
    return InvalidValue("damaged_text", hint) if hint else None


def check_value(text: str, kind: TextKind | None = None) -> InvalidValue | None:
    """Return what is wrong with a value that is neither free text nor a password, or None.

    Args:
        text: The trimmed value.
        kind: What the text is, if it can be damaged.
    """
    if is_placeholder(text):
        return InvalidValue("placeholder")
    if is_spreadsheet_error(text):  # the ? of #NAME? is no lost letter
        return InvalidValue("excel_error")
    damage = check_damage(text, kind) if kind else None
    if damage:
        return damage
    return InvalidValue("formula") if _FORMULA.match(text) else check_characters(text)


def check_free_text(text: str) -> InvalidValue | None:
    """Return what is wrong with a value in a column for free text, or None."""
    if text[:1] == "=":
        return InvalidValue("formula")
    return InvalidValue("excel_error") if is_spreadsheet_error(text) else check_characters(text)


def normalize_with_warning(text: str) -> str | ValueWithWarning:
    """Return a valid text in NFC, with a warning if it contains HTML."""
    value = text if text.isascii() else normalize("NFC", text)
    return ValueWithWarning(value, "markup") if "<" in value and _MARKUP.search(value) else value
