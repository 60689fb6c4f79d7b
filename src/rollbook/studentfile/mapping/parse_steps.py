"""Parse the steps of a mapping's document."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from rollbook.studentfile.mapping.errors import Errors, check_keys
from rollbook.studentfile.mapping.sizes import MAX_TABLE, MAX_TEXT, MAX_VALUES, MAX_WIDTH
from rollbook.studentfile.mapping.steps import (
    BlankWhen,
    Case,
    ChangeCase,
    Constant,
    Join,
    Order,
    Otherwise,
    Pad,
    ReadDate,
    Replace,
    Split,
    Step,
    Strip,
    Translate,
    Trim,
)

Options = Mapping[str, Any]

_MAX_PARTS = 20


class _Wrong(Exception):
    """An option of a step is wrong; the text says which and how to fix it."""


def parse_step(stored: object, place: str, errors: Errors) -> Step | None:
    """Return a step; None if it has errors, which are reported.

    Args:
        stored: The step as in the document.
        place: Where it is in the document.
        errors: Where to add its errors.
    """
    name = stored.get("step") if isinstance(stored, dict) else None
    if not isinstance(stored, dict) or not isinstance(name, str):
        errors.add(place, f'a step is an object such as {{"step": "trim"}}, not {stored!r:.40}')
        return None
    if name not in STEPS:
        errors.add(place, f"'{name:.40}' is not a step; use {', '.join(STEPS)}")
        return None
    place = f"{place} ({name})"
    keys, parse = STEPS[name]
    check_keys(stored, ("step", *keys), place, errors)
    try:
        return parse(stored)
    except _Wrong as wrong:
        errors.add(place, str(wrong))
        return None


def is_text(value: object, *, is_filled: bool = True) -> bool:
    """Return whether a value is a text that can be stored, of a length that is allowed."""
    if not isinstance(value, str) or not int(is_filled) <= len(value) <= MAX_TEXT:
        return False
    return "\0" not in value and not any("\ud800" <= each <= "\udfff" for each in value)


def _text(options: Options, key: str, default: str | None = None, *, is_filled: bool = True) -> str:
    value = options.get(key, default)
    if not isinstance(value, str) or not is_text(value, is_filled=is_filled):
        least = 1 if is_filled else 0
        raise _Wrong(f"{key} must be a text of {least} to {MAX_TEXT} characters")
    return value


def _number(options: Options, key: str, least: int, most: int) -> int:
    value = options.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _Wrong(f"{key} must be a whole number from {least} to {most}")
    return value


def _trim(options: Options) -> Step:
    del options
    return Trim()


def _case(options: Options) -> Step:
    try:
        return ChangeCase(Case(options.get("to", "")))
    except ValueError:
        raise _Wrong(f"to must be {', '.join(Case)}") from None


def _pad(options: Options) -> Step:
    fill = options.get("with", "0")
    if not isinstance(fill, str) or len(fill) != 1 or not fill.isprintable() or fill == " ":
        raise _Wrong("with must be one visible character, such as 0")
    return Pad(_number(options, "width", 1, MAX_WIDTH), fill)


def _strip(options: Options) -> Step:
    prefix = _text(options, "prefix", "", is_filled=False)
    suffix = _text(options, "suffix", "", is_filled=False)
    if not prefix and not suffix:
        raise _Wrong("prefix or suffix is missing; write what to remove")
    return Strip(prefix, suffix)


def _replace(options: Options) -> Step:
    return Replace(_text(options, "text"), _text(options, "by", is_filled=False))


def _split(options: Options) -> Step:
    at = _text(options, "at")
    take = _number(options, "take", -_MAX_PARTS, _MAX_PARTS)
    if not take:
        raise _Wrong("take must be 1 for the first part, 2 for the second, or -1 for the last")
    return Split(at, take)


def _join(options: Options) -> Step:
    return Join(_text(options, "with", is_filled=False))


def _translate(options: Options) -> Step:
    table = options.get("table")
    if not isinstance(table, dict) or not 0 < len(table) <= MAX_TABLE:
        raise _Wrong(f"table must be an object of 1 to {MAX_TABLE:,} texts")
    keys: set[str] = set()
    for key, value in table.items():
        if not is_text(key) or not is_text(value, is_filled=False):
            raise _Wrong(
                f"'{key:.40}' of the table must be a text of at most {MAX_TEXT} characters"
            )
        folded = key.strip().casefold()
        if folded in keys:
            raise _Wrong(f"'{key}' is in the table a second time; remove one of both")
        keys.add(folded)
    return Translate(tuple(table.items()), _otherwise(options))


def _otherwise(options: Options) -> Otherwise | tuple[str]:
    stored = options.get("otherwise")
    if isinstance(stored, dict) and set(stored) == {"value"}:
        return (_text(stored, "value"),)
    try:
        return Otherwise(stored if isinstance(stored, str) else "")
    except ValueError:
        raise _Wrong(
            'otherwise must be "keep", "blank" or {"value": "..."}: what becomes of a value that '
            "is not in the table"
        ) from None


def _date(options: Options) -> Step:
    try:
        return ReadDate(Order(options.get("order", "")))
    except ValueError:
        raise _Wrong(f"order must be {', '.join(Order)}") from None


def _blank(options: Options) -> Step:
    when = options.get("when")
    if not isinstance(when, list) or not 0 < len(when) <= MAX_VALUES or not all(map(is_text, when)):
        raise _Wrong(f"when must be a list of 1 to {MAX_VALUES} texts")
    return BlankWhen(tuple(when))


def _constant(options: Options) -> Step:
    return Constant(_text(options, "value"))


STEPS: Mapping[str, tuple[tuple[str, ...], Callable[[Options], Step]]] = MappingProxyType(
    {
        Trim.NAME: ((), _trim),
        ChangeCase.NAME: (("to",), _case),
        Pad.NAME: (("width", "with"), _pad),
        Strip.NAME: (("prefix", "suffix"), _strip),
        Replace.NAME: (("text", "by"), _replace),
        Split.NAME: (("at", "take"), _split),
        Join.NAME: (("with",), _join),
        Translate.NAME: (("table", "otherwise"), _translate),
        ReadDate.NAME: (("order",), _date),
        BlankWhen.NAME: (("when",), _blank),
        Constant.NAME: (("value",), _constant),
    }
)
"""The keys of each step, and what parses it."""
