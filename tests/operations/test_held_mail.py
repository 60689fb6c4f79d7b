"""Emails and retention after a restore, in this process."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rollbook.accounts import mail_hold, mails, retention_guard
from rollbook.accounts.models import AccountMail, AccountMailKind, Installation, Member
from rollbook.districts.models import District
from rollbook.jobs import housekeeping
from rollbook.operations import held_mail
from rollbook.operations.backup import last_backup
from rollbook.operations.backup.last import record_backup
from rollbook.updates.receiving import files, receive
from tests.operations.every_table import store

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(manager: Member) -> None:
    mails.queue_mail(manager, AccountMailKind.PASSWORD_CHANGED, timezone.now())
    Installation.objects.update(mail_held_since=timezone.now())


def test_held_emails_are_not_sent_until_they_are_released(held: None) -> None:
    assert housekeeping.send_mails() == 0
    assert AccountMail.objects.get().attempts == 0
    released = held_mail.release(timezone.now(), drop=False)
    assert released
    assert released.accounts == 1
    assert mail_hold.held_since() is None
    assert housekeeping.send_mails() == 1
    assert AccountMail.objects.get().sent_at


def test_dropped_emails_are_never_sent(held: None) -> None:
    assert held_mail.release(timezone.now(), drop=True)
    assert housekeeping.send_mails() == 0
    assert AccountMail.objects.get().last_error == "dropped after a restore"


def test_emails_that_are_not_held_are_not_dropped(manager: Member) -> None:
    mails.queue_mail(manager, AccountMailKind.PASSWORD_CHANGED, timezone.now())
    assert held_mail.release(timezone.now(), drop=True) is None
    assert held_mail.waiting().accounts == 1


def test_no_uploaded_file_is_swept_while_retention_is_stopped(maple: District) -> None:
    name = str(store(maple, b"STUDENT_ID\n")["spool_name"])
    retention_guard.stop("a backup was restored", timezone.now())
    assert receive.remove_orphaned_files(timedelta()) == 0
    assert files.path_of(name).exists()
    assert retention_guard.resume(timezone.now())
    assert receive.remove_orphaned_files(timedelta()) == 1


def test_while_a_backup_copies_files_none_is_deleted(maple: District) -> None:
    name = str(store(maple, b"STUDENT_ID\n")["spool_name"])
    with files.hold_removals() as is_alone:
        assert is_alone
        files.remove([name])
        assert files.path_of(name).exists()
    files.remove([name])
    assert not files.path_of(name).exists()


def test_the_last_backup_is_recorded(maple: District) -> None:
    assert last_backup() is None
    now = timezone.now()
    record_backup(now, 12_345)
    found = last_backup()
    assert found
    assert (found.at, found.size) == (now, 12_345)
