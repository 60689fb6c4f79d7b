"""How an update went, moment by moment, whom its results were mailed to, and which file it was about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollbook.staff.models import Member
from rollbook.updates.findings import Columns
from rollbook.updates.models import Letter, Update
from rollbook.updates.moves import LIVE


@dataclass(frozen=True)
class Moment:
    """One of ``received``, ``begun``, ``checked`` and ``ended``: when, and how long it took from the one before."""

    what: str
    at: datetime
    took: timedelta | None


@dataclass(frozen=True)
class Mailed:
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
    were read, and the names of those that were not."""

    name: str
    size: int
    digest: str
    encoding: str
    read_as: str
    rows: int
    known: tuple[str, ...]
    ignored: tuple[str, ...]


def timeline(update: Update) -> tuple[Moment, ...]:
    """The moments that have come, in their order."""
    return tuple(_moments(update))


def letters(update: Update) -> tuple[Mailed, ...]:
    """Those to every reader of an ended update, by their e-mail; none before they are written."""
    found = Letter.objects.filter(update=update).select_related("member").order_by("member__email")
    return tuple(_mailed(letter) for letter in found)


def file_facts(update: Update) -> FileFacts:
    """What is known of the update's file."""
    columns = Columns.of(update.header)
    return FileFacts(
        name=update.file_name,
        size=update.file_size,
        digest=update.file_digest,
        encoding=update.encoding,
        read_as=update.read_as,
        rows=update.rows,
        known=columns.known,
        ignored=columns.ignored,
    )


def _moments(update: Update) -> Iterator[Moment]:
    before: datetime | None = None
    ended_at = None if update.state in LIVE else update.ended_at
    for what, at in (
        ("received", update.received_at),
        ("begun", update.started_at),
        ("checked", update.applying_at),
        ("ended", ended_at),
    ):
        if at:
            yield Moment(what, at, at - before if before else None)
            before = at


def _mailed(letter: Letter) -> Mailed:
    if letter.sent_at:
        return Mailed(letter.member, "sent", letter.sent_at, "")
    if letter.next_try_at:
        return Mailed(letter.member, "waiting", letter.next_try_at, letter.last_error)
    return Mailed(letter.member, "failed", letter.written_at, letter.last_error)
