"""Each condition of the table: what it finds, and when it finds nothing."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from pytest_django import Settings

from rollbook.accounts import installation_id
from rollbook.accounts.models import AccountMail, KeyFingerprint, KeyState, Member, RetentionGuard
from rollbook.districts.models import District
from rollbook.operations.alerts import backups, certificate, conditions
from rollbook.operations.alerts.conditions import CONDITIONS
from rollbook.operations.backup.last import record_backup
from rollbook.updates.engine import WorkerStatus
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import State
from tests.updates.night import a_class, send

NOW = timezone.now()
DISK = {
    "f_bsize": 4_096_000,
    "f_frsize": 4_096_000,
    "f_blocks": 9_000,
    "f_bfree": 3_000,
    "f_bavail": 3_000,
    "f_files": 9_000,
    "f_ffree": 1_000,
    "f_favail": 1_000,
    "f_flag": 0,
    "f_namemax": 255,
}
AT = datetime(2026, 11, 29, 8, 0, 11, tzinfo=UTC)


def test_every_condition_has_a_text_for_people() -> None:
    codes = [condition.code for condition in CONDITIONS]
    assert len(set(codes)) == len(codes)
    for condition in CONDITIONS:
        assert condition.fix.endswith(".")
        assert not condition.title.endswith(".")


@pytest.mark.django_db
def test_on_a_healthy_installation_only_the_worker_is_missing() -> None:
    installation_id.adopt()
    record_backup(NOW, 1)
    found = {one.code: one.find(NOW) for one in CONDITIONS}
    assert found.pop("worker_gone")
    assert {code for code, problem in found.items() if problem} <= {"disk_nearly_full"}


@pytest.mark.parametrize(
    ("status", "found"),
    [
        (WorkerStatus(alive=True, at=AT), ""),
        (WorkerStatus(alive=False, at=AT), "the last one was seen at 2026-11-29 08:00:11 UTC"),
        (WorkerStatus(alive=False, at=None), "none has ever run"),
    ],
)
def test_a_worker(monkeypatch: pytest.MonkeyPatch, status: WorkerStatus, found: str) -> None:
    monkeypatch.setattr(conditions, "worker_status", lambda: status)
    assert conditions.worker_gone(NOW) == found


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, ""),
        ({"f_bavail": 2_999}, "12.3 GB are free on the disk of {data}"),
        ({"f_flag": os.ST_RDONLY}, "the file system of {data} is read-only"),
        ({"f_favail": 999}, "the disk of {data} has room for only 999 more files"),
        ({"f_favail": 0, "f_files": 0}, ""),  # a file system that doesn't count its files
    ],
)
def test_a_disk(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, int],
    found: str,
) -> None:
    settings.DATA, settings.SPOOL = tmp_path, tmp_path / "none"
    settings.MAX_UPLOAD_BYTES = 3_000 * 4_096_000 // 2
    values = DISK | changes
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result(values.values()))
    assert conditions.disk_nearly_full(NOW) == found.format(data=tmp_path)


@pytest.mark.django_db
@pytest.mark.parametrize(("hours_ago", "is_found"), [(23, True), (25, False)])
def test_failed_updates_of_the_last_day(
    maple: District, manager: Member, hours_ago: int, is_found: bool
) -> None:
    update = UpdateJob.objects.filter(pk=send(maple, a_class(3)).pk)
    update.update(state=State.CHECKING, started_at=NOW)
    assert conditions.update_failed(NOW) == ""
    ended_at = NOW - timedelta(hours=hours_ago)
    update.update(state=State.FAILED, ended_at=ended_at, error_reference="8f3a1c")
    found = "1 update failed in the last 24 hours, the latest was update 1 of maple-usd"
    assert conditions.update_failed(NOW) == (f"{found}, reference 8f3a1c" if is_found else "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, ""),
        (
            {"queued_at": AT, "last_error": "SMTPServerDisconnected"},
            "1 email waiting for more than an hour, the oldest since 2026-11-29 08:00:11 UTC "
            "(SMTPServerDisconnected)",
        ),
        ({"queued_at": AT, "next_attempt_at": None}, ""),  # sent or given up
    ],
)
def test_emails(manager: Member, changes: dict[str, object], found: str) -> None:
    now = AT + timedelta(minutes=61)
    fields: dict[str, object] = {"queued_at": now, "next_attempt_at": now} | changes
    AccountMail.objects.create(member=manager, kind="password changed", **fields)
    assert conditions.emails_stuck(now) == found


@pytest.mark.django_db
def test_a_clock() -> None:
    assert conditions.clock_in_doubt(NOW) == ""
    RetentionGuard.objects.create(checked_at=NOW, stopped_at=NOW, reason="the clock says 2036")
    assert conditions.clock_in_doubt(NOW) == "the clock says 2036"


@pytest.mark.parametrize(
    ("until", "found"),
    [
        (None, None),
        (AT + timedelta(days=21, seconds=1), ""),
        (
            AT + timedelta(days=20),
            "the certificate that clients get expires on 2026-12-19, in 20 days",
        ),
        (AT - timedelta(days=1), "the certificate that clients get expired on 2026-11-28"),
    ],
)
def test_a_certificate(
    monkeypatch: pytest.MonkeyPatch, until: datetime | None, found: str | None
) -> None:
    monkeypatch.setattr(certificate, "_served_until", until)
    assert certificate.find_problem(AT) == found


@pytest.mark.parametrize(
    ("days", "hours", "found"),
    [
        (None, 0, None),
        (None, 48, "no backup has been made with `rollbook backup`"),
        (2, 48, ""),
        (3, 48, "the last backup was made 72 hours ago, at 2026-11-26 08:00 UTC"),
        (3, 96, ""),
        (3, 0, None),
    ],
)
def test_a_backup(
    settings: Settings, db: None, days: int | None, hours: int, found: str | None
) -> None:
    settings.BACKUP_MAX_AGE_HOURS = hours
    installation_id.adopt()
    MigrationRecorder.Migration.objects.update(applied=AT - timedelta(days=9))
    if days:
        record_backup(AT - timedelta(days=days), 1)
    assert backups.find_problem(AT) == found


@pytest.mark.parametrize(("hours", "is_found"), [(1, False), (48, False), (49, True)])
def test_a_new_installation_has_time_for_its_first_backup(
    settings: Settings, db: None, hours: int, is_found: bool
) -> None:
    settings.BACKUP_MAX_AGE_HOURS = 48
    installation_id.adopt()
    MigrationRecorder.Migration.objects.update(applied=AT)
    MigrationRecorder.Migration.objects.filter(app="districts").update(
        applied=AT - timedelta(hours=hours)
    )
    assert bool(backups.find_problem(AT)) is is_found


@pytest.mark.django_db
def test_a_key_that_the_database_needs_is_missing() -> None:
    KeyFingerprint.objects.create(name="logins", version=7, fingerprint="0" * 32)
    found = conditions.key_missing(NOW)
    assert "logins" in found
    KeyFingerprint.objects.update(state=KeyState.STAGED)
    assert conditions.key_missing(NOW) == ""
