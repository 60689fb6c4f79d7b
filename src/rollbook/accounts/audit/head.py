"""The newest seal of the audit log, kept outside the database.

The seals reveal an event that was changed or removed, but not that the newest seals are gone
together with their events, or that everything was sealed again with a stolen key. So the number and
digest of the newest seal are also in the data folder of every machine, and are sent to the operator
once a day. The log may only grow beyond what was kept: that seal must still exist, with the same
digest.

Each machine compares and renews its own file every minute. Where the seal doesn't match, the file
stays as it is, and the operator is alerted until the cause is found. After a restore, ``adopt``
accepts the older log, and records that.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from rollbook import atomic_file
from rollbook.accounts.audit import log
from rollbook.accounts.models import AuditSeal, Installation
from rollbook.text import count_of

_FORMAT = re.compile(r"([1-9][0-9]{0,9}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Head:
    """The number and the digest of a seal, written as ``812:5f3c…``."""

    number: int
    digest: str

    @classmethod
    def parse(cls, text: str) -> "Head":
        """Read what ``str`` has written.

        Raises:
            ValueError: The text is something else.
        """
        match = _FORMAT.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                "is not the number and the digest of a seal; copy all of it, from the first digit "
                "to the last of the 64 characters after the colon"
            )
        return cls(int(match[1]), match[2])

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


def newest() -> Head | None:
    """Return the newest seal in the database; None if there is none yet."""
    seal = AuditSeal.objects.order_by("-number").first()
    return Head(seal.number, seal.digest) if seal else None


def path() -> Path:
    """Return the path of the file that keeps the newest seal."""
    file: Path = settings.DATA / "audit-head"
    return file


def find_mismatch(head: Head) -> str:
    """Return how the audit log differs from a seal that was kept; empty if it doesn't."""
    seal = AuditSeal.objects.filter(pk=head.number).first()
    if seal and seal.digest == head.digest:
        return ""
    if seal:
        problem = f"seal {head.number:,} is not the one that was kept: the log was replaced"
    else:
        last = newest()
        missing = head.number - (last.number if last else 0)
        problem = f"the log lacks its newest {count_of(missing, 'seal')}, up to {head.number:,}"
    return problem + _explanation()


def find_mismatch_with_file() -> str:
    """Return how the audit log differs from the file; empty if it doesn't or there is no file."""
    return _compare_with_file()[1]


def _compare_with_file() -> tuple[Head | None, str]:
    """Return the seal in the file, and how the audit log differs from it."""
    try:
        kept = _read()
    except (OSError, ValueError):
        return None, f"{path()} can't be read, or is damaged"
    return kept, find_mismatch(kept) if kept else ""


def keep_newest() -> str:
    """Renew the file if the audit log has only grown; return how it differs from it otherwise."""
    kept, problem = _compare_with_file()
    head = newest()
    if not problem and head and head != kept:
        _write(head)
    return problem


def accept(now: datetime) -> bool:
    """Accept the audit log as it is, although it differs from the file, and record that.

    Returns:
        Whether it differed.
    """
    problem = find_mismatch_with_file()
    head = newest()
    if problem:
        with transaction.atomic():
            log.record("audit", "accepted", agent="rollbook command", detail=problem, now=now)
    if head:
        _write(head)
    else:
        path().unlink(missing_ok=True)
    return bool(problem)


def _read() -> Head | None:
    try:
        return Head.parse(path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _write(head: Head) -> None:
    atomic_file.write(path(), f"{head}\n")


def _explanation() -> str:
    """Return that a backup was restored, which explains an older log."""
    installation = Installation.objects.exclude(restored_at=None).first()
    if installation is None or installation.restored_backup_at is None:
        return ""
    return (
        f"; a backup of {installation.restored_backup_at:%Y-%m-%d %H:%M} UTC was restored at "
        f"{installation.restored_at:%Y-%m-%d %H:%M} UTC, which explains it if that seal is newer"
    )
