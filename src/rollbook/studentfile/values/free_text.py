"""Rules for free text, email addresses and group names, and for lists joined by &."""

import re
from collections.abc import Callable, Iterable
from itertools import groupby
from unicodedata import normalize

from rollbook.studentfile.values.damaged_text import TextKind
from rollbook.studentfile.values.spreadsheet_values import explain_date, explain_number
from rollbook.studentfile.values.text_checks import (
    TRIMMED_CHARACTERS,
    InvalidValue,
    RuleResult,
    ValueWithWarning,
    check_damage,
    check_free_text,
    check_value,
    normalize_with_warning,
)

SEPARATOR = "&"
"""The character between the values of a list."""
ESCAPED_SEPARATOR = "&&"
"""How a list contains a value with the separator in it."""
MAX_TEXT_LENGTH = 255
MAX_GROUP_NAME_LENGTH = 100
_MAX_EMAIL_LENGTH = 254
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
PLAIN_EMAIL = re.compile(r"[a-z0-9._-]{1,64}@(?:[a-z0-9-]{1,40}\.){1,4}[a-z]{2,20}")
"""The form of most email addresses."""
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_LINE_BREAKS = re.compile(r"[ \t]*[\t\n\v\f\r\x85\u2028\u2029]\s*")
_TOKENS = re.compile(f"{ESCAPED_SEPARATOR}|{SEPARATOR}|[^{SEPARATOR}]+")
_OTHER_SEPARATORS = ";|"


def free_text(text: str) -> RuleResult:
    """Return at most 255 characters, in NFC. Line breaks become spaces, with a warning."""
    joined = _LINE_BREAKS.sub(" ", text)
    invalid = check_damage(joined, TextKind.TEXT) or check_free_text(joined)
    if invalid:
        return invalid
    result = _check_length(MAX_TEXT_LENGTH, normalize("NFC", joined))
    if joined != text and isinstance(result, str):
        return ValueWithWarning(result, "line_breaks_joined")
    return result


def email(text: str) -> RuleResult:
    """Return one email address in lower case."""
    if len(text) <= _MAX_EMAIL_LENGTH and text[0] != "=" and _EMAIL.fullmatch(text):
        if "%" in text and _ENCODED.search(text):
            return check_damage(text, TextKind.NAME) or text.lower()
        return text.lower()
    return check_value(text, TextKind.GROUP) or InvalidValue("bad_email")


def group_name(text: str) -> RuleResult:
    """Return 1 to 100 characters in NFC, with single spaces."""
    invalid = check_value(text, TextKind.GROUP) or explain_number(text) or explain_date(text)
    if invalid:
        return invalid
    return _check_length(MAX_GROUP_NAME_LENGTH, normalize("NFC", " ".join(text.split())))


def _check_length(max_length: int, text: str) -> RuleResult:
    if len(text) > max_length:
        return InvalidValue("text_too_long", f"shorten the text to at most {max_length} characters")
    return normalize_with_warning(text)


def split_list(cell: str) -> list[str]:
    """Return the values of a list cell that ``join_list`` wrote, or that is joined by ``&``.

    ``&&`` is an ``&`` inside a value.
    """
    if ESCAPED_SEPARATOR not in cell:
        items = cell.split(SEPARATOR)
    else:
        parts = groupby(_TOKENS.findall(cell), SEPARATOR.__eq__)
        items = [
            "".join(tokens).replace(ESCAPED_SEPARATOR, SEPARATOR)
            for is_separator, tokens in parts
            if not is_separator
        ]
    return [item for item in map(_trim, items) if item]


def join_list(items: Iterable[str]) -> str:
    """Return one list cell with each value once, in alphabetical order.

    ``split_list`` returns the same values, and so does the rule of a list column: a single value
    that contains another separator is followed by an ``&``.
    """
    by_key = {item.casefold(): item for item in reversed([*items])}
    values = [by_key[key] for key in sorted(by_key)]
    if not any(map(_has_separator, values)):
        return SEPARATOR.join(values)
    escaped = [_escape(value) for value in values]
    is_ambiguous = len(values) == 1 and not set(values[0]).isdisjoint(_OTHER_SEPARATORS)
    return SEPARATOR.join([*escaped, ""] if is_ambiguous else escaped)


def has_bare_separator(cell: str) -> bool:
    """Return whether a list cell, as written in a file, contains an ``&`` that separates values."""
    return SEPARATOR in cell.replace(ESCAPED_SEPARATOR, "").strip(SEPARATOR + TRIMMED_CHARACTERS)


def list_of(
    rule: Callable[[str], RuleResult], hint: str, separators: str = _OTHER_SEPARATORS
) -> Callable[[str], RuleResult]:
    """Return a rule for a cell that contains several values.

    The result is the values as ``join_list`` writes them. Its warning is the first one.

    Args:
        rule: The rule for one value.
        hint: How to fix a value that isn't valid.
        separators: Characters that also separate values, with a warning, if there is no ``&``.
    """

    def list_rule(text: str) -> RuleResult:
        damage = check_damage(text, TextKind.GROUP)
        if damage:
            return damage
        items, separator = _split_cell(text, separators)
        results = [rule(item) for item in items]
        for item, result in zip(items, results, strict=True):
            if isinstance(result, InvalidValue):
                return InvalidValue(result.code, result.hint or f"{hint}; check {_quoted(item)}")
        if not results:
            return InvalidValue("bad_value", "use <clear> to empty the list")
        value = join_list([_value(result) for result in results])
        warned = next((result for result in results if isinstance(result, ValueWithWarning)), None)
        if separator:
            return ValueWithWarning(value, "list_separator")
        return ValueWithWarning(value, warned.code, warned.hint) if warned else value

    return list_rule


def _split_cell(text: str, separators: str) -> tuple[list[str], str]:
    """Return the values of a list cell, and the separator if it's another one than ``&``."""
    if SEPARATOR in text.replace(ESCAPED_SEPARATOR, ""):
        return split_list(text), ""
    found = [separator for separator in separators if separator in text]
    if len(found) != 1:
        return split_list(text), ""
    parts = map(_trim, text.replace(ESCAPED_SEPARATOR, SEPARATOR).split(found[0]))
    return [part for part in parts if part], found[0]


def _has_separator(value: str) -> bool:
    return SEPARATOR in value or ";" in value or "|" in value


def _escape(value: str) -> str:
    """Return a value as a list contains it; a space keeps its first ``&`` apart."""
    escaped = value.replace(SEPARATOR, ESCAPED_SEPARATOR)
    return f" {escaped}" if escaped.startswith(SEPARATOR) else escaped


def _quoted(item: str) -> str:
    return f'"{item if len(item) <= 40 else item[:39] + "…"}"'


def _trim(item: str) -> str:
    return item.strip(TRIMMED_CHARACTERS)


def _value(result: RuleResult) -> str:
    if isinstance(result, ValueWithWarning):
        return result.value
    return result if isinstance(result, str) else ""
