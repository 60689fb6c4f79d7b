"""Weekly summaries: on Monday morning, once for each member, with the numbers of the week."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from rollbook.accounts import mails
from rollbook.accounts.models import AccountMail, AccountMailKind, Member
from rollbook.districts.models import District, MissedFile
from rollbook.updates import weekly_summary
from rollbook.updates.models import UpdateJob
from tests.conftest import make_member
from tests.updates.ended_updates import completed, completed_with_errors, refused
from tests.updates.night import a_class, enroll

MONDAY = date(2026, 11, 23)
SEVEN = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)  # in Maple USD
IN_WEEK = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)


@pytest.fixture
def reader(manager: Member) -> Member:
    """A manager who has chosen the weekly summary."""
    choose(manager)
    return manager


def choose(member: Member, **columns: Any) -> None:
    values = {"update_emails": "weekly", "summarized_on": MONDAY - timedelta(days=7), **columns}
    Member.objects.filter(pk=member.pk).update(**values)


def summaries() -> list[tuple[str, str]]:
    """Return the recipient and the Monday of each summary that is queued."""
    queued = AccountMail.objects.filter(kind=AccountMailKind.WEEKLY_SUMMARY).order_by("pk")
    return [(mail.member.email, mail.subject_name) for mail in queued.select_related("member")]


def test_a_summary_is_queued_on_monday_at_seven_and_once(reader: Member) -> None:
    assert weekly_summary.queue_due(SEVEN - timedelta(seconds=1)) == 0
    assert weekly_summary.queue_due(SEVEN) == 1
    assert weekly_summary.queue_due(SEVEN) == 0
    assert weekly_summary.queue_due(SEVEN + timedelta(days=6)) == 0
    assert summaries() == [(reader.email, "2026-11-23")]
    assert weekly_summary.queue_due(SEVEN + timedelta(days=7)) == 1


def test_a_clock_that_is_set_back_repeats_nothing(reader: Member) -> None:
    assert weekly_summary.queue_due(SEVEN + timedelta(days=7)) == 1
    assert weekly_summary.queue_due(SEVEN) == 0


def test_after_a_pause_of_the_server_the_newest_week_is_summarized_once(reader: Member) -> None:
    assert weekly_summary.queue_due(SEVEN + timedelta(days=16)) == 1
    assert summaries() == [(reader.email, "2026-12-07")]


def test_only_members_who_chose_it_and_get_results_have_a_summary(
    reader: Member, neighbor: Member
) -> None:
    district = reader.district
    recipient = make_member(district, "a@maple.example", "instructor")
    choose(recipient, receives_results=True)
    choose(make_member(district, "b@maple.example", "instructor"))
    choose(make_member(district, "c@maple.example"), is_active=False)
    make_member(district, "d@maple.example")
    assert weekly_summary.queue_due(SEVEN) == 2
    assert {email for email, _ in summaries()} == {reader.email, recipient.email}


def test_a_suspended_district_gets_none_until_it_is_resumed(reader: Member) -> None:
    District.objects.update(suspended_at=SEVEN)
    assert weekly_summary.queue_due(SEVEN) == 0
    District.objects.update(suspended_at=None)
    assert weekly_summary.queue_due(SEVEN) == 1


@pytest.mark.parametrize("dies_after", [0, 1])
def test_a_kill_between_two_members_leaves_the_others_for_the_next_run(
    reader: Member, monkeypatch: pytest.MonkeyPatch, dies_after: int
) -> None:
    second = make_member(reader.district, "zoe@maple.example")
    choose(second)
    queue_mail = mails.queue_mail
    calls: list[Member] = []

    def die(member: Member, *args: Any, **values: Any) -> None:
        if len(calls) == dies_after:
            raise SystemExit
        calls.append(member)
        queue_mail(member, *args, **values)

    with monkeypatch.context() as dying:
        dying.setattr(mails, "queue_mail", die)
        with pytest.raises(SystemExit):
            weekly_summary.queue_due(SEVEN)
    assert len(summaries()) == dies_after
    assert weekly_summary.queue_due(SEVEN) == 2 - dies_after
    assert sorted(email for email, _ in summaries()) == [reader.email, second.email]


def test_the_numbers_are_those_of_the_local_week_and_of_the_district(
    maple: District, manager: Member, cedar: District
) -> None:
    enroll(maple, a_class(6))
    enroll(cedar, a_class(3))
    completed(maple, manager)
    completed_with_errors(maple, manager)
    refused(maple, manager)
    completed(maple, manager)
    UpdateJob.objects.update(ended_at=IN_WEEK)
    newest = UpdateJob.objects.filter(district=maple).order_by("-number").first()
    assert newest
    for ended_at, counts in (
        (datetime(2026, 11, 16, 5, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 16, 6, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 23, 5, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 23, 6, 0, tzinfo=UTC), False),
    ):
        UpdateJob.objects.filter(pk=newest.pk).update(ended_at=ended_at)
        assert weekly_summary.figures_of(maple, MONDAY)["updates"] == 4 + counts
    MissedFile.objects.create(
        district=maple,
        day=date(2026, 11, 20),
        expected_at=IN_WEEK,
        previous_at=IN_WEEK,
        noticed_at=IN_WEEK,
    )
    assert weekly_summary.figures_of(maple, MONDAY) == {
        "updates": 4,
        "changed": 6 + 1,
        "added": 6,
        "deactivated": 0,
        "rejected": 3,
        "not_accepted": 1,
        "failed": 0,
        "canceled": 0,
        "discarded": 0,
        "missing": 1,
    }


def test_the_email_has_the_numbers(maple: District, reader: Member) -> None:
    enroll(maple, a_class(6))
    UpdateJob.objects.update(ended_at=IN_WEEK)
    weekly_summary.queue_due(SEVEN)
    message = mails.message(AccountMail.objects.get(kind=AccountMailKind.WEEKLY_SUMMARY))
    assert message.subject == "1 update last week, 0 students changed · Maple USD"
    assert "\n  students added        6\n" in str(message.body)
