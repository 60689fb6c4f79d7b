"""What a district settles for itself: who gets results, how times and files are read, what is kept how long."""

import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache

from django.db import transaction

from rollbook.accounts.members import members
from rollbook.accounts.models import Member
from rollbook.districts.models import AUDIT_KEPT_YEARS, DETAILS_KEPT_DAYS, FILES_KEPT_DAYS, District
from rollbook.studentfile.reading.encodings import normalize_encoding_name


@dataclass(frozen=True)
class Settings:
    """All of them, called as the district's own columns are. ``receivers`` are keys of its members, who get the results
    of every update; files and details are kept for days after the end of an update.
    """

    receivers: frozenset[int]
    time_zone: str
    encoding: str
    requires_second_factor: bool
    files_kept_days: int
    details_kept_days: int
    audit_kept_years: int


@dataclass(frozen=True)
class SettingChange:
    """One setting that is another one now, as the audit tells it: members by their keys."""

    what: str
    before: str
    now: str

    def __str__(self) -> str:
        return f"{self.what}: {self.before} → {self.now}"


class InvalidSettings(Exception):
    """These cannot be a district's settings; ``reasons`` say of each that is wrong why, one sentence each."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(reasons.values()))
        self.reasons = reasons


WORDS: Mapping[str, str] = {
    "receivers": "receivers of results",
    "time_zone": "time zone",
    "encoding": "encoding",
    "requires_second_factor": "second factor required",
    "files_kept_days": "days files are kept",
    "details_kept_days": "days rows and problems are kept",
    "audit_kept_years": "years the audit is kept",
}
"""What each is called in a sentence."""

LIMITS: Mapping[str, tuple[int, int]] = {
    "files_kept_days": FILES_KEPT_DAYS,
    "details_kept_days": DETAILS_KEPT_DAYS,
    "audit_kept_years": AUDIT_KEPT_YEARS,
}
"""The least and the most of those that are numbers."""


def load_settings(district: District) -> Settings:
    """How they stand."""
    receivers = frozenset(member.pk for member in members.result_recipients(district))
    return Settings(receivers, **{name: getattr(district, name) for name in _COLUMNS})


def possible_recipients(district: District) -> list[Member]:
    """Who may get the results: every active member, by name."""
    active = Member.objects.filter(district=district, is_active=True)
    return sorted(
        active,
        key=lambda member: (
            member.last_name.casefold(),
            member.first_name.casefold(),
            member.email,
        ),
    )


def change(district: District, wanted: Settings) -> list[SettingChange]:
    """They are so from now on; returns those that were otherwise. Raises SettingsRefused, and then nothing has changed.

    What begins after it goes by the new ones: a page with the next click, an update with the next file.
    """
    with transaction.atomic():
        current = District.objects.select_for_update(no_key=True).get(pk=district.pk)
        before = load_settings(current)
        receivers = Member.objects.filter(district=current, is_active=True, pk__in=wanted.receivers)
        reasons = dict(_problems(wanted, len(receivers)))
        if reasons:
            raise InvalidSettings(reasons)
        for name in _COLUMNS:
            setattr(current, name, getattr(wanted, name))
        current.save(update_fields=_COLUMNS)
        if wanted.receivers != before.receivers:
            members.set_receivers(current, [member.email for member in receivers])
    return list(_changes(before, wanted))


@cache
def time_zones() -> tuple[str, ...]:
    """Those that are called after a place, and UTC, in the order of their names."""
    known = zoneinfo.available_timezones()
    places = (name for name in known if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return (*sorted(places), "UTC")


def _problems(wanted: Settings, found_receivers: int) -> Iterator[tuple[str, str]]:
    if found_receivers != len(wanted.receivers):
        yield "receivers", "one of these is not an active member of the district; choose again"
    if wanted.time_zone not in zoneinfo.available_timezones():
        yield "time_zone", "there is no such time zone; choose one of the list"
    try:
        normalize_encoding_name(wanted.encoding)
    except ValueError as unknown:
        yield "encoding", str(unknown)
    for name, (least, most) in LIMITS.items():
        if not least <= getattr(wanted, name) <= most:
            yield name, f"this is not a number from {least:,} to {most:,}"


def _changes(before: Settings, now: Settings) -> Iterator[SettingChange]:
    for name, word in WORDS.items():
        old, new = getattr(before, name), getattr(now, name)
        if old != new:
            yield SettingChange(word, _told(old), _told(new))


def _told(value: object) -> str:
    if isinstance(value, frozenset):
        return _members(sorted(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _members(keys: Iterable[int]) -> str:
    return ", ".join(f"member {key}" for key in keys) or "nobody"


_COLUMNS = [field.name for field in fields(Settings) if field.name != "receivers"]
