"""Rules for free text, e-mail addresses, group names, and for cells that hold a list of values joined by &."""

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
"""Joins the values of a list cell."""
MAX_TEXT_LENGTH = 255
MAX_GROUP_NAME_LENGTH = 100
_MAX_EMAIL_LENGTH = 254
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def free_text(text: str) -> RuleResult:
    """At most 255 characters, in NFC."""
    fault = check_free_text(text)
    if fault:
        return fault
    return _check_length(MAX_TEXT_LENGTH, normalize("NFC", text))


def email(text: str) -> RuleResult:
    """One e-mail address, in lower case."""
    if len(text) <= _MAX_EMAIL_LENGTH and text[0] != "=" and _EMAIL.fullmatch(text):
        return text.lower()
    return check_value(text) or InvalidValue("bad_email")


def group_name(text: str) -> RuleResult:
    """1 to 100 characters, in NFC; runs of blanks become one blank."""
    fault = check_value(text)
    if fault:
        return fault
    return _check_length(MAX_GROUP_NAME_LENGTH, normalize("NFC", " ".join(text.split())))


def _check_length(longest: int, text: str) -> RuleResult:
    if len(text) > longest:
        return InvalidValue(
            "text_too_long", f"at most {longest} characters are allowed: shorten the text"
        )
    return normalize_with_warning(text)


def list_of(rule: Callable[[str], RuleResult]) -> Callable[[str], RuleResult]:
    """A rule for a cell that names a whole list: each item by `rule`, each once, sorted, joined by &."""

    def list_rule(text: str) -> RuleResult:
        answers = [rule(item) for item in map(_trim, text.split(SEPARATOR)) if item]
        fault = next((answer for answer in answers if isinstance(answer, InvalidValue)), None)
        if fault or not answers:
            return fault or InvalidValue("bad_value", "write <clear> to empty the list")
        note = next((answer for answer in answers if isinstance(answer, ValueWithWarning)), None)
        value = _joined([_value(answer) for answer in answers])
        return ValueWithWarning(value, note.code, note.hint) if note else value

    return list_rule


def _trim(item: str) -> str:
    return item.strip(TRIMMED_CHARACTERS)


def _value(answer: RuleResult) -> str:
    if isinstance(answer, ValueWithWarning):
        return answer.value
    return answer if isinstance(answer, str) else ""


def _joined(items: list[str]) -> str:
    once = {item.casefold(): item for item in reversed(items)}
    return SEPARATOR.join(once[key] for key in sorted(once))
