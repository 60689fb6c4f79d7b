"""Save a new version of a district's limits, and word what it changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from rollbook.accounts import notices
from rollbook.accounts.models import Member
from rollbook.accounts.notices import Notice
from rollbook.districts.models import District
from rollbook.text import count_of, format_number
from rollbook.updates.planning import limit_sets
from rollbook.updates.planning.limit_document import LimitDocument, Profile
from rollbook.updates.planning.limits import SCOPES, Limit, Limits
from rollbook.updates.planning.measures import MEASURES
from rollbook.validation import ValidationFailed

ACTION = "change limits"
"""The action in the audit log."""


@dataclass(frozen=True)
class LimitChange:
    """A version of limits that was saved.

    Attributes:
        version: Its number.
        changes: What differs from the version before, in words.
    """

    version: int
    changes: tuple[str, ...]

    def __str__(self) -> str:
        """Return the change in words, for the audit and for notices."""
        return f"limits, version {self.version}: {'; '.join(self.changes)}"


def change(
    district: District,
    document: LimitDocument,
    by: Member | None,
    now: datetime,
    based_on: int | None = None,
) -> LimitChange | None:
    """Save the limits as a new version, and notify the other district managers.

    Args:
        district: The district.
        document: The limits.
        by: Who saves them; None: the operator.
        now: The present time.
        based_on: The version that was edited, 0 if none was stored; None: whatever there is.

    Returns:
        The change; None if the limits are the same as before.

    Raises:
        ValidationFailed: Somebody else has saved another version meanwhile.
    """
    with transaction.atomic():
        District.objects.select_for_update(no_key=True).get(pk=district.pk)
        current = limit_sets.find_current(district.pk)
        if based_on is not None and based_on != current.version:
            raise ValidationFailed(
                [
                    f"somebody saved version {current.version} of the limits meanwhile; open the "
                    "page again and repeat your changes"
                ]
            )
        changes = tuple(describe_changes(current.document, document))
        if not changes:
            return None
        saved = limit_sets.save(district, document, by, now)
        made = LimitChange(saved.version, changes)
        notices.notify_managers(Notice.SETTINGS_CHANGED, now, district, by=by, detail=str(made))
    return made


def describe_changes(before: LimitDocument, after: LimitDocument) -> Iterator[str]:
    """Yield what differs between two documents, in words."""
    yield from _changed_limits(before.limits, after.limits)
    yield from _changed_profiles(before.profiles, after.profiles)
    if before.when_exceeded is not after.when_exceeded:
        yield f"when exceeded: {before.when_exceeded} → {after.when_exceeded}"
    if before.discard_after_hours != after.discard_after_hours:
        hours = f"{before.discard_after_hours} → {count_of(after.discard_after_hours, 'hour')}"
        yield f"plans discarded after {hours}"
    if before.second_person != after.second_person:
        words = {True: "yes", False: "no"}
        yield f"second person: {words[before.second_person]} → {words[after.second_person]}"


def limit_text(limit: Limit | None) -> str:
    """Return for example ``10% and 25``."""
    return f"{limit.percent}% and {format_number(limit.count)}" if limit else "no limit"


def _changed_limits(before: Limits, after: Limits) -> Iterator[str]:
    for measure in MEASURES:
        for scope in SCOPES:
            old: Mapping[str, Limit] = getattr(before, scope)
            new: Mapping[str, Limit] = getattr(after, scope)
            if old.get(measure) != new.get(measure):
                texts = limit_text(old.get(measure)), limit_text(new.get(measure))
                yield f"{measure} {scope}: {' → '.join(texts)}"


def _changed_profiles(before: tuple[Profile, ...], after: tuple[Profile, ...]) -> Iterator[str]:
    old = {profile.name: profile for profile in before}
    new = {profile.name: profile for profile in after}
    for name in sorted(old.keys() - new.keys()):
        yield f"profile {name} removed"
    for name, profile in new.items():
        if name not in old:
            yield f"profile {name} added, {profile.first} to {profile.last}"
        elif profile != old[name]:
            yield f"profile {name} changed, {profile.first} to {profile.last}"
    if before != after and old == new:
        yield "order of the profiles changed"
