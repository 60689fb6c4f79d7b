"""What each secret key is for, what still needs each version of it, and what is lost with it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from rollbook.accounts import district_keys, key_fingerprints, key_ring
from rollbook.accounts.auth import second_factor
from rollbook.accounts.auth.emailed_links import LIFETIME
from rollbook.accounts.district_keys import KeyPurpose
from rollbook.accounts.models import (
    AccountMail,
    AuditSeal,
    KeyFingerprint,
    KeyState,
    RecoveryCode,
    Session,
)
from rollbook.secret_keys import file_name
from rollbook.students import passwords
from rollbook.students.models import Student
from rollbook.text import count_of
from rollbook.updates.models import UpdateJob

PURPOSES: Mapping[str, str] = {
    key_ring.SESSION: "signs sessions and emailed links",
    key_ring.LOGINS: "protects two-step verification and seals the audit log",
    key_ring.STUDENT_PASSWORDS: "protects students' passwords",
    key_ring.STUDENT_PASSWORD_MARKS: "detects unchanged passwords in files",
    key_ring.ROW_DIGESTS: "recognizes unchanged rows of files",
    key_ring.DISTRICT_KEYS: "encrypts the keys of districts, which encrypt uploaded files",
}
"""What each key is for, in the order of ``key_ring.NAMES``."""


@dataclass(frozen=True)
class ListedVersion:
    """A version of a key, without its bytes.

    Attributes:
        name: The name of the key.
        version: The version.
        state: What it is used for.
        purpose: What the key is for.
        created_at: When it was created; None if unknown.
        needed_by: What needs this version, such as ``3 audit seals``.
        problem: What is wrong with the file on this machine, or an empty string.
    """

    name: str
    version: int
    state: KeyState
    purpose: str
    created_at: datetime | None
    needed_by: tuple[str, ...]
    problem: str


def list_versions() -> list[ListedVersion]:
    """Return all versions of all keys that the database knows."""
    folder: Path = settings.KEYS
    found = key_fingerprints.find_problems(folder, key_ring.load_versions())
    problems = {(problem.name, problem.version): problem.reason for problem in found}
    rows = sorted(
        KeyFingerprint.objects.filter(name__in=key_ring.NAMES),
        key=lambda row: (key_ring.NAMES.index(row.name), row.version),
    )
    return [
        ListedVersion(
            name=row.name,
            version=row.version,
            state=KeyState(row.state),
            purpose=PURPOSES[row.name],
            created_at=row.created_at or _created_at(folder / file_name(row.name, row.version)),
            needed_by=tuple(needs(row)),
            problem=problems.get((row.name, row.version), ""),
        )
        for row in rows
    ]


def needs(row: KeyFingerprint) -> Iterator[str]:
    """Yield what needs this version of a key, each with its number."""
    for noun, count in _NEEDS[row.name](row):
        if count:
            yield count_of(count, noun)


def losses(row: KeyFingerprint) -> list[str]:
    """Return a sentence for everything that is lost with this version of a key."""
    if row.state == KeyState.STAGED:
        return ["Nothing, as nothing has been written with it yet."]
    return list(_LOSSES[row.name](row)) or ["Nothing, as nothing has been written with it."]


def _created_at(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return None


_Counts = Iterator[tuple[str, int]]


def _session_needs(row: KeyFingerprint) -> _Counts:
    """Count by time: a session or link doesn't say which key signed it."""
    since = row.changed_at
    if row.state == KeyState.RETIRED and since and since + max(LIFETIME.values()) < timezone.now():
        return
    if row.state in key_fingerprints.NEEDED:
        yield "session", _sessions()
        yield "emailed link", _links()


def _sessions() -> int:
    now = timezone.now()
    return Session.objects.filter(member__isnull=False, expire_date__gt=now).count()


def _links() -> int:
    """Count the emails whose links may still be used."""
    now = timezone.now()
    return sum(
        AccountMail.objects.filter(kind=kind.value, sent_at__gt=now - lifetime).count()
        for kind, lifetime in LIFETIME.items()
    )


def _login_needs(row: KeyFingerprint) -> _Counts:
    codes = RecoveryCode.objects.filter(key_version=row.version)
    yield "two-step verification secret", second_factor.encrypted_with(row.version).count()
    yield "recovery code", codes.count()
    yield "audit seal", AuditSeal.objects.filter(key_version=row.version).count()


def _password_needs(row: KeyFingerprint) -> _Counts:
    yield "student password", _passwords(row)


def _passwords(row: KeyFingerprint) -> int:
    return Student.objects.filter(passwords.with_key(row.name, row.version)).count()


def _row_needs(row: KeyFingerprint) -> _Counts:
    yield from ()


def _district_key_needs(row: KeyFingerprint) -> _Counts:
    yield "district key", district_keys.wrapped_with(row.version).count()


_NEEDS: Mapping[str, Callable[[KeyFingerprint], _Counts]] = {
    key_ring.SESSION: _session_needs,
    key_ring.LOGINS: _login_needs,
    key_ring.STUDENT_PASSWORDS: _password_needs,
    key_ring.STUDENT_PASSWORD_MARKS: _password_needs,
    key_ring.ROW_DIGESTS: _row_needs,
    key_ring.DISTRICT_KEYS: _district_key_needs,
}


def _session_losses(row: KeyFingerprint) -> Iterator[str]:
    yield f"{count_of(_sessions(), 'session')} will end; everyone has to sign in again."
    yield (
        f"{count_of(_links(), 'emailed link')} for choosing a password will stop working; send "
        "invitations again with `rollbook staff reinvite`."
    )


def _login_losses(row: KeyFingerprint) -> Iterator[str]:
    factors = second_factor.encrypted_with(row.version)
    if count := factors.count():
        yield (
            f"{count_of(count, 'staff member')} must set up two-step verification again; until "
            "then the password alone is enough to sign in."
        )
    codes = RecoveryCode.objects.filter(key_version=row.version)
    others = codes.exclude(second_factor__in=factors).values("second_factor").distinct()
    if count := others.count():
        yield f"{count_of(count, 'staff member')} must create new recovery codes."
    if count := AuditSeal.objects.filter(key_version=row.version).count():
        yield f"{count_of(count, 'audit seal')} can no longer be verified."


def _password_losses(row: KeyFingerprint) -> Iterator[str]:
    if count := _passwords(row):
        yield (
            f"{count_of(count, 'student password')} can no longer be used; the next file with the "
            "column PASSWORD sets them again, and it is read in full, which takes longer."
        )


def _mark_losses(row: KeyFingerprint) -> Iterator[str]:
    if count := _passwords(row):
        yield (
            f"{count_of(count, 'student password')} can still be used, but will count as changed "
            "when a file contains them again."
        )


def _row_losses(row: KeyFingerprint) -> Iterator[str]:
    yield "The next file of each district is read in full, which takes longer."


def _district_key_losses(row: KeyFingerprint) -> Iterator[str]:
    districts = district_keys.wrapped_with(row.version).values("district")
    stored = UpdateJob.objects.filter(district__in=districts, file_removed_at=None)
    if count := stored.count():
        yield (
            f"{count_of(count, 'uploaded file')} can no longer be read, nor can drafts; an update "
            "that hasn't ended fails, and its file has to be uploaded again."
        )
    marks = district_keys.wrapped_with(row.version).filter(purpose=KeyPurpose.PASSWORD_MARKS.value)
    if marks.exists():
        yield (
            "Students' passwords can still be used, but will count as changed when a file "
            "contains them again."
        )


_LOSSES: Mapping[str, Callable[[KeyFingerprint], Iterator[str]]] = {
    key_ring.SESSION: _session_losses,
    key_ring.LOGINS: _login_losses,
    key_ring.STUDENT_PASSWORDS: _password_losses,
    key_ring.STUDENT_PASSWORD_MARKS: _mark_losses,
    key_ring.ROW_DIGESTS: _row_losses,
    key_ring.DISTRICT_KEYS: _district_key_losses,
}
