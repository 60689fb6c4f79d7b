"""Return an update's timeline, the status of its result emails, and a description of its file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollbook.accounts.models import Member
from rollbook.mail.states import CONDITIONS, MailState
from rollbook.updates.models import ResultMail, UpdateJob
from rollbook.updates.receiving.preview import HeaderColumns
from rollbook.updates.state_machine import UNFINISHED, State


@dataclass(frozen=True)
class TimelineEntry:
    """An event of an update.

    Attributes:
        what: ``received``, ``begun``, ``checked``, ``approved`` or ``ended``.
        at: When it happened.
        took: The time since the entry before it; None for the first.
    """

    what: str
    at: datetime
    took: timedelta | None


@dataclass(frozen=True)
class MailStatus:
    """The status of the result email to one member.

    Attributes:
        member: The recipient.
        state: ``sent``, ``failed`` or ``waiting``.
        at: When it was sent or, if it failed, queued; when the next attempt of a waiting one is.
        error: The mail server's last answer, without any content of the email.
    """

    member: Member
    state: str
    at: datetime
    error: str


@dataclass(frozen=True)
class FileDescription:
    """A description of an uploaded file.

    Attributes:
        name: Its name.
        size: Its size in bytes.
        digest: Its SHA-256 in hexadecimal.
        encoding: The encoding that was requested.
        detected_encoding: The encoding that was used.
        rows: The number of rows.
        known: The columns that Rollbook uses.
        ignored: The names of the other columns.
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
    """Return the events that have happened, in order."""
    return tuple(_entries(update))


def result_mails(update: UpdateJob) -> tuple[MailStatus, ...]:
    """Return the status of each result email, by the recipient's email address.

    There are none before the update has ended and its emails are queued, and none of those that
    nobody needs, because the recipient saw the result on the page or a plan no longer waits.
    """
    needed = ResultMail.objects.exclude(CONDITIONS[MailState.OBSOLETE])
    mails = needed.filter(update=update).select_related("member")
    return tuple(map(_mail_status, mails.order_by("member__email")))


def describe_file(update: UpdateJob) -> FileDescription:
    """Return a description of the update's file."""
    columns = HeaderColumns.of(update.parse_header())
    return FileDescription(
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
    previous_at: datetime | None = None
    ended_at = None if update.state in UNFINISHED else update.ended_at
    for what, at in (
        ("received", update.received_at),
        ("begun", update.started_at),
        ("checked", update.planned_at or update.applying_at),
        ("approved", _approved_at(update)),
        ("ended", ended_at),
    ):
        if at:
            took = at - previous_at if previous_at else None
            yield TimelineEntry(what, at, took)
            previous_at = at


def _approved_at(update: UpdateJob) -> datetime | None:
    """Return when the plan was approved; None if it was not, or needed no approval."""
    return None if update.state == State.DISCARDED else update.decided_at


def _mail_status(mail: ResultMail) -> MailStatus:
    if mail.sent_at:
        return MailStatus(mail.member, "sent", mail.sent_at, "")
    if mail.next_attempt_at:
        return MailStatus(mail.member, "waiting", mail.next_attempt_at, mail.last_error)
    return MailStatus(mail.member, "failed", mail.queued_at, mail.last_error)
