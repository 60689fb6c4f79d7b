"""Rules for birth dates: which texts are real dates, and which dates a student can have been born on."""

import re
from datetime import date

from rollbook.format.screening import Answer, Fault, Noted, fault_of_value

_DATE = re.compile(r"(?:([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})|([0-9]{4})-([0-9]{2})-([0-9]{2}))(.*)", re.DOTALL)
_TIME = re.compile(r"[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?: ?[AaPp][Mm]|Z)?")
_SHORT_YEAR = re.compile(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}")
_SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")
_FIRST_YEAR = 1900
_YOUNGEST, _OLDEST = 2, 25


def birth_date(text: str) -> Answer:
    """mm/dd/yyyy, m/d/yyyy or yyyy-mm-dd, as 'yyyy-mm-dd'; a time behind it is dropped with a warning."""
    match = _DATE.fullmatch(text)
    if not match:
        return _fault_of_no_date(text)
    month, day, year, iso_year, iso_month, iso_day, time = match.groups()
    if time and not _TIME.fullmatch(time):
        return Fault("bad_date")
    born = _real(int(year or iso_year), int(month or iso_month), int(day or iso_day))
    if born is None:
        return Fault("bad_date", _hint_for_day_first(month, day))
    return Noted(born.isoformat(), "time_dropped") if time else born.isoformat()


def shown(canonical: str) -> str:
    """'2014-05-13' as an export writes it: '05/13/2014'."""
    year, month, day = canonical.split("-")
    return f"{month}/{day}/{year}"


def code_for_age(canonical: str, today: date) -> str | None:
    """`future_date` (an error) or `unusual_age` (a warning) for someone born on that day, else None."""
    born = date.fromisoformat(canonical)
    if born > today:
        return "future_date"
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return None if _YOUNGEST <= age <= _OLDEST else "unusual_age"


def _real(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year >= _FIRST_YEAR else None
    except ValueError:
        return None


def _fault_of_no_date(text: str) -> Fault:
    if _SHORT_YEAR.fullmatch(text):
        return Fault("ambiguous_year")
    if _SERIAL.fullmatch(text):
        return Fault("excel_serial_date")
    return fault_of_value(text) or Fault("bad_date")


def _hint_for_day_first(month: str | None, day: str | None) -> str:
    if month and day and 12 < int(month) <= 31 and 1 <= int(day) <= 12:
        return "the month comes first: write mm/dd/yyyy"
    return ""
