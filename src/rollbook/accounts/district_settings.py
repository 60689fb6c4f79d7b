"""The settings of a district: result emails, times, student files, sign-in and retention times."""

import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache

from django.db import transaction
from django.utils import timezone

from rollbook.accounts import notices
from rollbook.accounts.members import members
from rollbook.accounts.models import Member
from rollbook.accounts.notices import Notice
from rollbook.districts.grade_codes import check_grade_codes, describe_grade_codes
from rollbook.districts.models import (
    AUDIT_KEPT_YEARS,
    DETAILS_KEPT_DAYS,
    FILES_KEPT_DAYS,
    HISTORY_KEPT_DAYS,
    PERSONS_KEPT_DAYS,
    District,
)
from rollbook.studentfile.reading.encodings import normalize_encoding_name
from rollbook.studentfile.rules import DateOrder
from rollbook.text import printable


@dataclass(frozen=True)
class Settings:
    """All settings of a district, with the names of its columns.

    Attributes:
        receivers: Primary keys of the members who get the results of every update.
        time_zone: An IANA name, such as ``America/Chicago``.
        encoding: The encoding of student files without a byte order mark.
        date_order: The order of day and month in student files: ``mdy`` or ``dmy``.
        grade_codes: The district's own codes for grades, case-folded, and the grades they mean.
        reactivates_students: Whether a row without a status makes an inactive student active.
        requires_second_factor: Whether all members must use two-step verification.
        files_kept_days: Days to keep a student file after the end of its update.
        details_kept_days: Days to keep rows and problems after the end of their update.
        audit_kept_years: Years to keep audit events.
        history_kept_days: Days to keep the changes of students.
        leavers_kept_days: Days to keep students after they became inactive; 0: not removed.
        staff_kept_days: Days to keep staff members without access; 0: not removed.
    """

    receivers: frozenset[int]
    time_zone: str
    encoding: str
    date_order: str
    grade_codes: Mapping[str, str]
    reactivates_students: bool
    requires_second_factor: bool
    files_kept_days: int
    details_kept_days: int
    audit_kept_years: int
    history_kept_days: int
    leavers_kept_days: int
    staff_kept_days: int


@dataclass(frozen=True)
class SettingChange:
    """A setting with its old and new value, as text for the audit log; members as primary keys."""

    setting: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.setting}: {self.before} → {self.after}"


class InvalidSettings(Exception):
    """Some settings are not valid; ``reasons`` has one sentence for each of them."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(reasons.values()))
        self.reasons = reasons


SETTING_LABELS: Mapping[str, str] = {
    "receivers": "result recipients",
    "time_zone": "time zone",
    "encoding": "encoding",
    "date_order": "date order",
    "grade_codes": "grade codes",
    "reactivates_students": "inactive students in files reactivated",
    "requires_second_factor": "two-step verification required",
    "files_kept_days": "days to keep files",
    "details_kept_days": "days to keep rows and problems",
    "audit_kept_years": "years to keep the audit log",
    "history_kept_days": "days to keep the history of students",
    "leavers_kept_days": "days to keep students who left",
    "staff_kept_days": "days to keep former staff members",
}
"""What each setting is called in a sentence."""

SENSITIVE_SETTINGS = (
    "requires_second_factor",
    "files_kept_days",
    "details_kept_days",
    "audit_kept_years",
    "history_kept_days",
    "leavers_kept_days",
    "staff_kept_days",
)
"""The settings about whose changes the other district managers are notified."""

DATE_ORDERS: Mapping[str, str] = {
    DateOrder.MONTH_FIRST.value: "month first",
    DateOrder.DAY_FIRST.value: "day first",
}
"""The date orders that a district can set, and what each is called in a sentence."""

LIMITS: Mapping[str, tuple[int, int]] = {
    "files_kept_days": FILES_KEPT_DAYS,
    "details_kept_days": DETAILS_KEPT_DAYS,
    "audit_kept_years": AUDIT_KEPT_YEARS,
    "history_kept_days": HISTORY_KEPT_DAYS,
    "leavers_kept_days": PERSONS_KEPT_DAYS,
    "staff_kept_days": PERSONS_KEPT_DAYS,
}
"""The minimum and maximum of each numeric setting."""

CAN_BE_OFF = frozenset({"leavers_kept_days", "staff_kept_days"})
"""The settings that can also be 0: then nothing is removed."""

_COLUMNS = [field.name for field in fields(Settings) if field.name != "receivers"]
_MAX_EXCERPT_LENGTH = 40


def load_settings(district: District) -> Settings:
    """Return the district's current settings."""
    receivers = frozenset(member.pk for member in members.result_recipients(district))
    return Settings(receivers, **{name: getattr(district, name) for name in _COLUMNS})


def possible_recipients(district: District) -> list[Member]:
    """Return all active members, who may get results, sorted by name."""
    active = Member.objects.filter(district=district, is_active=True)
    return sorted(
        active,
        key=lambda member: (
            member.last_name.casefold(),
            member.first_name.casefold(),
            member.email,
        ),
    )


def change(district: District, new: Settings, by: Member | None = None) -> list[SettingChange]:
    """Save the settings, notify whom they concern, and return the changes.

    They apply from the next page request and the next student file.

    Args:
        district: The district.
        new: All settings.
        by: Who changes them; None: the operator.

    Raises:
        InvalidSettings: A setting is not valid. Nothing is changed.
    """
    with transaction.atomic():
        current = District.objects.select_for_update(no_key=True).get(pk=district.pk)
        before = load_settings(current)
        receivers = Member.objects.filter(district=current, is_active=True, pk__in=new.receivers)
        require_valid(new, len(receivers))
        for name in _COLUMNS:
            setattr(current, name, getattr(new, name))
        current.save(update_fields=_COLUMNS)
        if new.receivers != before.receivers:
            members.set_receivers(current, [member.email for member in receivers], by)
        report_sensitive(current, before, new, by)
    return list(_changes(before, new))


def require_valid(new: Settings, active_receivers: int | None = None) -> None:
    """Check settings before they are saved.

    Args:
        new: All settings.
        active_receivers: How many of the receivers are active members; None: all.

    Raises:
        InvalidSettings: A setting is not valid.
    """
    if active_receivers is None:
        active_receivers = len(new.receivers)
    reasons = dict(_problems(new, active_receivers))
    if reasons:
        raise InvalidSettings(reasons)


def report_sensitive(
    district: District, before: Settings, after: Settings, by: Member | None
) -> None:
    """Notify the other district managers of changes to sensitive settings."""
    sensitive = {SETTING_LABELS[name] for name in SENSITIVE_SETTINGS}
    changes = _changes(before, after)
    changed = [str(change) for change in changes if change.setting in sensitive]
    if changed:
        detail = "; ".join(changed)
        now = timezone.now()
        notices.notify_managers(Notice.SETTINGS_CHANGED, now, district, by=by, detail=detail)


@cache
def time_zones() -> tuple[str, ...]:
    """Return the time zones that are named after a place, sorted, and UTC."""
    available = zoneinfo.available_timezones()
    places = [
        name for name in available if "/" in name and not name.startswith(("Etc/", "SystemV/"))
    ]
    return (*sorted(places), "UTC")


def _problems(settings: Settings, active_receivers: int) -> Iterator[tuple[str, str]]:
    """Yield the name of each setting that is not valid, and why."""
    if active_receivers != len(settings.receivers):
        yield "receivers", "one of these is not an active member of the district; choose again"
    if settings.time_zone not in zoneinfo.available_timezones():
        excerpt = printable(settings.time_zone, _MAX_EXCERPT_LENGTH)
        yield "time_zone", f"'{excerpt}' isn't a time zone; choose one from the list"
    try:
        normalize_encoding_name(settings.encoding)
    except ValueError as error:
        yield "encoding", str(error)
    if settings.date_order not in DATE_ORDERS:
        excerpt = printable(settings.date_order, _MAX_EXCERPT_LENGTH)
        yield "date_order", f"'{excerpt}' isn't a date order; choose one from the list"
    try:
        check_grade_codes(settings.grade_codes)
    except ValueError as error:
        yield "grade_codes", str(error)
    for name, (minimum, maximum) in LIMITS.items():
        value = getattr(settings, name)
        if minimum <= value <= maximum or (value == 0 and name in CAN_BE_OFF):
            continue
        zero = " or 0" if name in CAN_BE_OFF else ""
        yield name, f"{value:,} isn't a number from {minimum:,} to {maximum:,}{zero}"
    if settings.history_kept_days < settings.details_kept_days <= DETAILS_KEPT_DAYS[1]:
        yield (
            "history_kept_days",
            f"{settings.history_kept_days:,} is less than the {settings.details_kept_days:,} days "
            "for which rows and problems of updates are kept; enter at least as many",
        )


def _changes(before: Settings, after: Settings) -> Iterator[SettingChange]:
    for name, word in SETTING_LABELS.items():
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield SettingChange(word, _as_text(old), _as_text(new))


def _as_text(value: object) -> str:
    if isinstance(value, frozenset):
        return _members(sorted(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return describe_grade_codes(value)
    return str(value)


def _members(keys: Iterable[int]) -> str:
    return ", ".join(f"member {key}" for key in keys) or "nobody"
