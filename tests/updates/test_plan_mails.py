"""The emails about plans: held, checked, discarded; who gets them, and when they are given up."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.utils import timezone

from rollbook.accounts.members.members import set_receivers
from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.updates import mails
from rollbook.updates.cancel import cancel
from rollbook.updates.models import ResultMail, UpdateEvent, UpdateJob
from rollbook.updates.planning import decisions
from rollbook.updates.planning.decisions import Decider
from tests.conftest import make_member
from tests.mail import gallery
from tests.updates.night import a_class, enroll, finish, send
from tests.updates.planning.test_judge import movers


@pytest.fixture
def school(maple: District, manager: Member) -> District:
    enroll(maple, a_class(200))
    mails.queue_result_mails()
    mails.send_due()
    outbox.outbox.clear()
    return maple


def hold(district: District, size: int = 60, **columns: Any) -> UpdateJob:
    update = send(district, movers(size), **columns)
    finish(update)
    update.refresh_from_db()
    return update


def sent() -> list[tuple[str, str]]:
    """Send what is due, and return the recipient and the subject of each email."""
    mails.queue_result_mails()
    mails.send_due()
    found = [(each.to[0], str(each.subject)) for each in outbox.outbox]
    outbox.outbox.clear()
    return sorted(found)


def test_a_held_plan_is_announced_with_its_reasons_and_its_end(
    school: District, manager: Member
) -> None:
    hold(school, member=manager)
    mails.queue_result_mails()
    email = mails.message(ResultMail.objects.order_by("pk").last() or pytest.fail("no email"))
    assert email.to == ["ops@maple.example"]
    assert email.subject == "Update held, nothing applied yet · Maple USD update 2"
    assert "60 of 200 students would change school (30 %; the limit is 10 % and 50)" in email.body
    assert "after that, it is discarded." in email.body
    assert "https://localhost:8443/updates/2" in email.body
    assert "s000" not in email.body


def held_once(school: District, manager: Member) -> UpdateJob:
    return hold(school, member=manager)


def held_in_a_row(school: District, manager: Member) -> UpdateJob:
    return [hold(school, size, member=manager) for size in (60, 61, 62)][-1]


def checked(school: District, manager: Member) -> UpdateJob:
    return hold(school, 2, member=manager, is_check=True)


def discarded(school: District, manager: Member) -> UpdateJob:
    held = hold(school, member=manager)
    decisions.discard(school, held.number, held.plan_digest, Decider(manager), timezone.now())
    return held


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("held", held_once),
        ("held_in_a_row", held_in_a_row),
        ("checked", checked),
        ("discarded", discarded),
    ],
)
def test_an_email_about_a_plan_is_worded_like_this(
    school: District,
    manager: Member,
    name: str,
    write: Callable[[District, Member], UpdateJob],
) -> None:
    update = write(school, manager)
    mails.queue_result_mails()
    received_at = datetime(2026, 11, 23, 8, 5, 10, tzinfo=UTC)
    UpdateJob.objects.filter(pk=update.pk).update(
        received_at=received_at, discard_at=received_at + timedelta(days=3)
    )
    queued = ResultMail.objects.filter(update=update).order_by("pk").last()
    assert queued
    message = mails.message(ResultMail.objects.get(pk=queued.pk))
    [(page, _)] = message.alternatives
    for part, text in (("subject", f"{message.subject}\n"), ("txt", message.body), ("html", page)):
        assert text == (gallery.UPDATES / f"{name}.{part}").read_text(encoding="utf-8")


def test_each_event_is_announced_once(school: District, manager: Member) -> None:
    held = hold(school, member=manager)
    assert len(sent()) == 1
    assert sent() == []
    decisions.approve(school, 2, held.plan_digest, Decider(manager), timezone.now())
    finish(held)
    assert [subject for _, subject in sent()] == ["60 students changed · Maple USD update 2"]
    events = UpdateEvent.objects.filter(update=held).order_by("pk")
    assert list(events.values_list("state", flat=True)) == ["held", "completed"]


def test_rows_of_schools_that_were_left_out_are_counted(school: District, manager: Member) -> None:
    held = hold(school, member=manager)
    decider, now = Decider(manager), timezone.now()
    decisions.approve(school, 2, held.plan_digest, decider, now, without=("100",))
    finish(held)
    mails.queue_result_mails()
    queued = ResultMail.objects.get(event__update=held, event__state="completed")
    counts = re.findall(r"^  ([a-z ]+?) {2,}(\d+)$", str(mails.message(queued).body), re.MULTILINE)
    assert dict(counts)["left out"] == "60"
    assert sum(int(count) for _, count in counts) == 60


@pytest.mark.parametrize("how", ["expire", "discard", "cancel"])
def test_a_discarded_plan_is_announced(school: District, manager: Member, how: str) -> None:
    held = hold(school, member=manager)
    sent()
    if how == "expire":
        decisions.discard_expired(timezone.now() + timedelta(days=4))
    elif how == "discard":
        decisions.discard(school, 2, held.plan_digest, Decider(None), timezone.now())
    else:
        cancel(school)
    assert [subject for _, subject in sent()] == [
        "Update discarded, nothing applied · Maple USD update 2"
    ]


def test_a_replaced_plan_is_not_announced_again(school: District, manager: Member) -> None:
    hold(school, member=manager)
    sent()
    finish(send(school, a_class(200, GRADE="5"), member=manager))
    assert [subject for _, subject in sent()] == [
        "Update held, nothing applied yet · Maple USD update 3"
    ]


def test_a_dry_run_concerns_only_who_started_it(school: District, manager: Member) -> None:
    make_member(school, "lee@maple.example")
    set_receivers(school, ["lee@maple.example"])
    hold(school, 2, member=manager, is_check=True)
    assert sent() == [
        ("ops@maple.example", "File checked, nothing applied yet · Maple USD update 2")
    ]


def test_without_recipients_the_managers_hear_of_a_held_plan(
    school: District, manager: Member
) -> None:
    hold(school)
    assert [to for to, _ in sent()] == ["ops@maple.example"]


def test_the_third_file_in_a_row_is_an_alarm_for_the_managers(
    school: District, manager: Member
) -> None:
    clerk = make_member(school, "lee@maple.example", "instructor")
    for size in (60, 61):
        hold(school, size, member=clerk)
        assert [to for to, _ in sent()] == ["lee@maple.example"]
    hold(school, 3, member=manager, is_check=True)
    sent()
    hold(school, 62, member=clerk)
    found = sent()
    assert [to for to, _ in found] == ["lee@maple.example", "ops@maple.example"]
    assert "held (3 files in a row)" in found[0][1]


def test_an_email_that_asks_for_a_decision_is_given_up_after_it(
    school: District, manager: Member
) -> None:
    held = hold(school, member=manager)
    mails.queue_result_mails()
    decisions.approve(school, 2, held.plan_digest, Decider(manager), timezone.now())
    assert sent() == []
    assert not ResultMail.objects.exclude(next_attempt_at=None).exists()
