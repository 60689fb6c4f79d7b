"""Whether the sender of a file watched its update to the end, so that no email is needed.

A file was watched if it was sent in the browser, and its page showed the result to the member who
sent it: after the end of the update, and within ``GRACE`` of it. While an update is unfinished, its
open page polls every two seconds, and loads again at the end. If nobody has the page open, or its
browser is gone or asleep, it doesn't load, and the email is sent.
"""

from datetime import datetime, timedelta

from rollbook.accounts.models import Member
from rollbook.updates.models import UpdateEvent, UpdateJob
from rollbook.updates.receiving.receive import SOURCE_BROWSER
from rollbook.updates.state_machine import UNFINISHED, State

GRACE = timedelta(seconds=10)
"""How long the sender's email waits for the page; it polls five times in it."""


def is_watchable(update: UpdateJob, event: UpdateEvent | None, member: Member) -> bool:
    """Return whether the member sent the file in the browser, and this is how it ended.

    A held update isn't one that has ended: it is emailed to everyone, because it needs a decision.

    Args:
        update: The update.
        event: What an email is about; None for updates that an older version ended.
        member: The recipient.
    """
    if event is None or update.source != SOURCE_BROWSER or update.member_id != member.pk:
        return False
    return event.state == State.CHECKED or event.state not in UNFINISHED


def record(update: UpdateJob, member: Member, now: datetime) -> None:
    """Record that the page of an update is being shown to a member.

    Args:
        update: The update, as it is shown.
        member: Who sees it.
        now: The current time.
    """
    since = update.planned_at if update.state == State.CHECKED else update.ended_at
    if since is None or update.source != SOURCE_BROWSER or update.member_id != member.pk:
        return
    if update.watched_at is None or update.watched_at < since:
        UpdateJob.objects.filter(pk=update.pk).update(watched_at=now)


def was_watched(update: UpdateJob, event: UpdateEvent) -> bool:
    """Return whether the sender has seen on the page what an event is about."""
    return update.watched_at is not None and update.watched_at >= event.at
