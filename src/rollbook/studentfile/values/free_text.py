"""Rules for free text, email addresses and group names, and for lists joined by &."""

import re
from collections.abc import Callable
from unicodedata import normalize

from rollbook.studentfile.values.text_checks import (
    TRIMMED_CHARACTERS,
    InvalidValue,
    RuleResult,
    ValueWithWarning,
    check_free_text,
    check_value,
    normalize_with_warning,
)

SEPARATOR = "&"
"""The character between the values of a list."""
MAX_TEXT_LENGTH = 255
MAX_GROUP_NAME_LENGTH = 100
_MAX_EMAIL_LENGTH = 254
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def free_text(text: str) -> RuleResult:
    """Return at most 255 characters, in NFC."""
    invalid = check_free_text(text)
    if invalid:
        return invalid
    return _check_length(MAX_TEXT_LENGTH, normalize("NFC", text))


def email(text: str) -> RuleResult:
    """Return one email address in lower case."""
    if len(text) <= _MAX_EMAIL_LENGTH and text[0] != "=" and _EMAIL.fullmatch(text):
        return text.lower()
    return check_value(text) or InvalidValue("bad_email")


def group_name(text: str) -> RuleResult:
    """Return 1 to 100 characters in NFC, with single spaces."""
    invalid = check_value(text)
    if invalid:
        return invalid
    return _check_length(MAX_GROUP_NAME_LENGTH, normalize("NFC", " ".join(text.split())))


def _check_length(max_length: int, text: str) -> RuleResult:
    if len(text) > max_length:
        return InvalidValue("text_too_long", f"shorten the text to at most {max_length} characters")
    return normalize_with_warning(text)


def list_of(rule: Callable[[str], RuleResult]) -> Callable[[str], RuleResult]:
    """Return a rule for a cell that contains several values.

    The result contains each value once, in order, joined by ``&``. Its warning is the first one.

    Args:
        rule: The rule for one value.
    """

    def list_rule(text: str) -> RuleResult:
        results = [rule(item) for item in map(_trim, text.split(SEPARATOR)) if item]
        invalid = next((result for result in results if isinstance(result, InvalidValue)), None)
        if invalid:
            return invalid
        if not results:
            return InvalidValue("bad_value", "use <clear> to empty the list")
        value = _joined([_value(result) for result in results])
        warned = next((result for result in results if isinstance(result, ValueWithWarning)), None)
        return ValueWithWarning(value, warned.code, warned.hint) if warned else value

    return list_rule


def _trim(item: str) -> str:
    return item.strip(TRIMMED_CHARACTERS)


def _value(result: RuleResult) -> str:
    if isinstance(result, ValueWithWarning):
        return result.value
    return result if isinstance(result, str) else ""


def _joined(items: list[str]) -> str:
    by_key = {item.casefold(): item for item in reversed(items)}
    return SEPARATOR.join(by_key[key] for key in sorted(by_key))
