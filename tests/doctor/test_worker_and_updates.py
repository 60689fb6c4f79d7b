"""Workers, updates and emails: fine, late, and given up."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from rollbook.accounts.members import members
from rollbook.accounts.models import AccountMail, Member
from rollbook.districts.models import District
from rollbook.doctor import worker_and_updates
from rollbook.doctor.result import Level
from rollbook.jobs.single_worker.heartbeat import WorkerLock
from rollbook.updates import mails
from rollbook.updates.models import FileChunk, ResultMail, UpdateJob
from rollbook.updates.state_machine import State
from rollbook.updates.undoing import start
from tests.doctor.conftest import Here, results
from tests.updates.night import a_class, enroll, finish, run, send

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def changed(update: UpdateJob, **facts: object) -> UpdateJob:
    UpdateJob.objects.filter(pk=update.pk).update(**facts)
    return update


@pytest.fixture
def update(maple: District, manager: Member) -> UpdateJob:
    """An update that is waiting."""
    return send(maple, a_class(1), member=manager)


@pytest.mark.only_on("sqlite")
def test_a_running_worker(here: Here) -> None:
    presence = WorkerLock()
    assert presence.acquire()
    try:
        [(level, what)] = results(worker_and_updates.worker(here()))
    finally:
        presence.release()
    assert (level, what.startswith("a worker is running, last seen at 20")) == (Level.OK, True)


def test_no_worker_is_a_warning_unless_an_update_is_waiting(here: Here, maple: District) -> None:
    [(level, what)] = results(worker_and_updates.worker(here()))
    assert (level, what.endswith("so the next update will wait")) == (Level.WARNING, True)
    send(maple, a_class(1))
    [(level, what)] = results(worker_and_updates.worker(here()))
    assert (level, what.endswith("1 update waiting for one")) == (Level.ERROR, True)


def test_updates_with_progress_are_counted(here: Here, update: UpdateJob, cedar: District) -> None:
    changed(send(cedar, a_class(1)), state=State.CHECKING, started_at=timezone.now())
    assert results(worker_and_updates.updates(here())) == [
        (
            Level.OK,
            "1 in progress, 1 waiting, 0 plans to be decided on, none failed in the last 7 days",
        )
    ]


@pytest.mark.parametrize("state", [State.CHECKING, State.APPLYING])
def test_an_update_without_progress(here: Here, update: UpdateJob, state: State) -> None:
    now = timezone.now()
    changed(update, state=State.CHECKING, started_at=now - HOUR)
    if state is State.APPLYING:
        changed(update, state=state)
    changed(update, progressed_at=now - 9 * MINUTE)
    assert results(worker_and_updates.updates(here()))[0][0] == Level.OK
    changed(update, progressed_at=now - 11 * MINUTE)
    [(level, what)] = results(worker_and_updates.updates(here()))
    words = f"update 1 of maple-usd is {state}, without progress since "
    assert (level, what.startswith(words)) == (Level.ERROR, True)


def test_an_update_that_waits_long_is_an_error_unless_its_district_is_busy(
    here: Here, update: UpdateJob, maple: District
) -> None:
    now = timezone.now()
    changed(update, received_at=now - 2 * HOUR)
    [(level, what)] = results(worker_and_updates.updates(here()))
    assert (level, what.startswith("update 1 of maple-usd has been waiting since ")) == (
        Level.ERROR,
        True,
    )
    second = send(maple, a_class(2))
    changed(second, received_at=now - 2 * HOUR)
    assert results(worker_and_updates.updates(here()))[0][1].startswith(
        "update 1 of maple-usd, and 1 other too, has been waiting since "
    )
    changed(update, state=State.CHECKING, started_at=now)
    assert [level for level, _ in results(worker_and_updates.updates(here()))] == [Level.OK]


def test_an_undo_has_no_file_to_be_missed(here: Here, update: UpdateJob) -> None:
    finish(update)
    enroll(update.district, a_class(1))
    undo = start.start(update.district, 2, None, "rollbook", timezone.now())
    assert undo.state == State.RECEIVED
    assert [level for level, _ in results(worker_and_updates.updates(here()))] == [Level.OK]


def test_an_update_without_its_file(here: Here, update: UpdateJob) -> None:
    (settings.SPOOL / update.spool_name).unlink()
    if FileChunk.objects.exists():  # on PostgreSQL the folder holds copies
        assert [level for level, _ in results(worker_and_updates.updates(here()))] == [Level.OK]
        FileChunk.objects.all().delete()
    what = f"the file of update 1 of maple-usd is missing from {settings.SPOOL}"
    assert results(worker_and_updates.updates(here())) == [(Level.ERROR, what)]
    changed(update, state=State.CANCELED, ended_at=timezone.now())
    assert [level for level, _ in results(worker_and_updates.updates(here()))] == [Level.OK]


def test_a_recent_failure_is_reported_with_its_reference(here: Here, update: UpdateJob) -> None:
    now = timezone.now()
    changed(update, state=State.CHECKING, started_at=now)
    changed(update, state=State.FAILED, ended_at=now, error_reference="abc123")
    [(level, what)] = results(worker_and_updates.updates(here()))
    assert level == Level.WARNING
    assert what.startswith("update 1 of maple-usd failed at ")
    assert what.endswith("because of a problem in Rollbook, reference abc123")
    changed(update, ended_at=now - timedelta(days=8))
    assert [level for level, _ in results(worker_and_updates.updates(here()))] == [Level.OK]


@pytest.fixture
def email(update: UpdateJob) -> ResultMail:
    """An email that is due."""
    finish(update)
    mails.queue_result_mails()
    return ResultMail.objects.get()


def save(email: ResultMail, **facts: object) -> None:
    ResultMail.objects.filter(pk=email.pk).update(**facts)


def test_without_emails(here: Here, maple: District) -> None:
    run(maple, a_class(1))
    assert results(worker_and_updates.emails(here())) == [
        (Level.OK, "none waiting, and none was ever sent")
    ]


def test_an_email_that_was_just_queued_or_sent_is_ok(here: Here, email: ResultMail) -> None:
    assert [level for level, _ in results(worker_and_updates.emails(here()))] == [Level.OK]
    save(email, sent_at=timezone.now(), next_attempt_at=None, attempts=1)
    [(level, what)] = results(worker_and_updates.emails(here()))
    assert (level, what.startswith("none waiting; the last was sent at 20")) == (Level.OK, True)


def test_a_postponed_email(here: Here, email: ResultMail) -> None:
    save(email, attempts=3, last_error="SMTPSenderRefused 451")
    about = "the latest about update 1 of maple-usd, last error SMTPSenderRefused 451"
    assert results(worker_and_updates.emails(here())) == [
        (Level.WARNING, f"tried, but not sent yet: 1 email, {about}")
    ]


def test_an_email_that_was_never_tried(here: Here, email: ResultMail) -> None:
    save(email, queued_at=timezone.now() - HOUR)
    about = "the latest about update 1 of maple-usd"
    assert results(worker_and_updates.emails(here())) == [
        (Level.WARNING, f"overdue, but never tried: 1 email, {about}")
    ]


def test_an_email_that_was_given_up(here: Here, email: ResultMail) -> None:
    save(email, next_attempt_at=None, attempts=60, last_error="TimeoutError")
    [(level, what)] = results(worker_and_updates.emails(here()))
    assert (
        level,
        what.startswith("given up in the last 7 days: 1 email, the latest about update 1"),
    ) == (
        Level.WARNING,
        True,
    )
    save(email, queued_at=timezone.now() - timedelta(days=8))
    assert [level for level, _ in results(worker_and_updates.emails(here()))] == [Level.OK]


@pytest.mark.parametrize("last_error", ["", "MailObsolete"])
def test_an_email_that_nobody_needed_is_no_problem(
    here: Here, email: ResultMail, last_error: str
) -> None:
    save(email, next_attempt_at=None, attempts=1, last_error=last_error)
    assert [level for level, _ in results(worker_and_updates.emails(here()))] == [Level.OK]


def test_an_email_about_an_account_counts_like_one_about_an_update(
    here: Here, maple: District
) -> None:
    now = timezone.now()
    members.invite(maple, "new@maple.example", "Neil", "Park", "district manager", [], None, now)
    AccountMail.objects.update(attempts=1, last_error="TimeoutError")
    about = "the latest about the account of a member of maple-usd, last error TimeoutError"
    assert results(worker_and_updates.emails(here())) == [
        (Level.WARNING, f"tried, but not sent yet: 1 email, {about}")
    ]
    AccountMail.objects.update(
        next_attempt_at=None, last_error=""
    )  # put away, as nobody wanted it any more
    assert [level for level, _ in results(worker_and_updates.emails(here()))] == [Level.OK]
