"""What doctor says about backups, and after a restore."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rollbook.accounts.models import Installation, Member
from rollbook.districts.models import District
from rollbook.doctor import backup
from rollbook.doctor.installation import Installation as Examined
from rollbook.doctor.result import CheckResult, Level
from rollbook.operations.backup.last import record_backup
from tests.operations.every_table import fill, store

pytestmark = pytest.mark.django_db


def results() -> list[CheckResult]:
    return list(backup.check(Examined.__new__(Examined)))


def test_an_installation_without_students_needs_no_backup(manager: Member) -> None:
    assert [each.level for each in results()] == [Level.OK]


@pytest.mark.statement("S39")
def test_a_missing_or_old_backup_is_a_warning() -> None:
    fill()
    [missing] = results()
    assert (missing.level, missing.what) == (Level.WARNING, "no backup was ever made")
    record_backup(timezone.now() - timedelta(hours=49), 2_500_000)
    [old] = results()
    assert old.level is Level.WARNING
    assert "2.5 MB, which is more than 2 days ago" in old.what
    record_backup(timezone.now(), 2_500_000)
    [recent] = results()
    assert recent.level is Level.OK


def test_after_a_restore_files_that_no_update_refers_to_are_listed() -> None:
    fill()
    record_backup(timezone.now(), 1)
    name = store(District.objects.all()[0], b"STUDENT_ID\n00999\n")["spool_name"]
    assert len(results()) == 1
    Installation.objects.update(restored_at=timezone.now())
    _, unknown = results()
    assert unknown.level is Level.WARNING
    assert str(name) in unknown.what
    assert "rollbook student load" in unknown.fix
