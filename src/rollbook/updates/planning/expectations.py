"""Expect changes for a while: what is expected doesn't count toward the limits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches

from django.db import transaction

from rollbook.accounts import notices
from rollbook.accounts.models import Member
from rollbook.accounts.notices import Notice
from rollbook.districts.models import District
from rollbook.studentfile.columns import COLUMNS
from rollbook.text import format_datetime, join_words, printable
from rollbook.updates.models import Expectation
from rollbook.updates.planning import limit_sets
from rollbook.updates.planning.measures import ADDED_STUDENTS
from rollbook.validation import ValidationFailed

ACTION, END_ACTION = "expect changes", "end expected changes"
"""The actions in the audit log."""

MAX_DAYS = 7
LONGEST = timedelta(days=MAX_DAYS)
MAX_EXPECTATIONS = 20
NAMES = (*(column.name for column in COLUMNS), ADDED_STUDENTS)
"""What can be expected to change."""

_MAX_EXCERPT_LENGTH = 40


@dataclass(frozen=True)
class Wanted:
    """What somebody expects.

    Attributes:
        columns: Names of columns that may change for everyone; or ``STUDENT_ADDED``.
        until: When it ends by itself.
        is_for_one_update: Whether the first update uses it up.
    """

    columns: tuple[str, ...]
    until: datetime
    is_for_one_update: bool = False


def expect(district: District, wanted: Wanted, by: Member | None, now: datetime) -> Expectation:
    """Store an expectation, and notify the other district managers.

    Args:
        district: The district.
        wanted: What is expected.
        by: Who expects it; None: the operator.
        now: The present time.

    Raises:
        ValidationFailed: A column doesn't exist, or the time isn't possible.
    """
    columns = _require_columns(wanted.columns)
    _require_time(wanted.until, now, district)
    with transaction.atomic():
        District.objects.select_for_update(no_key=True).get(pk=district.pk)
        if len(limit_sets.find_expectations(district.pk, now)) >= MAX_EXPECTATIONS:
            raise ValidationFailed(
                [f"there are {MAX_EXPECTATIONS} expectations already; end one first"]
            )
        stored = Expectation.objects.create(
            district=district,
            columns=columns,
            until=wanted.until,
            is_for_one_update=wanted.is_for_one_update,
            member=by,
            created_at=now,
        )
        detail = f"expected changes don't count toward the limits: {describe(stored)}"
        notices.notify_managers(Notice.SETTINGS_CHANGED, now, district, by=by, detail=detail)
    return stored


def end(district: District, key: int, now: datetime) -> Expectation | None:
    """End an expectation before its time, and return it; None if it isn't active."""
    active = {each.pk: each for each in limit_sets.find_expectations(district.pk, now)}
    if key not in active:
        return None
    ended = Expectation.objects.filter(pk=key, ended_at=None).update(ended_at=now)
    return active[key] if ended else None


def describe(expectation: Expectation) -> str:
    """Return for example ``GRADE and SCHOOL_ID, until Dec 4, 2026, 12:00 AM CST``."""
    until = format_datetime(expectation.until, expectation.district.time_zone)
    if expectation.is_for_one_update:
        return f"{columns_text(expectation)}, in the next update until {until}"
    return f"{columns_text(expectation)}, until {until}"


def columns_text(expectation: Expectation) -> str:
    """Return for example ``GRADE, SCHOOL_ID and new students``."""
    columns = [name for name in expectation.columns if name != ADDED_STUDENTS]
    if ADDED_STUDENTS in expectation.columns:
        columns.append("new students")
    return join_words(columns)


def _require_columns(columns: Iterable[str]) -> list[str]:
    names = {name.strip().upper() for name in columns} - {""}
    if not names:
        raise ValidationFailed(["no column is named; name those that may change for everyone"])
    reasons = [_no_such_column(name) for name in sorted(names - set(NAMES))]
    if reasons:
        raise ValidationFailed(reasons[:1])
    return [name for name in NAMES if name in names]


def _no_such_column(name: str) -> str:
    near = get_close_matches(name[:_MAX_EXCERPT_LENGTH], NAMES, n=1)
    hint = "use column names of the student file, such as GRADE, or STUDENT_ADDED"
    if near:
        hint = f"did you mean {near[0]}?"
    return f"there is no column '{printable(name, _MAX_EXCERPT_LENGTH)}'; {hint}"


def _require_time(until: datetime, now: datetime, district: District) -> None:
    if until <= now:
        past = format_datetime(until, district.time_zone)
        raise ValidationFailed([f"{past} is in the past; choose a later time"])
    if until > now + LONGEST:
        latest = format_datetime(now + LONGEST, district.time_zone)
        raise ValidationFailed(
            [f"changes can be expected for {MAX_DAYS} days at most, until {latest}"]
        )
