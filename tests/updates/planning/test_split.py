"""Hold only the schools that exceed a limit, and apply the rest."""

import pytest
from django.utils import timezone

from rollbook.districts.models import District
from rollbook.updates import runner
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import decisions, limit_sets
from rollbook.updates.planning.decisions import Decider
from rollbook.updates.planning.limit_document import LimitDocument, WhenExceeded
from rollbook.updates.state_machine import State
from tests.updates.night import (
    a_class,
    column_of,
    enroll,
    finish,
    problems,
    report_of,
    send,
)

HALF = 150


@pytest.fixture
def school(maple: District) -> District:
    enroll(maple, a_class(HALF))
    enroll(maple, a_class(HALF, STUDENT_ID="t{0:03}", USERNAME="t{0:03}", SCHOOL_ID="200"))
    document = LimitDocument(when_exceeded=WhenExceeded.HOLD_SCHOOLS)
    limit_sets.save(maple, document, None, timezone.now())
    return maple


def a_night(harmed: int) -> str:
    """Return a file that gives all students of one school and a few of another a new grade.

    The cells of some students of the first school are damaged.
    """
    first = "".join(f"s{number:03},{'99' if number < harmed else '5'}\n" for number in range(HALF))
    return f"STUDENT_ID,GRADE\n{first}" + "".join(f"t{number:03},5\n" for number in range(9))


def test_the_rest_is_applied_and_both_reports_add_up(school: District) -> None:
    update = send(school, a_night(harmed=3))
    result = finish(update)
    assert (result.state, result.updated, result.rejected) == (State.COMPLETED, 9, 0)
    held = UpdateJob.objects.get(split_from=update)
    plan = report_of(held)
    assert (plan.state, plan.rows, plan.rejected, plan.staged) == (State.HELD, HALF, 3, HALF - 3)
    assert (plan.split_from, result.split_into) == (update.number, (held.number,))
    assert result.rows + plan.rows == HALF + 9
    assert plan.plan
    assert {reason.school for reason in plan.plan.reasons} <= {"", "100"}
    assert len(problems(held)) == 3
    assert problems(update) == {}
    assert sorted(plan.groups, key=str) == sorted(report_of(held).groups, key=str)
    grade_of = column_of(school, "GRADE")
    assert {grade_of[f"s{number:03}"] for number in range(HALF)} == {"4"}


def test_the_held_schools_can_be_approved(school: District) -> None:
    finish(send(school, a_night(harmed=0)))
    held = UpdateJob.objects.get(state=State.HELD)
    decisions.approve(school, held.number, held.plan_digest, Decider(None), timezone.now())
    assert runner.has_work(held.pk)
    assert finish(held).updated == HALF
    assert set(column_of(school, "GRADE").values()) == {"4", "5"}


def test_everything_is_held_if_nothing_else_would_change(school: District) -> None:
    everyone = "".join(f"s{number:03},5\nt{number:03},5\n" for number in range(HALF))
    result = finish(send(school, f"STUDENT_ID,GRADE\n{everyone}"))
    assert (result.state, result.updated, result.split_into) == (State.HELD, 0, ())


def test_the_same_file_again_is_answered_with_the_first_update_only(school: District) -> None:
    first = send(school, a_night(harmed=0))
    finish(first)
    again = send(school, a_night(harmed=0))
    assert again.pk not in {first.pk, UpdateJob.objects.get(split_from=first).pk}
