"""Approve and discard plans: what is applied then, and who may decide."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts.models import District, School
from rollbook.students.manual.schools import close_school
from rollbook.updates import runner
from rollbook.updates.cancel import cancel
from rollbook.updates.models import UpdateEvent, UpdateJob
from rollbook.updates.planning import decisions, limit_sets
from rollbook.updates.planning.decisions import Decider, NotDecided
from rollbook.updates.planning.limit_document import LimitDocument
from rollbook.updates.state_machine import Mode, State
from tests.conftest import make_member
from tests.updates.night import (
    a_class,
    column_of,
    counts,
    dump,
    enroll,
    finish,
    problems,
    report_of,
    run,
    send,
)
from tests.updates.planning.test_judge import movers

OPERATOR = Decider(None)


@pytest.fixture
def held(held_once: int, maple: District) -> UpdateJob:
    """Update 2: 60 of 200 students of School 100 would go to School 200."""
    return UpdateJob.objects.get(pk=held_once)


@pytest.fixture(scope="module")
def held_once(maple_once: District) -> int:
    enroll(maple_once, a_class(200))
    update = send(maple_once, movers(60))
    finish(update)
    return update.pk


def approve(update: UpdateJob, by: Decider = OPERATOR, **options: object) -> UpdateJob:
    without = options.get("without", ())
    assert isinstance(without, tuple)
    return decisions.approve(
        update.district, update.number, update.plan_digest, by, timezone.now(), without
    )


def discard(update: UpdateJob, by: Decider = OPERATOR) -> UpdateJob:
    return decisions.discard(update.district, update.number, update.plan_digest, by, timezone.now())


def test_an_approved_plan_is_applied(held: UpdateJob, manager: Member) -> None:
    assert not runner.has_work(held.pk)
    approve(held, Decider(manager, note="school closed"))
    assert runner.has_work(held.pk)
    assert runner.next_update(held.district_id) == held.pk
    assert counts(finish(held)) == {"updated": 60}
    held.refresh_from_db()
    assert (held.state, held.decided_by, held.decision_note) == (
        State.COMPLETED,
        manager,
        "school closed",
    )
    event = AuditEvent.objects.get(action="approve update")
    assert (event.member, event.detail) == (
        manager,
        f"update {held.number}, plan {held.plan_digest}: school closed",
    )


def test_the_time_for_which_a_plan_waits_is_no_work(held: UpdateJob) -> None:
    approve(held)
    finish(held)
    held.refresh_from_db()
    began, ended = held.started_at, held.ended_at
    assert began is not None
    assert ended is not None
    later = timedelta(days=2)
    UpdateJob.objects.filter(pk=held.pk).update(
        applying_at=ended + later - timedelta(seconds=3),
        ended_at=ended + later,
        planned_at=began + timedelta(seconds=4),
    )
    assert report_of(held).took == timedelta(seconds=7)


def test_a_discarded_plan_changes_nothing(held: UpdateJob) -> None:
    before = dump(held.district)
    discard(held)
    assert not runner.has_work(held.pk)
    assert dump(held.district) == before
    held.refresh_from_db()
    assert (held.state, held.discard_reason) == (State.DISCARDED, "person")


def test_a_dry_run_can_be_applied(maple: District) -> None:
    enroll(maple, a_class(30))
    check = send(maple, movers(4), is_check=True)
    finish(check)
    check.refresh_from_db()
    approve(check)
    assert counts(finish(check)) == {"updated": 4}


def test_exactly_the_students_changed_since_then_are_rejected(held: UpdateJob) -> None:
    for number in range(0, 200, 5):
        run(held.district, f"STUDENT_ID,GRADE\ns{number:03},7\n")
    approve(held)
    assert counts(finish(held)) == {"updated": 48, "rejected": 12}
    found = problems(held)
    assert set(map(tuple, found.values())) == {("changed_since",)}
    assert sorted(found) == [number + 2 for number in range(0, 60, 5)]


def test_rows_of_schools_that_are_left_out_are_not_applied(maple: District) -> None:
    enroll(maple, a_class(100))
    enroll(maple, a_class(100, STUDENT_ID="t{0:03}", USERNAME="t{0:03}", SCHOOL_ID="200"))
    grades = "".join(f"s{number:03},5\nt{number:03},5\n" for number in range(100))
    update = send(maple, f"STUDENT_ID,GRADE\n{grades}", is_check=True)
    finish(update)
    update.refresh_from_db()
    approve(update, without=("200",))
    result = finish(update)
    assert (result.state, result.updated, result.left_out) == (State.COMPLETED, 100, 100)
    grade_of = column_of(maple, "GRADE")
    assert {key[0]: value for key, value in grade_of.items()} == {"s": "5", "t": "4"}


def test_rows_that_depend_on_a_row_left_out_are_left_out_too(maple: District) -> None:
    enroll(maple, a_class(3))
    enroll(maple, a_class(1, STUDENT_ID="t{0:03}", USERNAME="t{0:03}", SCHOOL_ID="200"))
    swap = "STUDENT_ID,USERNAME\nt000,free\ns000,t000\ns001,u000\ns002,other\n"
    update = send(maple, swap, is_check=True)
    finish(update)
    update.refresh_from_db()
    before = column_of(maple, "USERNAME")
    approve(update, without=("200",))
    result = finish(update)
    assert (result.updated, result.left_out, result.rejected) == (1, 3, 0)
    assert column_of(maple, "USERNAME") == {**before, "s002": "other"}


@pytest.mark.parametrize("second", ["approve", "discard", "cancel", "expire"])
@pytest.mark.parametrize("first", ["approve", "discard", "cancel", "expire"])
def test_of_two_decisions_the_second_is_refused(held: UpdateJob, first: str, second: str) -> None:
    assert _decide(held, first)
    is_stopped_after_approval = (first, second) == ("approve", "cancel")
    assert _decide(held, second) is is_stopped_after_approval
    runner_ends = report_of(held) if not runner.has_work(held.pk) else finish(held)
    applied = first == "approve" and not is_stopped_after_approval
    assert runner_ends.state is (State.COMPLETED if applied else State.DISCARDED)
    assert UpdateEvent.objects.filter(update=held).exclude(state="held").count() == 1


def _decide(update: UpdateJob, how: str) -> bool:
    if how == "cancel":
        return cancel(update.district, update.number).is_canceled
    if how == "expire":
        update.refresh_from_db()
        at = update.discard_at or timezone.now()
        return decisions.discard_expired(at) == 1
    try:
        (approve if how == "approve" else discard)(update)
    except NotDecided:
        return False
    return True


@pytest.mark.parametrize(
    ("digest", "number", "without", "code"),
    [
        ("0" * 12, None, (), "another_plan"),
        ("", None, (), "another_plan"),
        (None, 99, (), "no_update"),
        (None, None, ("999",), "no_school"),
        (None, 1, (), "no_plan_waiting"),
    ],
)
def test_a_wrong_decision_is_refused_in_one_sentence(
    held: UpdateJob, digest: str | None, number: int | None, without: tuple[str, ...], code: str
) -> None:
    with pytest.raises(NotDecided) as refused:
        decisions.approve(
            held.district,
            number or held.number,
            held.plan_digest if digest is None else digest,
            OPERATOR,
            timezone.now(),
            without,
        )
    assert refused.value.code == code
    held.refresh_from_db()
    assert (held.state, held.apply_at) == (State.HELD, None)


def test_the_plan_of_another_district_is_not_found(held: UpdateJob, cedar: District) -> None:
    with pytest.raises(NotDecided, match="has no update"):
        decisions.approve(cedar, held.number, held.plan_digest, OPERATOR, timezone.now())


def test_rows_of_a_school_that_was_closed_meanwhile_are_rejected_alone(maple: District) -> None:
    enroll(maple, a_class(20))
    text = "STUDENT_ID,SCHOOL_ID,GRADE\ns000,200,5\ns001,100,5\n"
    update = send(maple, text, is_check=True)
    added = send(maple, a_class(2, STUDENT_ID="n{0}", SCHOOL_ID="200"), Mode.ADD, is_check=True)
    for plan in (update, added):
        finish(plan)
        plan.refresh_from_db()
    close_school(School.objects.get(district=maple, organization_id="200"))
    for plan in (update, added):
        approve(plan)
    assert counts(finish(update)) == {"updated": 1, "rejected": 1}
    assert counts(finish(added)) == {"rejected": 2}
    assert problems(update) == {2: ["changed_meanwhile"]}
    assert column_of(maple, "SCHOOL_ID")["s000"] == "100"


def test_a_district_can_require_a_second_person(maple: District, manager: Member) -> None:
    limit_sets.save(maple, LimitDocument(second_person=True), None, timezone.now())
    enroll(maple, a_class(200))
    update = send(maple, movers(60), member=manager)
    finish(update)
    update.refresh_from_db()
    with pytest.raises(NotDecided, match="second person"):
        approve(update, Decider(manager))
    approve(update, Decider(make_member(maple, "lee@maple.example")))


def test_the_token_that_started_an_update_cannot_approve_it(
    maple: District, manager: Member
) -> None:
    enroll(maple, a_class(200))
    update = send(maple, movers(60), member=manager, token_key="abcd1234")
    finish(update)
    update.refresh_from_db()
    with pytest.raises(NotDecided, match="another token"):
        approve(update, Decider(manager, token_key="abcd1234"))
    approve(update, Decider(manager, token_key="efgh5678"))
