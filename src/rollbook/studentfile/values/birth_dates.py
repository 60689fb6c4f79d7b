"""Rules for dates of birth: which texts are real dates, and which ages are plausible."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache, partial

from rollbook.studentfile.rules import DateOrder, FileRules
from rollbook.studentfile.values.text_checks import (
    InvalidValue,
    RuleResult,
    ValueWithWarning,
    check_value,
)

NULL_DATES = frozenset(
    {
        (0, 0, 0),  # MySQL
        (1, 1, 1),  # .NET, SQL Server
        (1601, 1, 1),  # Windows
        (1753, 1, 1),  # the first date of SQL Server's datetime
        (1899, 12, 30),  # Access, OLE Automation
        (1899, 12, 31),  # Excel
        (1900, 1, 1),  # SQL Server
        (9999, 12, 31),
    }
)
"""Year, month and day that databases write if there is no date."""
EPOCH_DATES = frozenset({(1970, 1, 1), (1969, 12, 31)})
"""What Unix writes if there is no date; the second one in time zones west of Greenwich."""
_EPOCH_YEAR = re.compile("|".join(str(year) for year, _, _ in sorted(EPOCH_DATES)))

_YEAR = r"(?P<year>[0-9]{4}|[0-9]{2})"
_DAY = r"(?P<day>[0-9]{1,2})"
_DAY_WITH_SUFFIX = _DAY + r"(?:st|nd|rd|th)?"
_MONTH_NAME = r"(?P<month_name>[A-Z]{3,9})\.?"
_WEEKDAY = r"(?:(?P<weekday>[A-Z]{3,9})\.?,?\s+)?"
_GAP = r"[\s,./-]{1,3}"
_TIME = (
    r"(?P<time>(?:,?\s+|T)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?:\s?(?P<half>[AP])\.?M\.?)?(?:\s?(?:Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern + _TIME, re.IGNORECASE)


_NUMERIC = _form(rf"(?P<part_1>[0-9]{{1,2}})([/.-])(?P<part_2>[0-9]{{1,2}})\2{_YEAR}")
_FORMS = (  # the most frequent ones first
    _NUMERIC,
    _form(rf"(?P<year>[0-9]{{4}})([/.-])(?P<month>[0-9]{{1,2}})\2{_DAY}"),
    _form(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"),
    _form(rf"{_WEEKDAY}{_DAY_WITH_SUFFIX}(?:{_GAP})?{_MONTH_NAME}(?:{_GAP})?{_YEAR}"),
    _form(rf"{_WEEKDAY}{_MONTH_NAME}(?:{_GAP})?{_DAY_WITH_SUFFIX}{_GAP}{_YEAR}"),
    _form(rf"(?P<year>[0-9]{{4}})(?:{_GAP})?{_MONTH_NAME}(?:{_GAP})?{_DAY_WITH_SUFFIX}"),
)


def _numbers_by_name(names: str, *others: tuple[str, int]) -> dict[str, int]:
    """Return the number of each name, from 1, also by the first three letters of the name."""
    numbers = {name: number for number, name in enumerate(names.split(), 1)}
    abbreviated = {name[:3]: number for name, number in numbers.items()}
    return numbers | abbreviated | dict(others)


_MONTHS = _numbers_by_name(
    "january february march april may june july august september october november december",
    ("sept", 9),
)
_WEEKDAYS = _numbers_by_name(
    "monday tuesday wednesday thursday friday saturday sunday", ("tues", 2), ("thurs", 4)
)
_SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")

_MAX_LENGTH = 80
"""Characters of the longest date with a time; longer texts are not searched."""
_DEFAULT_RULES = FileRules()
_MIN_YEAR = 1900
_MIN_AGE, _MAX_AGE = 2, 25


def birth_date(text: str, rules: FileRules = _DEFAULT_RULES) -> RuleResult:
    """Return a date with one meaning as 'yyyy-mm-dd'.

    The time of midnight after it is dropped with a warning.

    Args:
        text: The trimmed text.
        rules: The rules of the file, which say whether the month or the day comes first; if not
            given, the month does.
    """
    match = _match(text)
    if not match:
        return _explain_no_date(text, rules.date_order)
    parts = match.groupdict()
    if len(parts["year"]) == 2:
        return InvalidValue("ambiguous_year")
    year, (month, day) = int(parts["year"]), _month_and_day(parts, rules.date_order)
    if _is_null((year, month, day), rules):
        return InvalidValue("null_date")
    if _has_no_order(parts, rules.date_order):
        return InvalidValue("ambiguous_date")
    born = _real_date(year, month, day)
    if born is None or year < _MIN_YEAR:
        return InvalidValue("bad_date", _hint(parts, rules.date_order))
    if not _is_weekday(parts.get("weekday"), born):
        return InvalidValue("bad_date", "the date is on another day of the week: correct it")
    return _check_time(parts, born) if parts["time"] else born.isoformat()


def rule_for(rules: FileRules) -> Callable[[str], RuleResult]:
    """Return the rule for dates of birth in a file with these rules."""
    return partial(birth_date, rules=rules)


def proven_order(text: str) -> DateOrder | None:
    """Return which order of day and month a real date proves; None if it could have both or none.

    A date that doesn't exist, such as 31/02/2015, proves nothing.
    """
    match = _NUMERIC.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if not match or len(match["year"]) == 2:
        return None
    year, first, second = int(match["year"]), int(match["part_1"]), int(match["part_2"])
    if first > 12 and _real_date(year, second, first):
        return DateOrder.DAY_FIRST
    if second > 12 and _real_date(year, first, second):
        return DateOrder.MONTH_FIRST
    return None


def is_epoch(text: str) -> bool:
    """Return whether a text is a date of EPOCH_DATES, whichever order of day and month it has."""
    match = _match(text) if _EPOCH_YEAR.search(text) else None
    if not match:
        return False
    month, day = _month_and_day(match.groupdict(), DateOrder.MIXED)
    return (int(match["year"]), month, day) in EPOCH_DATES


def to_us_format(canonical: str) -> str:
    """Return '2014-05-13' as '05/13/2014', which is how exports write it."""
    year, month, day = canonical.split("-")
    return f"{month}/{day}/{year}"


def code_for_age(canonical: str, today: date) -> str | None:
    """Return `future_date` (an error), `unusual_age` (a warning) or None for a date of birth."""
    too_old, youngest = _usual_births(today)
    if too_old < canonical <= youngest:
        return None
    return "future_date" if canonical > today.isoformat() else "unusual_age"


@lru_cache(maxsize=1)  # of one day; comparing texts is cheaper than parsing each date
def _usual_births(today: date) -> tuple[str, str]:
    """Return the last date of birth of those who are too old, and of those old enough."""
    month_and_day = today.isoformat()[4:]
    return (
        f"{today.year - _MAX_AGE - 1}{month_and_day}",
        f"{today.year - _MIN_AGE}{month_and_day}",
    )


def _match(text: str) -> re.Match[str] | None:
    if len(text) > _MAX_LENGTH:
        return None
    return next(filter(None, (form.fullmatch(text) for form in _FORMS)), None)


def _month_and_day(parts: Mapping[str, str], order: DateOrder) -> tuple[int, int]:
    """Return month and day as numbers; a month is 0 if its name is unknown."""
    if name := parts.get("month_name"):
        return _MONTHS.get(name.lower(), 0), int(parts["day"])
    if "part_1" not in parts:
        return int(parts["month"]), int(parts["day"])
    first, second = int(parts["part_1"]), int(parts["part_2"])
    is_day_first = order is DateOrder.DAY_FIRST or (order is DateOrder.MIXED and first > 12)
    return (second, first) if is_day_first else (first, second)


def _has_no_order(parts: Mapping[str, str], order: DateOrder) -> bool:
    """Return whether a date in a file with both orders could mean two days."""
    if order is not DateOrder.MIXED or "part_1" not in parts:
        return False
    first, second = int(parts["part_1"]), int(parts["part_2"])
    return first != second and 1 <= first <= 12 and 1 <= second <= 12


def _is_null(parts: tuple[int, int, int], rules: FileRules) -> bool:
    return parts in NULL_DATES or (rules.epoch_is_null and parts in EPOCH_DATES)


def _real_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _is_weekday(name: str | None, born: date) -> bool:
    """Return whether the date is on this day of the week, if one is given."""
    return not name or _WEEKDAYS.get(name.lower()) == born.isoweekday()


def _check_time(parts: Mapping[str, str | None], born: date) -> RuleResult:
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 59 or (parts["half"] and hour > 12):
        return InvalidValue("bad_date")
    if parts["half"]:
        hour = hour % 12 + 12 * (parts["half"] in "pP")
    if hour or minute or second or int(parts["fraction"] or 0):
        return InvalidValue("time_of_day")
    return ValueWithWarning(born.isoformat(), "time_dropped")


def _explain_no_date(text: str, order: DateOrder) -> InvalidValue:
    if _SERIAL.fullmatch(text):
        return InvalidValue("excel_serial_date")
    return check_value(text) or InvalidValue("bad_date", _hint({}, order))


def _hint(parts: Mapping[str, str], order: DateOrder) -> str:
    if order is DateOrder.DAY_FIRST:
        return "the day comes first: use dd/mm/yyyy"
    if "part_1" in parts and 12 < int(parts["part_1"]) <= 31 and 1 <= int(parts["part_2"]) <= 12:
        return "the month comes first: use mm/dd/yyyy"
    return ""
