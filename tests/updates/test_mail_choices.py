"""Which emails about updates each person gets, by their choice."""

import pytest
from django.utils import timezone

from rollbook.accounts.email_choice import EmailChoice
from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.updates import mails
from rollbook.updates.models import ResultMail, UpdateEvent, UpdateJob
from rollbook.updates.planning import decisions
from rollbook.updates.planning.decisions import Decider
from rollbook.updates.state_machine import UNFINISHED
from tests.conftest import make_member
from tests.updates.ended_updates import ENDS, completed, run_update
from tests.updates.night import a_class, enroll, finish, send
from tests.updates.planning.test_judge import movers

EVERYONE = {"always", "needed", "weekly"}


@pytest.fixture
def recipients(maple: District) -> dict[str, Member]:
    """A recipient of all results for each choice, named after it."""
    found = {}
    for choice in EmailChoice:
        member = make_member(maple, f"{choice}@maple.example")
        Member.objects.filter(pk=member.pk).update(receives_results=True, update_emails=choice)
        found[choice.value] = Member.objects.get(pk=member.pk)
    return found


@pytest.fixture
def school(maple: District) -> District:
    enroll(maple, a_class(6))
    return maple


def mailed(update: UpdateJob) -> set[str]:
    """Queue the emails about an update, and return the choices of those who get one."""
    mails.queue_result_mails()
    queued = ResultMail.objects.filter(update=update).select_related("member")
    return {mail.member.update_emails for mail in queued}


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("completed", {"always"}),
        ("completed_with_errors", {"always", "needed"}),
        ("canceled", {"always", "needed"}),
        ("refused", EVERYONE),
        ("failed", EVERYONE),
    ],
)
def test_each_end_is_emailed_to_those_who_want_it(
    school: District, recipients: dict[str, Member], end: str, expected: set[str]
) -> None:
    update = ENDS[end](school, recipients["always"])
    assert mailed(update) == expected


def test_a_warning_needs_a_person(school: District, recipients: dict[str, Member]) -> None:
    file = "STUDENT_ID,GRADE,STAFF\ns000,5,nobody@maple.example"
    assert mailed(run_update(school, recipients["always"], file)) == {"always", "needed"}


@pytest.mark.parametrize(
    ("column", "expected"), [("SHOE_SIZE", {"always", "needed"}), ("_SHOE_SIZE", {"always"})]
)
def test_a_column_that_is_not_read_needs_a_person_unless_its_name_says_that_it_is_known(
    school: District, recipients: dict[str, Member], column: str, expected: set[str]
) -> None:
    file = f"STUDENT_ID,GRADE,{column}\ns000,5,40"
    assert mailed(run_update(school, recipients["always"], file)) == expected


def test_the_choice_is_also_that_of_the_sender(
    school: District, recipients: dict[str, Member]
) -> None:
    Member.objects.update(receives_results=False)
    for choice, expected in (("always", {"always"}), ("needed", set()), ("weekly", set())):
        assert mailed(completed(school, recipients[choice])) == expected


def test_a_held_update_is_emailed_to_everyone_and_so_is_one_that_nobody_approved(
    maple: District, recipients: dict[str, Member]
) -> None:
    enroll(maple, a_class(200))
    mails.queue_result_mails()
    held = send(maple, movers(60))
    finish(held)
    held.refresh_from_db()
    assert mailed(held) == EVERYONE
    ResultMail.objects.all().delete()
    assert held.discard_at
    decisions.discard_expired(held.discard_at)
    assert mailed(held) == EVERYONE


def test_an_update_that_a_person_discarded_needs_nobody(
    maple: District, recipients: dict[str, Member]
) -> None:
    enroll(maple, a_class(200))
    held = send(maple, movers(60))
    finish(held)
    mails.queue_result_mails()
    ResultMail.objects.all().delete()
    held.refresh_from_db()
    number, digest = held.number, held.plan_digest
    decisions.discard(maple, number, digest, Decider(None), timezone.now())
    assert mailed(held) == {"always"}


def test_managers_are_asked_about_a_held_update_only_if_nobody_receives_results(
    maple: District, recipients: dict[str, Member]
) -> None:
    """The weekly recipient gets the email, so there is somebody."""
    enroll(maple, a_class(200))
    mails.queue_result_mails()
    Member.objects.exclude(update_emails="weekly").update(receives_results=False)
    held = send(maple, movers(60))
    finish(held)
    assert mailed(held) == {"weekly"}


def test_an_event_is_settled_even_if_nobody_wants_its_email(
    school: District, recipients: dict[str, Member]
) -> None:
    Member.objects.update(update_emails="weekly")
    assert mailed(completed(school, recipients["always"])) == set()
    assert not UpdateEvent.objects.filter(mails_queued_at=None).exists()
    ended = UpdateJob.objects.exclude(state__in=UNFINISHED)
    assert not ended.filter(mails_queued_at=None).exists()
    assert mails.queue_result_mails() == 0
