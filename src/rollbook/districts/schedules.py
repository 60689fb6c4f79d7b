"""Store when a district's files are expected, and the pauses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import transaction

from rollbook.districts.file_schedule import (
    MAX_PAUSE_DAYS,
    WEEKDAYS,
    Pause,
    Schedule,
)
from rollbook.districts.local_dates import local_date
from rollbook.districts.models import GRACE_MINUTES, District, FileSchedule, SchedulePause
from rollbook.text import format_clock, format_date
from rollbook.validation import ValidationFailed

MAX_PAUSES = 100


@dataclass(frozen=True)
class ScheduleSettings:
    """What a district sets.

    Attributes:
        times: For each weekday from Monday, by when a file is expected; None: not at all.
        grace_minutes: How late a file may be before an email reports it.
        needs_half: Whether a file must have half as many rows as the district has active students.
    """

    times: tuple[time | None, ...] = (None,) * len(WEEKDAYS)
    grace_minutes: int = 30
    needs_half: bool = True

    @classmethod
    def of(cls, stored: FileSchedule) -> "ScheduleSettings":
        """Return the settings that are stored."""
        return cls(_times(stored), stored.grace_minutes, stored.needs_half)

    def __str__(self) -> str:
        """Return the settings in words, for the audit and the command line."""
        days = [
            f"{name} {format_clock(at)}"
            for name, at in zip(WEEKDAYS, self.times, strict=True)
            if at is not None
        ]
        if not days:
            return "no file expected"
        files = "half of the students or more" if self.needs_half else "any file"
        return f"{', '.join(days)}; {self.grace_minutes} min grace; {files}"


def find(district: District) -> FileSchedule | None:
    """Return the stored schedule of a district; None if no file is expected."""
    return FileSchedule.objects.select_related("district").filter(district=district).first()


def settings_of(district: District) -> ScheduleSettings:
    """Return the settings of a district, or those to begin with."""
    stored = find(district)
    return ScheduleSettings.of(stored) if stored else ScheduleSettings()


def to_schedule(stored: FileSchedule) -> Schedule:
    """Return the schedule to compute with."""
    district = stored.district
    return Schedule(_times(stored), district.time_zone, tuple(pauses_of(district)))


def pauses_of(district: District) -> list[Pause]:
    """Return the pauses of a district, in their order."""
    stored = SchedulePause.objects.filter(district=district).order_by("first")
    return [Pause(first, last) for first, last in stored.values_list("first", "last")]


def save(district: District, wanted: ScheduleSettings, now: datetime) -> bool:
    """Store when files are expected from now on; return whether that is a change.

    Raises:
        ValidationFailed: The grace is out of range.
    """
    least, most = GRACE_MINUTES
    if not least <= wanted.grace_minutes <= most:
        raise ValidationFailed([f"the grace must be from {least} to {most} minutes"])
    with transaction.atomic():
        if wanted == settings_of(district):
            return False
        FileSchedule.objects.filter(district=district).delete()
        if any(wanted.times):
            times = [f"{at:%H:%M}" if at is not None else "" for at in wanted.times]
            FileSchedule.objects.create(
                district=district,
                times=times,
                grace_minutes=wanted.grace_minutes,
                needs_half=wanted.needs_half,
                since=now,
            )
    return True


def add_pause(district: District, pause: Pause, now: datetime) -> None:
    """Add a pause.

    Raises:
        ValidationFailed: It ends before it begins, is over, is too long or overlaps another one.
    """
    with transaction.atomic():
        District.objects.select_for_update(no_key=True).get(pk=district.pk)
        others = pauses_of(district)
        if reasons := _problems(pause, others, local_date(district, now)):
            raise ValidationFailed(reasons)
        SchedulePause.objects.create(district=district, first=pause.first, last=pause.last)


def remove_pause(district: District, first: date) -> Pause | None:
    """Remove the pause that begins on this day, and return it; None if there is none."""
    found = SchedulePause.objects.filter(district=district, first=first)
    with transaction.atomic():
        pause = found.first()
        if pause is None:
            return None
        pause.delete()
    return Pause(pause.first, pause.last)


def _problems(pause: Pause, others: Sequence[Pause], today: date) -> list[str]:
    if pause.last < pause.first:
        return ["the last day is before the first day"]
    if pause.last < today:
        return [f"the pause is over; today is {format_date(today)}"]
    if pause.last - pause.first >= timedelta(days=MAX_PAUSE_DAYS):
        return [f"a pause can have at most {MAX_PAUSE_DAYS} days"]
    if len(others) >= MAX_PAUSES:
        return [f"there are {MAX_PAUSES} pauses already; remove one first"]
    return [
        f"it overlaps the pause from {format_date(other.first)} to {format_date(other.last)}; "
        "remove that one first"
        for other in others
        if other.first <= pause.last and pause.first <= other.last
    ]


def _times(stored: FileSchedule) -> tuple[time | None, ...]:
    return tuple(map(_time, stored.times))


def _time(stored: str) -> time | None:
    return time.fromisoformat(stored) if stored else None
