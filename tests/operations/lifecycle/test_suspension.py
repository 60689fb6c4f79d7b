"""A suspended district: updates pause, emails wait, data stays; resuming continues it all."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from rollbook.accounts import mails as account_mails
from rollbook.accounts.models import AccountMailKind, AuditEvent, Member
from rollbook.districts.models import District
from rollbook.districts.suspension import DistrictSuspended
from rollbook.operations.lifecycle import deletion
from rollbook.operations.lifecycle.suspension import NotPossible, rename, resume, suspend
from rollbook.updates import mails as update_mails
from rollbook.updates import retention, runner
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import drafts
from rollbook.updates.state_machine import State
from rollbook.updates.transitions import Fenced
from tests.updates.night import a_class, applying, enroll, finish, incoming, run, send, students

REASON = "the contract has ended"


@pytest.fixture
def running(maple: District, small_chunks: None) -> UpdateJob:
    """An update that would change six students."""
    enroll(maple, a_class(6))
    return send(maple, a_class(6, GRADE="9"))


def grades(district: District) -> list[str]:
    return [values["GRADE"] for values in students(district).values()]


def suspend_now(district: District) -> None:
    suspend(district, REASON, timezone.now())


def test_an_update_in_progress_pauses_after_its_step_and_continues_after_resuming(
    maple: District, running: UpdateJob
) -> None:
    steps = applying(running, chunks=1)
    changed = grades(maple).count("9")
    assert 0 < changed < 6
    suspend_now(maple)
    with pytest.raises(Fenced):
        next(steps)
    assert grades(maple).count("9") == changed
    assert runner.next_updates() == []
    assert runner.busy_districts() == []
    assert list(runner.run_steps(running.pk)) == []  # by a worker that found it due before
    running.refresh_from_db()
    assert (running.state, running.attempts_without_progress) == (State.APPLYING, 0)
    resume(maple, timezone.now())
    assert runner.next_updates() == [running.pk]
    assert finish(running).updated == 6


def test_suspending_again_and_again_never_fails_an_update(
    maple: District, running: UpdateJob
) -> None:
    for _ in range(5):
        steps = runner.run_steps(running.pk)
        next(steps, None)
        suspend_now(maple)
        with pytest.raises(Fenced):
            list(steps)  # those that only read have no fence
        resume(maple, timezone.now())
    assert finish(running).state is State.COMPLETED


def test_a_queued_update_does_not_start(maple: District, running: UpdateJob) -> None:
    suspend_now(maple)
    assert list(runner.run_steps(running.pk)) == []
    running.refresh_from_db()
    assert running.state == State.RECEIVED


def test_other_districts_are_not_affected(
    maple: District, cedar: District, running: UpdateJob
) -> None:
    suspend_now(maple)
    theirs = send(cedar, a_class(2))
    assert runner.next_updates() == [theirs.pk]


def test_a_file_that_is_being_received_is_not_stored(maple: District, manager: Member) -> None:
    draft = drafts.create_draft(
        manager, incoming(a_class(1).encode()), file_name="a.csv", now=timezone.now()
    )
    suspend_now(maple)
    count = UpdateJob.objects.count()
    with pytest.raises(DistrictSuspended, match="the contract has ended"):
        send(maple, a_class(1))
    with pytest.raises(DistrictSuspended):
        drafts.create_draft(
            manager, incoming(a_class(2).encode()), file_name="b.csv", now=timezone.now()
        )
    with pytest.raises(DistrictSuspended):
        drafts.submit_draft(draft, "update")  # type: ignore[arg-type]
    assert UpdateJob.objects.count() == count
    assert drafts.find_draft(manager, draft.pk, timezone.now()) == draft


def test_emails_wait_until_the_district_is_resumed(maple: District, manager: Member) -> None:
    run(maple, a_class(1), member=manager)
    account_mails.queue_mail(manager, AccountMailKind.PASSWORD_CHANGED, timezone.now())
    suspend_now(maple)
    assert account_mails.send_due() + update_mails.queue_result_mails() > 0
    assert (update_mails.send_due(), len(mail.outbox)) == (0, 0)
    resume(maple, timezone.now())
    assert (account_mails.send_due(), update_mails.send_due()) == (1, 1)
    assert len(mail.outbox) == 2


def test_retention_continues_while_an_update_is_paused(maple: District, running: UpdateJob) -> None:
    suspend_now(maple)
    later = timezone.now() + timedelta(days=maple.files_kept_days + 1)
    while retention.remove_expired(later):
        pass
    removed = UpdateJob.objects.order_by("number").values_list("file_removed_at", flat=True)
    assert [at is not None for at in removed] == [True, False]


def test_everything_is_audited(maple: District) -> None:
    suspend_now(maple)
    suspend(maple, "two invoices are open", timezone.now())
    resume(maple, timezone.now())
    rename(maple, timezone.now(), name="Maple Unified", slug="maple-unified")
    assert list(AuditEvent.objects.order_by("pk").values_list("action", "result", "detail")) == [
        ("district suspend", "done", REASON),
        ("district suspend", "done", "two invoices are open"),
        ("district resume", "done", ""),
        ("district rename", "done", "maple-usd to maple-unified; Maple USD to Maple Unified"),
    ]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201, "line\x07bell"])
def test_a_reason_must_be_readable(maple: District, reason: str) -> None:
    with pytest.raises(NotPossible, match="the reason must have"):
        suspend(maple, reason, timezone.now())
    maple.refresh_from_db()
    assert not maple.is_suspended


def test_an_active_district_cannot_be_resumed(maple: District) -> None:
    with pytest.raises(NotPossible, match="isn't suspended"):
        resume(maple, timezone.now())


def test_a_district_that_is_being_deleted_stays_so(maple: District) -> None:
    now = timezone.now()
    deletion.start(maple, now, None)
    for action in (
        lambda: suspend(maple, REASON, now),
        lambda: resume(maple, now),
        lambda: rename(maple, now, name="Other"),
    ):
        with pytest.raises(NotPossible, match="is being deleted"):
            action()


@pytest.mark.parametrize(
    ("slug", "text"),
    [
        ("Maple USD", "'Maple USD' can't be a short name; .* such as maple-usd"),
        ("cedar-county", "the short name cedar-county belongs to Cedar County"),
        ("x" * 101, "can't be a short name"),
        ("maple-usd", "has these names"),
    ],
)
def test_a_short_name_must_be_valid_and_free(
    maple: District, cedar: District, slug: str, text: str
) -> None:
    with pytest.raises(NotPossible, match=text):
        rename(maple, timezone.now(), slug=slug)


def test_a_renamed_district_keeps_its_rows_unchanged_by_the_next_file(maple: District) -> None:
    enroll(maple, a_class(3))
    rename(maple, timezone.now(), name="Maple Unified", slug="maple-unified")
    assert run(maple, a_class(3)).unchanged == 3
