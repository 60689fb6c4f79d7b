"""Workers, updates and letters: well, late, and given up."""

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
from tests.doctor.conftest import Here, told
from tests.updates.night import a_class, finish, run, send

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def changed(update: UpdateJob, **facts: object) -> UpdateJob:
    UpdateJob.objects.filter(pk=update.pk).update(**facts)
    return update


@pytest.fixture
def update(maple: District, manager: Member) -> UpdateJob:
    """One that waits."""
    return send(maple, a_class(1), member=manager)


@pytest.mark.only_on("sqlite")
def test_a_worker_that_lives(here: Here) -> None:
    presence = WorkerLock()
    assert presence.acquire()
    try:
        [(mark, what)] = told(worker_and_updates.worker(here()))
    finally:
        presence.release()
    assert (mark, what.startswith("a worker lives, last seen at 20")) == (Level.OK, True)


def test_no_worker_is_a_warning_until_something_waits_for_it(here: Here, maple: District) -> None:
    [(mark, what)] = told(worker_and_updates.worker(here()))
    assert (mark, what.endswith("so the next update will wait")) == (Level.WARNING, True)
    send(maple, a_class(1))
    [(mark, what)] = told(worker_and_updates.worker(here()))
    assert (mark, what.endswith("1 update waiting for one")) == (Level.ERROR, True)


def test_updates_that_move_are_counted(here: Here, update: UpdateJob, cedar: District) -> None:
    changed(send(cedar, a_class(1)), state=State.CHECKING, started_at=timezone.now())
    assert told(worker_and_updates.updates(here())) == [
        (Level.OK, "1 in work, 1 waiting, none failed in the last 7 days")
    ]


@pytest.mark.parametrize("state", [State.CHECKING, State.APPLYING])
def test_an_update_that_stands_still(here: Here, update: UpdateJob, state: State) -> None:
    now = timezone.now()
    changed(update, state=State.CHECKING, started_at=now - HOUR)
    if state is State.APPLYING:
        changed(update, state=state)
    changed(update, progressed_at=now - 9 * MINUTE)
    assert told(worker_and_updates.updates(here()))[0][0] == Level.OK
    changed(update, progressed_at=now - 11 * MINUTE)
    [(mark, what)] = told(worker_and_updates.updates(here()))
    words = f"update 1 of maple-usd is {state}, and nothing has moved since "
    assert (mark, what.startswith(words)) == (Level.ERROR, True)


def test_an_update_that_waits_long_is_an_error_unless_another_of_its_district_is_in_work(
    here: Here, update: UpdateJob, maple: District
) -> None:
    now = timezone.now()
    changed(update, received_at=now - 2 * HOUR)
    [(mark, what)] = told(worker_and_updates.updates(here()))
    assert (mark, what.startswith("update 1 of maple-usd waits since ")) == (Level.ERROR, True)
    second = send(maple, a_class(2))
    changed(second, received_at=now - 2 * HOUR)
    assert told(worker_and_updates.updates(here()))[0][1].startswith(
        "update 1 of maple-usd, and 1 other too, waits since "
    )
    changed(update, state=State.CHECKING, started_at=now)
    assert [mark for mark, _ in told(worker_and_updates.updates(here()))] == [Level.OK]


def test_an_update_whose_file_is_gone(here: Here, update: UpdateJob) -> None:
    (settings.SPOOL / update.spool_name).unlink()
    if FileChunk.objects.exists():  # on PostgreSQL the folder holds copies
        assert [mark for mark, _ in told(worker_and_updates.updates(here()))] == [Level.OK]
        FileChunk.objects.all().delete()
    what = f"the file of update 1 of maple-usd is gone from {settings.SPOOL}"
    assert told(worker_and_updates.updates(here())) == [(Level.ERROR, what)]
    changed(update, state=State.CANCELED, ended_at=timezone.now())
    assert [mark for mark, _ in told(worker_and_updates.updates(here()))] == [Level.OK]


def test_a_failure_of_the_last_days_is_told_with_its_reference(
    here: Here, update: UpdateJob
) -> None:
    now = timezone.now()
    changed(update, state=State.CHECKING, started_at=now)
    changed(update, state=State.FAILED, ended_at=now, error_reference="abc123")
    [(mark, what)] = told(worker_and_updates.updates(here()))
    assert mark == Level.WARNING
    assert what.startswith("update 1 of maple-usd failed at ")
    assert what.endswith("by a fault of ours, reference abc123")
    changed(update, ended_at=now - timedelta(days=8))
    assert [mark for mark, _ in told(worker_and_updates.updates(here()))] == [Level.OK]


@pytest.fixture
def letter(update: UpdateJob) -> ResultMail:
    """One that is due."""
    finish(update)
    mails.queue_result_mails()
    return ResultMail.objects.get()


def noted(letter: ResultMail, **facts: object) -> None:
    ResultMail.objects.filter(pk=letter.pk).update(**facts)


def test_without_letters_that_is_said(here: Here, maple: District) -> None:
    run(maple, a_class(1))
    assert told(worker_and_updates.letters(here())) == [
        (Level.OK, "none waits, and none was ever sent")
    ]


def test_a_letter_that_was_just_written_or_sent_is_well(here: Here, letter: ResultMail) -> None:
    assert [mark for mark, _ in told(worker_and_updates.letters(here()))] == [Level.OK]
    noted(letter, sent_at=timezone.now(), next_attempt_at=None, attempts=1)
    [(mark, what)] = told(worker_and_updates.letters(here()))
    assert (mark, what.startswith("none waits; the last was sent at 20")) == (Level.OK, True)


def test_a_letter_that_is_put_off(here: Here, letter: ResultMail) -> None:
    noted(letter, attempts=3, last_error="SMTPSenderRefused 451")
    about = "the latest about update 1 of maple-usd, last error SMTPSenderRefused 451"
    assert told(worker_and_updates.letters(here())) == [
        (Level.WARNING, f"tried, but not sent yet: 1 letter, {about}")
    ]


def test_a_letter_that_nobody_tries(here: Here, letter: ResultMail) -> None:
    noted(letter, queued_at=timezone.now() - HOUR)
    about = "the latest about update 1 of maple-usd"
    assert told(worker_and_updates.letters(here())) == [
        (Level.WARNING, f"not even tried, though it is time: 1 letter, {about}")
    ]


def test_a_letter_that_was_given_up(here: Here, letter: ResultMail) -> None:
    noted(letter, next_attempt_at=None, attempts=60, last_error="TimeoutError")
    [(mark, what)] = told(worker_and_updates.letters(here()))
    assert (
        mark,
        what.startswith("given up in the last 7 days: 1 letter, the latest about update 1"),
    ) == (
        Level.WARNING,
        True,
    )
    noted(letter, queued_at=timezone.now() - timedelta(days=8))
    assert [mark for mark, _ in told(worker_and_updates.letters(here()))] == [Level.OK]


def test_a_letter_about_somebodys_access_counts_like_one_about_an_update(
    here: Here, maple: District
) -> None:
    now = timezone.now()
    members.invite(maple, "new@maple.example", "Neil", "Park", "district manager", [], None, now)
    AccountMail.objects.update(attempts=1, last_error="TimeoutError")
    about = "the latest about the account of a member of maple-usd, last error TimeoutError"
    assert told(worker_and_updates.letters(here())) == [
        (Level.WARNING, f"tried, but not sent yet: 1 letter, {about}")
    ]
    AccountMail.objects.update(
        next_attempt_at=None, last_error=""
    )  # put away, as nobody wanted it any more
    assert [mark for mark, _ in told(worker_and_updates.letters(here()))] == [Level.OK]
