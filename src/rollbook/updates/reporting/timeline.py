"""How an update went, moment by moment, whom its results were mailed to, and which file it was about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollbook.accounts.models import Member
from rollbook.updates.models import ResultMail, UpdateJob
from rollbook.updates.receiving.preview import HeaderColumns
from rollbook.updates.state_machine import UNFINISHED


@dataclass(frozen=True)
class TimelineEntry:
    """One of ``received``, ``begun``, ``checked`` and ``ended``: when, and how long it took from the one before."""

    what: str
    at: datetime
    took: timedelta | None


@dataclass(frozen=True)
class MailStatus:
    """The letter to one member: ``sent`` or ``failed`` at that time, or ``waiting`` for its next try then.

    ``error`` is what the mail server last answered, without anything of the letter.
    """

    member: Member
    state: str
    at: datetime
    error: str


@dataclass(frozen=True)
class FileFacts:
    """The file as it came in: its size in bytes, what it was said to be encoded in and was read as, the columns that
    were read, and the names of those that were not.
    """

    name: str
    size: int
    digest: str
    encoding: str
    detected_encoding: str
    rows: int
    known: tuple[str, ...]
    ignored: tuple[str, ...]


def timeline(update: UpdateJob) -> tuple[TimelineEntry, ...]:
    """The moments that have come, in their order."""
    return tuple(_entries(update))


def result_mails(update: UpdateJob) -> tuple[MailStatus, ...]:
    """Those to every reader of an ended update, by their e-mail; none before they are written."""
    found = (
        ResultMail.objects.filter(update=update).select_related("member").order_by("member__email")
    )
    return tuple(_mail_status(letter) for letter in found)


def file_facts(update: UpdateJob) -> FileFacts:
    """What is known of the update's file."""
    columns = HeaderColumns.from_names(update.header)
    return FileFacts(
        name=update.file_name,
        size=update.file_size,
        digest=update.file_digest,
        encoding=update.encoding,
        detected_encoding=update.detected_encoding,
        rows=update.rows,
        known=columns.known,
        ignored=columns.ignored,
    )


def _entries(update: UpdateJob) -> Iterator[TimelineEntry]:
    before: datetime | None = None
    ended_at = None if update.state in UNFINISHED else update.ended_at
    for what, at in (
        ("received", update.received_at),
        ("begun", update.started_at),
        ("checked", update.applying_at),
        ("ended", ended_at),
    ):
        if at:
            yield TimelineEntry(what, at, at - before if before else None)
            before = at


def _mail_status(letter: ResultMail) -> MailStatus:
    if letter.sent_at:
        return MailStatus(letter.member, "sent", letter.sent_at, "")
    if letter.next_attempt_at:
        return MailStatus(letter.member, "waiting", letter.next_attempt_at, letter.last_error)
    return MailStatus(letter.member, "failed", letter.queued_at, letter.last_error)
