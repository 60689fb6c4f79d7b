"""Suspend a district, resume it, and change its name."""

from datetime import datetime

from django.db import transaction
from django.utils.text import slugify

from rollbook.accounts.audit import log
from rollbook.districts.models import District
from rollbook.system_accounts import command_agent
from rollbook.updates import runner

MAX_SLUG_LENGTH = 100
MAX_REASON_LENGTH = 200


class NotPossible(Exception):
    """The district isn't in the state that this needs, or a value is invalid; the text says why."""


def suspend(district: District, reason: str, now: datetime) -> None:
    """Suspend a district: nobody in it can sign in or upload until it is resumed.

    An update in progress finishes its current step and pauses. Of a district that is suspended
    already, the reason is changed.

    Args:
        district: The district.
        reason: What the district's staff is shown, such as ``the contract has ended``.
        now: The present time.

    Raises:
        NotPossible: The reason is invalid, or the district is being deleted.
    """
    reason = " ".join(reason.split())
    if not (0 < len(reason) <= MAX_REASON_LENGTH and reason.isprintable()):
        raise NotPossible(
            f"the reason must have 1 to {MAX_REASON_LENGTH} printable characters; write another one"
        )
    with transaction.atomic():
        locked = _lock(district)
        _refuse_if_being_deleted(locked)
        locked.suspended_at = locked.suspended_at or now
        locked.suspension_reason = reason
        locked.save(update_fields=["suspended_at", "suspension_reason"])
        runner.pause(locked)
        log.record(
            "district suspend",
            "done",
            district=locked,
            agent=command_agent(),
            detail=reason,
            now=now,
        )


def resume(district: District, now: datetime) -> None:
    """Resume a suspended district; its updates and emails continue.

    Raises:
        NotPossible: The district isn't suspended, or it is being deleted.
    """
    with transaction.atomic():
        locked = _lock(district)
        _refuse_if_being_deleted(locked)
        if not locked.is_suspended:
            raise NotPossible(f"{locked.name} isn't suspended; nothing was changed")
        locked.suspended_at, locked.suspension_reason = None, ""
        locked.save(update_fields=["suspended_at", "suspension_reason"])
        runner.continue_updates(locked)
        log.record("district resume", "done", district=locked, agent=command_agent(), now=now)


def rename(district: District, now: datetime, *, name: str = "", slug: str = "") -> District:
    """Change a district's name, its short name, or both; return the district as it is now.

    Args:
        district: The district.
        now: The present time.
        name: The new name, valid and on one line; empty: as it is.
        slug: The new short name; empty: as it is.

    Raises:
        NotPossible: The short name is invalid or belongs to another district.
    """
    if slug and (slugify(slug) != slug or len(slug) > MAX_SLUG_LENGTH):
        raise NotPossible(
            f"'{slug}' can't be a short name; use up to {MAX_SLUG_LENGTH} lowercase a to z, "
            f"digits and hyphens, such as {slugify(slug)[:MAX_SLUG_LENGTH] or 'maple-usd'}"
        )
    with transaction.atomic():
        locked = _lock(district)
        _refuse_if_being_deleted(locked)
        holder = District.objects.filter(slug=slug).exclude(pk=locked.pk).first()
        if holder:
            raise NotPossible(
                f"the short name {slug} belongs to {holder.name}; choose another short name"
            )
        changes = _changes(locked, name, slug)
        if not changes:
            raise NotPossible(f"{locked.name} ({locked.slug}) has these names; choose another one")
        locked.name, locked.slug = name or locked.name, slug or locked.slug
        locked.save(update_fields=["name", "slug"])
        log.record(
            "district rename",
            "done",
            district=locked,
            agent=command_agent(),
            detail=changes,
            now=now,
        )
    return locked


def _changes(district: District, name: str, slug: str) -> str:
    """Return what changes, for the audit; empty if nothing does."""
    pairs = ((district.slug, slug), (district.name, name))
    return "; ".join(f"{old} to {new}" for old, new in pairs if new and new != old)


def _lock(district: District) -> District:
    """Return the district, locked until the transaction ends."""
    return District.objects.select_for_update(no_key=True).get(pk=district.pk)


def _refuse_if_being_deleted(district: District) -> None:
    if district.is_being_deleted:
        raise NotPossible(
            f"{district.name} is being deleted, which can't be undone; "
            f"`rollbook district delete {district.slug}` continues it"
        )
