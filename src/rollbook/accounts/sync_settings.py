"""Who may use which mode in a district, and when missing students are deactivated."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from rollbook.accounts import notices
from rollbook.accounts.models import Member
from rollbook.accounts.notices import Notice
from rollbook.districts.models import ABSENT_DAYS, ABSENT_FILES, District
from rollbook.districts.modes import (
    CHANNEL_WORDS,
    MODES,
    SYNC,
    Channel,
    allowed_modes,
    as_stored,
)
from rollbook.text import count_of, join_words
from rollbook.validation import ValidationFailed


@dataclass(frozen=True)
class SyncSettings:
    """What a district sets.

    Attributes:
        modes: The modes that each way to send a file may use.
        absent_files: The files, on as many days, after which a missing student is deactivated.
        absent_days: The days after which a missing student is deactivated.
    """

    modes: Mapping[Channel, tuple[str, ...]]
    absent_files: int
    absent_days: int

    @property
    def allows_sync(self) -> bool:
        """Whether full sync is turned on in any way."""
        return any(SYNC in allowed for allowed in self.modes.values())

    def lines(self) -> Iterator[str]:
        """Yield the settings in words, for the audit, notices and the command line."""
        for channel, allowed in self.modes.items():
            yield f"{CHANNEL_WORDS[channel]}: {join_words(allowed) if allowed else 'no mode'}"
        yield (
            f"missing students deactivated after {count_of(self.absent_files, 'file')} and "
            f"{count_of(self.absent_days, 'day')}"
        )

    def __str__(self) -> str:
        return "; ".join(self.lines())


def settings_of(district: District) -> SyncSettings:
    """Return the settings of a district."""
    allowed = {channel: allowed_modes(district, channel) for channel in Channel}
    return SyncSettings(allowed, district.absent_files, district.absent_days)


def save(district: District, wanted: SyncSettings, now: datetime, by: Member | None = None) -> bool:
    """Save settings, and notify the other district managers; return whether they are a change.

    Args:
        district: The district.
        wanted: The settings.
        now: The present time.
        by: Who saves them; None: the operator.

    Raises:
        ValidationFailed: A number is out of range, or a mode doesn't exist.
    """
    if reasons := list(_problems(wanted)):
        raise ValidationFailed(reasons)
    with transaction.atomic():
        current = District.objects.select_for_update(no_key=True).get(pk=district.pk)
        if wanted == settings_of(current):
            return False
        current.modes = as_stored(wanted.modes)
        current.absent_files, current.absent_days = wanted.absent_files, wanted.absent_days
        current.save(update_fields=["modes", "absent_files", "absent_days"])
        notices.notify_managers(
            Notice.SETTINGS_CHANGED, now, current, by=by, detail=f"full sync: {wanted}"
        )
    return True


def _problems(wanted: SyncSettings) -> Iterator[str]:
    for allowed in wanted.modes.values():
        for mode in allowed:
            if mode not in MODES:
                yield f"there is no mode {mode}; use {' or '.join(MODES)}"
    for what, value, (least, most) in (
        ("files", wanted.absent_files, ABSENT_FILES),
        ("days", wanted.absent_days, ABSENT_DAYS),
    ):
        if not least <= value <= most:
            yield f"the number of {what} must be from {least} to {most}"
