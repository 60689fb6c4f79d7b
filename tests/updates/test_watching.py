"""The sender of a file who watched its update to the end in the browser gets no email."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.updates import mails, watching
from rollbook.updates.models import ResultMail, UpdateJob
from rollbook.updates.planning import decisions
from rollbook.updates.planning.decisions import Decider
from rollbook.updates.receiving.receive import SOURCE_BROWSER
from rollbook.updates.reporting.timeline import result_mails
from tests.conftest import make_member
from tests.updates.night import a_class, enroll, finish, send
from tests.updates.planning.test_judge import movers


@pytest.fixture
def school(maple: District, manager: Member) -> District:
    enroll(maple, a_class(200))
    mails.queue_result_mails()
    mails.send_due()
    mail.outbox.clear()
    return maple


def uploaded(school: District, member: Member, grade: str = "5", **columns: Any) -> UpdateJob:
    """Return an ended update whose file a member sent in the browser, with its emails queued."""
    options = {"source": SOURCE_BROWSER, **columns}
    update = send(school, a_class(3, GRADE=grade), member=member, **options)
    finish(update)
    mails.queue_result_mails()
    update.refresh_from_db()
    return update


def watch(update: UpdateJob, member: Member) -> None:
    watching.record(update, member, timezone.now())
    update.refresh_from_db()


def recipients_after_grace() -> list[str]:
    """Let the emails become due, send them, and return their recipients."""
    waiting = ResultMail.objects.exclude(next_attempt_at=None)
    waiting.update(next_attempt_at=timezone.now())
    mails.send_due()
    found = sorted(sent.to[0] for sent in mail.outbox)
    mail.outbox.clear()
    return found


def test_the_email_waits_for_the_page_and_is_given_up_once_the_sender_has_seen_it(
    school: District, manager: Member
) -> None:
    update = uploaded(school, manager)
    [queued] = ResultMail.objects.filter(update=update)
    assert queued.next_attempt_at == queued.queued_at + watching.GRACE
    assert mails.send_due() == 0
    watch(update, manager)
    assert recipients_after_grace() == []
    queued.refresh_from_db()
    assert queued.sent_at is None
    assert queued.last_error == "MailObsolete"
    assert result_mails(update) == ()


def test_a_sender_who_left_the_page_gets_the_email(school: District, manager: Member) -> None:
    uploaded(school, manager)
    assert recipients_after_grace() == [manager.email]


def test_to_have_seen_the_page_before_the_end_is_not_enough(
    school: District, manager: Member
) -> None:
    update = send(school, a_class(3, GRADE="5"), member=manager, source=SOURCE_BROWSER)
    watch(update, manager)
    assert update.watched_at is None
    finish(update)
    mails.queue_result_mails()
    assert recipients_after_grace() == [manager.email]


def test_only_the_sender_counts_and_all_others_get_their_email(
    school: District, manager: Member
) -> None:
    other = make_member(school, "eve@maple.example")
    Member.objects.update(receives_results=True)
    update = uploaded(school, manager)
    due = ResultMail.objects.get(update=update, member=other)
    assert due.next_attempt_at == due.queued_at
    watch(update, other)
    assert update.watched_at is None
    watch(update, manager)
    assert recipients_after_grace() == [other.email]


@pytest.mark.parametrize("source", ["curl 8.5", "rollbook"])
def test_the_nightly_file_is_emailed_even_if_its_sender_looks_at_it(
    school: District, manager: Member, source: str
) -> None:
    update = uploaded(school, manager, source=source)
    [queued] = ResultMail.objects.filter(update=update)
    assert queued.next_attempt_at == queued.queued_at
    watch(update, manager)
    assert update.watched_at is None
    assert recipients_after_grace() == [manager.email]


def test_a_held_update_is_emailed_even_to_a_sender_who_saw_it(
    school: District, manager: Member
) -> None:
    held = send(school, movers(60), member=manager, source=SOURCE_BROWSER)
    finish(held)
    mails.queue_result_mails()
    held.refresh_from_db()
    watch(held, manager)
    assert recipients_after_grace() == [manager.email]


def test_a_plan_that_was_seen_is_watched_again_until_it_has_been_applied(
    school: District, manager: Member
) -> None:
    checked = uploaded(school, manager, is_check=True)
    assert checked.state == "checked"
    watch(checked, manager)
    assert recipients_after_grace() == []
    now = timezone.now()
    decisions.approve(school, checked.number, checked.plan_digest, Decider(manager), now)
    finish(checked)
    mails.queue_result_mails()
    assert recipients_after_grace() == [manager.email], "left after approving it"
    checked = uploaded(school, manager, "6", is_check=True)
    watch(checked, manager)
    decisions.approve(school, checked.number, checked.plan_digest, Decider(manager), now)
    finish(checked)
    mails.queue_result_mails()
    checked.refresh_from_db()
    watch(checked, manager)
    assert recipients_after_grace() == []


def test_what_was_seen_is_written_once(school: District, manager: Member) -> None:
    update = uploaded(school, manager)
    watch(update, manager)
    first = update.watched_at
    watching.record(update, manager, timezone.now() + timedelta(hours=1))
    update.refresh_from_db()
    assert update.watched_at == first
