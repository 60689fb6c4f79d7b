"""The periodic tasks."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from rollbook.accounts import mails, retention_guard
from rollbook.accounts.audit import log
from rollbook.accounts.models import (
    AccountMailKind,
    AuditEvent,
    Member,
    RetentionGuard,
    Session,
)
from rollbook.districts.models import District
from rollbook.jobs import housekeeping
from rollbook.jobs.housekeeping import PERIODIC_TASKS, PeriodicTask
from rollbook.students.models import Change, Student
from rollbook.updates import runner
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import drafts
from tests.updates.night import a_class, enroll, finish, incoming, send


def test_every_task_has_its_own_name_and_interval() -> None:
    assert [(task.name, task.interval_s, task.cron) for task in PERIODIC_TASKS] == [
        ("mail", 0.25, "* * * * * */15"),
        ("upgrade password hashes", 2.0, "* * * * *"),
        ("remove leftovers of updates", 2.0, "* * * * * */15"),
        ("maintain password marks", 3600.0, "45 * * * *"),
        ("seal old tags", 86400.0, "45 3 * * *"),
        ("seal the audit", 60.0, "* * * * *"),
        ("sweep the spool", 3600.0, "0 * * * *"),
        ("remove expired data", 3600.0, "15 * * * *"),
        ("find unused accounts", 3600.0, "45 * * * *"),
        ("find expiring tokens", 3600.0, "50 * * * *"),
        ("queue weekly summaries", 300.0, "*/5 * * * *"),
        ("finish key rotations", 300.0, "*/5 * * * *"),
        ("continue deletions", 60.0, "* * * * *"),
        ("discard expired plans", 60.0, "* * * * *"),
        ("report missing files", 60.0, "* * * * *"),
        ("notice password spraying", 300.0, "*/5 * * * *"),
        ("check alerts", 60.0, "* * * * *"),
        ("purge jobs", None, "30 * * * *"),
    ]


@pytest.mark.only_on("postgresql")
def test_the_job_queue_has_every_task() -> None:
    from rollbook.jobs.many_workers import tasks

    names = {task.name for task in tasks.housekeeping_app.tasks.values() if task.queue == "chores"}
    assert names == {task.name for task in PERIODIC_TASKS}
    periodic = {
        name: task.cron
        for (name, _), task in tasks.housekeeping_app.periodic_registry.periodic_tasks.items()
    }
    assert periodic == {task.name: task.cron for task in PERIODIC_TASKS}


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("niceness", [0, 5])
def test_a_task_is_repeated_while_it_finds_work(niceness: int) -> None:
    from procrastinate import App
    from procrastinate.testing import InMemoryConnector

    from rollbook.jobs.many_workers import tasks

    item_counts = [2, 1, 0]
    task = PeriodicTask("count", lambda: item_counts.pop(0), None, "* * * * *", niceness=niceness)
    app = App(connector=InMemoryConnector())
    tasks.register(app, task)
    app.configure_task("count").defer()
    app.run_worker(wait=False, install_signal_handlers=False)
    assert item_counts == []


def test_emails_about_updates_and_accounts_are_sent(manager: Member) -> None:
    finish(send(manager.district, a_class(1), member=manager))
    mails.queue_mail(manager, AccountMailKind.PASSWORD_CHANGED, timezone.now())
    assert housekeeping.send_mails() == 3  # one was queued, and both were sent
    assert [sent.to for sent in mail.outbox] == [[manager.email]] * 2
    assert housekeeping.send_mails() == 0


def test_password_hashes_are_upgraded_while_no_update_makes_progress(manager: Member) -> None:
    enroll(manager.district, a_class(3))
    next(runner.run_steps(send(manager.district, a_class(3, GRADE="5")).pk))
    assert housekeeping.upgrade_password_hashes() == 0
    # The update is stuck.
    UpdateJob.objects.update(progressed_at=timezone.now() - timedelta(minutes=2))
    assert housekeeping.upgrade_password_hashes() == 3
    assert housekeeping.upgrade_password_hashes() == 0


@pytest.mark.parametrize(
    "task", [housekeeping.upgrade_password_hashes, housekeeping.remove_leftovers]
)
def test_what_can_wait_waits_for_a_file_that_is_being_received(
    manager: Member, task: Callable[[], int]
) -> None:
    enroll(manager.district, a_class(3))
    file = incoming(b"STUDENT_ID\n")
    assert task() == 0
    file.discard()
    assert task() == 3


def test_leftovers_are_removed_while_no_update_makes_progress(manager: Member) -> None:
    enroll(manager.district, a_class(3))
    next(runner.run_steps(send(manager.district, a_class(3, GRADE="5")).pk))
    assert housekeeping.remove_leftovers() == 0
    UpdateJob.objects.update(progressed_at=timezone.now() - timedelta(minutes=2))
    assert housekeeping.remove_leftovers() == 3
    assert housekeeping.remove_leftovers() == 0


@pytest.mark.statement("S41")
def test_data_whose_retention_has_passed_is_removed(manager: Member) -> None:
    assert housekeeping.remove_expired() == 0
    finish(send(manager.district, a_class(1)))
    log.record("start", "ok", member=manager, now=timezone.now() - timedelta(days=8 * 366))
    housekeeping.seal_audit()
    UpdateJob.objects.update(ended_at=timezone.now() - timedelta(days=15))
    RetentionGuard.objects.update(counted_at=None)  # the next run, an hour later
    assert housekeeping.remove_expired() == 2  # the file and the event
    assert housekeeping.remove_expired() == 0
    results = AuditEvent.objects.filter(action="retention").values_list("result", flat=True)
    assert set(results) == {"files removed", "audit removed"}


@pytest.mark.statement("S41")
def test_many_students_who_left_wait_for_the_next_run(maple: District) -> None:
    enroll(maple, a_class(21, STATUS="inactive"))
    Change.objects.update(changed_at=timezone.now() - timedelta(days=31))
    District.objects.update(leavers_kept_days=30)
    assert housekeeping.remove_expired() == 0
    assert Student.objects.count() == 21
    RetentionGuard.objects.update(counted_at=None)  # the next run, an hour later
    assert housekeeping.remove_expired() == 21
    assert (Student.objects.count(), housekeeping.remove_expired()) == (0, 0)


def test_nothing_is_removed_while_the_clock_is_years_ahead(
    manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(send(manager.district, a_class(1)))
    draft = drafts.create_draft(
        manager, incoming(b"STUDENT_ID,GRADE\n1,4\n"), file_name="x.csv", now=timezone.now()
    )
    assert housekeeping.sweep_spool() == housekeeping.remove_expired() == 0
    ahead = timezone.now() + timedelta(days=3652)
    monkeypatch.setattr(timezone, "now", lambda: ahead)
    for _ in range(3):
        assert housekeeping.sweep_spool() == housekeeping.remove_expired() == 0
    draft.refresh_from_db()
    assert not UpdateJob.objects.exclude(file_removed_at=None).exists()
    assert retention_guard.stopped()


@pytest.mark.parametrize(("minutes", "is_swept"), [(-1, True), (1, False)])
def test_expired_sessions_are_swept(manager: Member, minutes: int, is_swept: bool) -> None:
    now = timezone.now()
    Session.objects.create(
        session_key="x",
        member=manager,
        started_at=now,
        last_seen_at=now,
        expire_date=now + timedelta(minutes=minutes),
    )
    assert housekeeping.sweep_spool() == is_swept
    assert Session.objects.exists() != is_swept
