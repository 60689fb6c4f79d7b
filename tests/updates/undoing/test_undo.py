"""What undoing an update sets back, and what it leaves with a reason."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.districts.models import District, School
from rollbook.operations.lifecycle.erasure import remove_records
from rollbook.students.manual import edits_by_member
from rollbook.students.manual.schools import close_school
from rollbook.students.models import Student
from rollbook.updates.applying import apply
from rollbook.updates.cancel import cancel
from rollbook.updates.models import StagedRow, UpdateJob
from rollbook.updates.state_machine import Mode, State
from rollbook.updates.undoing import start
from tests.conftest import make_member
from tests.updates.absences.nights import night, row
from tests.updates.night import (
    a_class,
    applying,
    column_of,
    counts,
    enroll,
    finish,
    lift_limits,
    password_of,
    problems,
    report_of,
    run,
    stored_hints,
    students,
    values_of,
)
from tests.updates.undoing.undoing import approve, plan_undo, undo


@pytest.fixture
def district(maple: District) -> District:
    """Return a district with four students at School 100, without limits."""
    lift_limits(maple)
    enroll(maple, a_class(4))
    return maple


def plan_of(district: District, number: int = 2) -> dict[int, list[str]]:
    """Return the problems of the plan that undoes an update."""
    return problems(plan_undo(district, number))


def edit(district: District, member: Member, key: str, **fields: str) -> None:
    student = Student.objects.get(district=district, student_id=key)
    edits_by_member.edit(member, student.pk, fields, student.version, timezone.now())


# What is set back


@pytest.mark.parametrize(
    "file",
    [
        "STUDENT_ID,GRADE,RACE\ns000,5,a\ns001,6,",
        "STUDENT_ID,FIRST_NAME,LAST_NAME,MIDDLE_INITIAL\ns000,Ann000,Smith,Q",
        "STUDENT_ID,USERNAME\ns000,u001\ns001,u000",
        "STUDENT_ID,USERNAME\ns000,u001\ns001,u002\ns002,u009",
        "STUDENT_ID,STATUS\ns000,inactive",
        "STUDENT_ID,SCHOOL_ID\ns000,200",
        "STUDENT_ID,SCHOOL_ID,GROUPS\ns000,200,Math&Art",
        "STUDENT_ID,GROUPS\ns000,Science & Band\ns001,Band",
        "STUDENT_ID,STAFF\ns000,coach@maple.example",
        "STUDENT_ID,SCHOOL_ID,STAFF\ns000,200,coach@maple.example",
        "STUDENT_ID,CLASSIFICATIONS,PARENT_EMAIL_1\ns000,gifted&artist,pat@example.org",
    ],
)
def test_fields_have_their_old_values_again(district: District, file: str) -> None:
    make_member(district, "coach@maple.example", "district manager")
    before = students(district)
    done = run(district, file)
    assert students(district) != before, done.groups
    assert counts(undo(district, 2)) == {"updated": done.updated}
    assert students(district) == before


def test_ids_that_students_did_not_have_are_taken_away_again(district: District) -> None:
    Student.objects.filter(district=district).update(student_id=None)
    before = students(district)
    file = "USERNAME,FIRST_NAME,LAST_NAME,DOB,STUDENT_ID\n"
    file += "\n".join(f"u{n:03},Ann{n:03},Lee{n:03},2012-05-13,n{n}" for n in range(3))
    assert run(district, file).updated == 3
    assert undo(district, 2).updated == 3
    assert students(district) == before


def test_an_added_student_is_deactivated_and_not_deleted(district: District) -> None:
    run(district, a_class(6), Mode.ADD)
    update = plan_undo(district, 2)
    assert (update.rows, update.rows_staged) == (2, 2)
    assert report_of(update).plan.summary.district.deactivated == 2  # type: ignore[union-attr]
    approve(update)
    finish(update)
    status = column_of(district, "STATUS")
    assert {key for key in status if status[key] == "inactive"} == {"s004", "s005"}


def test_who_was_deactivated_is_active_again(district: District) -> None:
    night(district, 0, [row(f"s{number:03}") for number in range(4)])
    for day in range(1, 9):
        night(district, day, [row(f"s{number:03}") for number in range(3)])
    deactivated = UpdateJob.objects.get(district=district, rows_deactivated__gt=0)
    assert values_of(district, "s003", "STATUS") == ("inactive",)
    undo(district, deactivated.number)
    assert values_of(district, "s003", "STATUS") == ("active",)


def test_an_undo_can_be_undone_and_that_again(district: District) -> None:
    before = students(district)
    run(district, "STUDENT_ID,GRADE,SCHOOL_ID\ns000,5,200\ns001,6,")
    after = students(district)
    for number in (2, 3, 4):
        undo(district, number)
        assert students(district) == (before if number % 2 == 0 else after)


def test_nothing_changes_until_the_plan_is_applied(district: District) -> None:
    run(district, "STUDENT_ID,GRADE\ns000,5")
    plan_undo(district, 2)
    assert values_of(district, "s000", "GRADE") == ("5",)


def test_an_undo_that_was_canceled_is_finished_by_another(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = students(district)
    run(district, a_class(4, GRADE="5"))
    update = plan_undo(district, 2)
    approve(update)
    monkeypatch.setattr(apply, "MIN_CHUNK_ROWS", 1)
    monkeypatch.setattr(apply, "MAX_CHUNK_ROWS", 1)
    applying(update, chunks=1)
    cancel(district)
    assert report_of(update).updated == 1
    assert counts(undo(district, 2)) == {"updated": 3, "unchanged": 1}
    assert students(district) == before


# What is left


def test_a_value_that_has_changed_since_stays(district: District, manager: Member) -> None:
    run(district, "STUDENT_ID,GRADE,RACE\ns000,5,a\ns001,5,a\ns002,5,a")
    run(district, "STUDENT_ID,GRADE\ns000,6")
    edit(district, manager, "s001", GRADE="7", RACE="b")
    update = plan_undo(district, 2)
    assert problems(update) == {1: ["undo_part_changed"], 2: ["undo_changed"] * 2}
    hints = stored_hints(update)
    assert (hints[1] or "").startswith("it changed in update 3; ")
    assert "it changed by hand on " in hints[2]
    approve(update)
    assert counts(finish(update)) == {"updated": 2, "rejected": 1}
    assert column_of(district, "GRADE") == {"s000": "6", "s001": "7", "s002": "4", "s003": "4"}
    assert values_of(district, "s000", "RACE") == ("",)


def test_a_value_that_came_back_by_itself_needs_nothing(district: District) -> None:
    run(district, "STUDENT_ID,GRADE\ns000,5\ns001,5")
    run(district, "STUDENT_ID,GRADE\ns000,4")
    assert counts(undo(district, 2)) == {"updated": 1, "unchanged": 1}


def test_an_added_student_who_has_changed_since_stays_active(district: District) -> None:
    run(district, a_class(6), Mode.ADD)
    run(district, "STUDENT_ID,GRADE\ns004,5")
    assert plan_of(district) == {1: ["undo_changed"]}


def test_old_passwords_cannot_be_restored(district: District) -> None:
    run(district, "STUDENT_ID,PASSWORD,GRADE\ns000,secret12,5\ns001,secret13,4")
    stored = password_of(district, "s000")
    update = plan_undo(district, 2)
    assert problems(update) == {1: ["undo_part_password"], 2: ["undo_password"]}
    approve(update)
    assert counts(finish(update)) == {"updated": 1, "rejected": 1}
    assert password_of(district, "s000") == stored


def test_a_username_that_another_student_has_now_stays_there(district: District) -> None:
    run(district, "STUDENT_ID,USERNAME,GRADE\ns000,new,5\ns001,u001x,5")
    run(district, "STUDENT_ID,USERNAME\ns002,u000")
    update = plan_undo(district, 2)
    assert problems(update) == {1: ["username_taken"]}
    approve(update)
    assert counts(finish(update)) == {"updated": 1, "rejected": 1}
    assert column_of(district, "USERNAME") == {
        "s000": "new",
        "s001": "u001",
        "s002": "u000",
        "s003": "u003",
    }


def test_a_student_does_not_go_back_to_a_closed_school(district: District) -> None:
    run(district, a_class(4, SCHOOL_ID="200", GRADE="5"))
    close_school(School.objects.get(district=district, organization_id="100"))
    assert plan_of(district) == {line: ["undo_part_gone"] for line in (1, 2, 3, 4)}
    update = UpdateJob.objects.get(district=district, number=3)
    approve(update)
    finish(update)
    assert values_of(district, "s000", "SCHOOL_ID", "GRADE") == ("200", "4")


def test_a_student_whose_groups_have_changed_since_stays_at_the_school(district: District) -> None:
    run(district, "STUDENT_ID,SCHOOL_ID\ns000,200\ns001,200")
    run(district, "STUDENT_ID,GROUPS\ns000,Band")
    assert plan_of(district) == {1: ["undo_changed"]}


def test_groups_of_another_school_stay(district: District) -> None:
    run(district, "STUDENT_ID,GROUPS\ns000,Band")
    run(district, "STUDENT_ID,SCHOOL_ID,GROUPS\ns000,200,Band")
    assert plan_of(district) == {1: ["undo_changed"]}


def test_staff_who_have_left_the_school_are_not_linked_again(district: District) -> None:
    coach = make_member(district, "coach@maple.example", "instructor")
    coach.schools.add(School.objects.get(district=district, organization_id="100"))
    run(district, "STUDENT_ID,STAFF\ns000,coach@maple.example")
    run(district, "STUDENT_ID,STAFF\ns000,<clear>")
    coach.schools.clear()
    assert plan_of(district, 3) == {1: ["undo_gone"]}


def test_a_student_who_changes_after_the_plan_was_made_stays(district: District) -> None:
    run(district, "STUDENT_ID,GRADE\ns000,5\ns001,5")
    update = plan_undo(district, 2)
    run(district, "STUDENT_ID,RACE\ns000,a")
    approve(update)
    assert counts(finish(update)) == {"updated": 1, "rejected": 1}
    assert problems(update) == {1: ["changed_since"]}


def test_students_who_were_erased_are_left_out(district: District) -> None:
    run(district, "STUDENT_ID,GRADE\ns000,5\ns001,5")
    update = start.start(district, 2, None, "rollbook", timezone.now())
    gone = Student.objects.get(district=district, student_id="s000")
    StagedRow.objects.filter(student=gone).delete()
    remove_records([gone.pk])
    done = finish(update)
    assert (done.state, done.rows, done.staged) == (State.CHECKED, 1, 1)


def test_the_plan_expires_like_any_other(district: District) -> None:
    run(district, "STUDENT_ID,GRADE\ns000,5")
    update = plan_undo(district, 2)
    assert update.discard_at is not None
    assert update.discard_at > timezone.now() + timedelta(hours=1)
