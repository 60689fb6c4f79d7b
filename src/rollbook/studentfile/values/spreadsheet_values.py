"""Recognize what spreadsheets make of IDs and names: numbers, rounded numbers and dates."""

import re

from rollbook.studentfile.values.text_checks import InvalidValue

_SCIENTIFIC = re.compile(r"[0-9]+(?:[.,][0-9]+[eE][+-]?|[eE][+-])[0-9]+")
_DECIMAL = re.compile(r"[0-9]+[.,]0+")
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY_AND_MONTH = re.compile(rf"[0-3]?[0-9]-{_MONTH}(?:-[0-9]{{2}}|-[0-9]{{4}})?")
_DATE = re.compile(
    rf"(?i:{_DAY_AND_MONTH.pattern}|{_MONTH}-[0-9]{{2,4}})"
    r"|(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4})"
    r"(?:[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?: ?[AaPp][Mm])?)?"
)


def explain_number(text: str) -> InvalidValue | None:
    """Return what is wrong with an ID or name that a spreadsheet made a number, or None."""
    if not text[:1].isdigit():
        return None
    if _SCIENTIFIC.fullmatch(text):
        return InvalidValue("excel_scientific")
    return InvalidValue("excel_number") if _DECIMAL.fullmatch(text) else None


def explain_day_and_month(text: str) -> InvalidValue | None:
    """Return what is wrong with an ID that a spreadsheet made a date, as in 5-Mar, or None.

    No other form of a date is certain: an ID can look like one.
    """
    if "-" not in text:
        return None
    return InvalidValue("excel_date") if _DAY_AND_MONTH.fullmatch(text) else None


def explain_date(text: str) -> InvalidValue | None:
    """Return what is wrong with a name that a spreadsheet made a date, or None."""
    if "-" not in text and "/" not in text:
        return None
    return InvalidValue("excel_date") if _DATE.fullmatch(text) else None
