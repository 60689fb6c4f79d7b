"""What reports and emails say about an update that undoes another one."""

import pytest
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.updates import mails, transitions
from rollbook.updates.cancel import cancel
from rollbook.updates.models import ResultMail, UpdateJob
from rollbook.updates.planning import decisions
from rollbook.updates.planning.decisions import Decider
from rollbook.updates.reporting.state_words import result_sentence
from rollbook.updates.state_machine import Mode, State
from tests.updates.night import a_class, applying, enroll, finish, report_of, run
from tests.updates.undoing.undoing import approve, plan_undo


@pytest.fixture
def update(maple: District, manager: Member) -> UpdateJob:
    """Return update 4: a plan that sets back two of three students of update 2.

    One of them was added; the third one has changed since.
    """
    enroll(maple, a_class(2))
    run(maple, a_class(3, GRADE="5"), Mode.ADD)
    run(maple, "STUDENT_ID,GRADE\ns000,6")
    return plan_undo(maple, 2, manager)


def email(update: UpdateJob) -> tuple[str, str]:
    """Return the subject and the text of the last email about an update."""
    mails.queue_result_mails()
    message = mails.message(ResultMail.objects.filter(update=update).latest("pk"))
    return str(message.subject), " ".join(str(message.body).split())


def test_a_plan_says_what_it_would_set_back(update: UpdateJob) -> None:
    subject, text = email(update)
    assert subject == "Undo planned, nothing applied yet · Maple USD update 4"
    assert (
        "would undo update 2, and nothing was applied: 1 student would be set back, 1 would be "
        "deactivated, 1 can't be set back. Apply or discard it by " in text
    )
    assert "Undoes update 2 " in text


def test_a_completed_undo_says_what_it_has_set_back(update: UpdateJob) -> None:
    approve(update)
    finish(update)
    subject, text = email(update)
    assert subject == "2 students set back, 1 left as they are · Maple USD update 4"
    assert (
        "Student update 4 for Maple USD undid update 2: 2 of 3 students were set back. 1 couldn't "
        "be set back and stays as it is. The next file from your SIS applies its values again "
        "unless they're fixed there." in text
    )
    assert "1 × The student has changed since, and stays as is." in text
    assert "line" not in text.lower()


def test_a_canceled_undo_says_how_to_set_back_the_rest(update: UpdateJob) -> None:
    approve(update)
    applying(update)
    cancel(update.district)
    subject, text = email(update)
    assert subject.startswith("Undo canceled, 0 students set back, ")
    assert "To set back the rest, undo update 2 again." in text


def test_a_failed_undo_has_its_reference(update: UpdateJob) -> None:
    approve(update)
    applying(update)
    transitions.transition(update.pk, State.FAILED, error_reference="8f3a1c")
    sentence = result_sentence(report_of(update))
    assert "failed because of a problem on our side (reference 8f3a1c): " in sentence
    assert "Undo update 2 again." in sentence


def test_a_discarded_undo_has_set_back_nothing(update: UpdateJob, manager: Member) -> None:
    now = timezone.now()
    decisions.discard(update.district, 4, update.plan_digest, Decider(manager), now)
    sentence = result_sentence(report_of(update))
    assert sentence == (
        "Student update 4 for Maple USD, which would undo update 2, was discarded by Ana Ruiz. "
        "Nothing was set back."
    )
    with pytest.raises(decisions.NotDecided, match="Undo update 2 again"):
        decisions.approve(update.district, 4, update.plan_digest, Decider(None), now)
