"""Rules for free text, e-mail addresses, group names, and for cells that hold a list of values joined by &."""

import re
from collections.abc import Callable
from unicodedata import normalize

from rollbook.format.screening import EDGES, Answer, Fault, Noted, fault_of_free_text, fault_of_value, noted_if_odd

SEPARATOR = "&"
"""Joins the values of a list cell."""
LONGEST_TEXT = 255
LONGEST_GROUP_NAME = 100
_LONGEST_EMAIL = 254
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def free_text(text: str) -> Answer:
    """At most 255 characters, in NFC."""
    fault = fault_of_free_text(text)
    if fault:
        return fault
    return _at_most(LONGEST_TEXT, normalize("NFC", text))


def email(text: str) -> Answer:
    """One e-mail address, in lower case."""
    if len(text) <= _LONGEST_EMAIL and text[0] != "=" and _EMAIL.fullmatch(text):
        return text.lower()
    return fault_of_value(text) or Fault("bad_email")


def group_name(text: str) -> Answer:
    """1 to 100 characters, in NFC; runs of blanks become one blank."""
    fault = fault_of_value(text)
    if fault:
        return fault
    return _at_most(LONGEST_GROUP_NAME, normalize("NFC", " ".join(text.split())))


def _at_most(longest: int, text: str) -> Answer:
    if len(text) > longest:
        return Fault("text_too_long", f"at most {longest} characters are allowed: shorten the text")
    return noted_if_odd(text)


def list_of(rule: Callable[[str], Answer]) -> Callable[[str], Answer]:
    """A rule for a cell that names a whole list: each item by `rule`, each once, sorted, joined by &."""

    def list_rule(text: str) -> Answer:
        answers = [rule(item) for item in map(_trim, text.split(SEPARATOR)) if item]
        fault = next((answer for answer in answers if isinstance(answer, Fault)), None)
        if fault or not answers:
            return fault or Fault("bad_value", "write <clear> to empty the list")
        note = next((answer for answer in answers if isinstance(answer, Noted)), None)
        value = _joined([_value(answer) for answer in answers])
        return Noted(value, note.code, note.hint) if note else value

    return list_rule


def _trim(item: str) -> str:
    return item.strip(EDGES)


def _value(answer: Answer) -> str:
    if isinstance(answer, Noted):
        return answer.value
    return answer if isinstance(answer, str) else ""


def _joined(items: list[str]) -> str:
    once = {item.casefold(): item for item in reversed(items)}
    return SEPARATOR.join(once[key] for key in sorted(once))
