"""Accept that a key is lost: replace it, reset what can't be read without it, and say so."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from rollbook.accounts import district_keys, key_fingerprints, key_ring
from rollbook.accounts.audit import log
from rollbook.accounts.auth import second_factor
from rollbook.accounts.key_fingerprints import KeyProblem
from rollbook.accounts.models import KeyFingerprint, KeyState, Session
from rollbook.operations.keys import catalog, loss_notices, rotation
from rollbook.secret_keys import FIRST_VERSION
from rollbook.system_accounts import command_agent


@dataclass(frozen=True)
class Loss:
    """A version of a key that is lost.

    Attributes:
        problem: What is wrong with its file.
        consequences: Sentences about what is lost with it.
    """

    problem: KeyProblem
    consequences: tuple[str, ...]


def find_losses(name: str) -> list[Loss]:
    """Return the versions of a key that this machine doesn't have, and what is lost with them."""
    rows = {row.version: row for row in KeyFingerprint.objects.filter(name=name)}
    return [
        Loss(problem, tuple(catalog.losses(rows.get(problem.version) or _unknown(name))))
        for problem in _problems(name)
    ]


def accept(name: str, now: datetime) -> KeyFingerprint | None:
    """Give up the versions of a key that this machine doesn't have, in one transaction.

    Args:
        name: The name of the key.
        now: The current time.

    Returns:
        The new version, if the one to write with was lost.

    Raises:
        KeyUnusable: The file of the new version can't be created.
    """
    with transaction.atomic():
        rows = rotation.lock(name)
        lost = [problem.version for problem in _problems(name)]
        if not rows and lost:
            rows = [_unknown(name)]
            rows[0].save()
        lost_rows = [row for row in rows if row.version in lost]
        for row in lost_rows:
            _mark_lost(row, now)
        is_replaced = bool(lost) and not any(row.state == KeyState.ACTIVE for row in rows)
        new = None
        if is_replaced:
            new = rotation.create_version(name, rows, KeyState.ACTIVE, now)
    key_ring.refresh()
    return new


def _problems(name: str) -> list[KeyProblem]:
    folder: Path = settings.KEYS
    known = key_ring.load_versions()
    problems = (
        *key_fingerprints.find_problems(folder, known),
        *key_fingerprints.find_problems_of_new_keys(folder, known),
    )
    return [problem for problem in problems if problem.name == name]


def _unknown(name: str) -> KeyFingerprint:
    """Return the row of a damaged key that was never used with the database."""
    return KeyFingerprint(
        name=name, version=FIRST_VERSION, fingerprint="", state=KeyState.STAGED.value
    )


def _mark_lost(row: KeyFingerprint, now: datetime) -> None:
    """Mark a version as lost, notify whom it concerns, and reset what needs it."""
    consequences = " ".join(catalog.losses(row))
    loss_notices.notify_managers(row, now)
    if row.name == key_ring.SESSION and row.state != KeyState.STAGED:
        Session.objects.all().delete()
    if row.name == key_ring.LOGINS:
        _turn_off_second_factors(row, now)
    if row.name == key_ring.DISTRICT_KEYS:
        district_keys.remove_lost(row.version)
    row.state, row.changed_at = KeyState.LOST.value, now
    row.save(update_fields=["state", "changed_at"])
    log.record(
        "keys accept-loss", "done", agent=command_agent(), detail=f"{row}: {consequences}", now=now
    )


def _turn_off_second_factors(row: KeyFingerprint, now: datetime) -> None:
    for member in second_factor.turn_off_lost(row.version, now):
        log.record(
            "staff second-factor-off",
            "done",
            district=member.district,
            agent=command_agent(),
            detail=f"turned off for {member.email}: the key is lost",
            now=now,
        )
