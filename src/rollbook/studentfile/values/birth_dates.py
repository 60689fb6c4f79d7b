"""Rules for dates of birth: which texts are real dates, and which ages are plausible."""

import re
from datetime import date

from rollbook.studentfile.values.text_checks import (
    InvalidValue,
    RuleResult,
    ValueWithWarning,
    check_value,
)

_DATE = re.compile(
    r"(?:([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})|([0-9]{4})-([0-9]{2})-([0-9]{2}))(.*)", re.DOTALL
)
_TIME = re.compile(r"[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?: ?[AaPp][Mm]|Z)?")
_SHORT_YEAR = re.compile(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}")
_SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")
_MIN_YEAR = 1900
_MIN_AGE, _MAX_AGE = 2, 25


def birth_date(text: str) -> RuleResult:
    """Return mm/dd/yyyy, m/d/yyyy or yyyy-mm-dd as 'yyyy-mm-dd'.

    A time after the date is dropped with a warning.
    """
    match = _DATE.fullmatch(text)
    if not match:
        return _explain_invalid_date(text)
    month, day, year, iso_year, iso_month, iso_day, time = match.groups()
    if time and not _TIME.fullmatch(time):
        return InvalidValue("bad_date")
    born = _valid_date(int(year or iso_year), int(month or iso_month), int(day or iso_day))
    if born is None:
        return InvalidValue("bad_date", _hint_for_day_first(month, day))
    return ValueWithWarning(born.isoformat(), "time_dropped") if time else born.isoformat()


def to_us_format(canonical: str) -> str:
    """Return '2014-05-13' as '05/13/2014', which is how exports write it."""
    year, month, day = canonical.split("-")
    return f"{month}/{day}/{year}"


def code_for_age(canonical: str, today: date) -> str | None:
    """Return `future_date` (an error), `unusual_age` (a warning) or None for a date of birth."""
    born = date.fromisoformat(canonical)
    if born > today:
        return "future_date"
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return None if _MIN_AGE <= age <= _MAX_AGE else "unusual_age"


def _valid_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year >= _MIN_YEAR else None
    except ValueError:
        return None


def _explain_invalid_date(text: str) -> InvalidValue:
    if _SHORT_YEAR.fullmatch(text):
        return InvalidValue("ambiguous_year")
    if _SERIAL.fullmatch(text):
        return InvalidValue("excel_serial_date")
    return check_value(text) or InvalidValue("bad_date")


def _hint_for_day_first(month: str | None, day: str | None) -> str:
    if month and day and 12 < int(month) <= 31 and 1 <= int(day) <= 12:
        return "the month comes first: use mm/dd/yyyy"
    return ""
