"""What plans and limits do to students who are due: they are held, postponed or approved."""

from django.utils import timezone

from rollbook.districts.models import District
from rollbook.students import absences
from rollbook.students.absences import NewCount
from rollbook.students.models import Absence, Student
from rollbook.updates.models import MissingStudents, UpdateJob
from rollbook.updates.planning import limit_sets
from rollbook.updates.planning.limit_document import LimitDocument, WhenExceeded
from rollbook.updates.planning.limits import Limit, Limits
from rollbook.updates.state_machine import Mode, State
from tests.updates.absences.nights import (
    FIRST_NIGHT,
    approve,
    inactive,
    limit,
    missing,
    night,
    row,
    set_status,
)
from tests.updates.absences.roster_of_twenty import codes, rows
from tests.updates.night import (
    last,
    report_of,
    run,
)


def test_a_dry_run_counts_nothing(roster: District) -> None:
    report = night(roster, 1, rows(["s00"]), is_check=True)
    assert report.absences
    assert (report.state, report.absences.missing) == (State.CHECKED, 1)
    assert missing(roster) == {}


def test_who_was_erased_or_deactivated_since_the_check_is_left_alone(roster: District) -> None:
    limit(roster, 0)
    for number in (1, 2):
        night(roster, number, rows(["s00", "s01", "s02"]))
    report = night(roster, 3, rows(["s00", "s01", "s02"]))
    assert report.state is State.HELD
    set_status(roster, "s01", "inactive")
    run(roster, "STUDENT_ID,GRADE\ns02,5")
    update = approve(roster, report)
    assert (update.state, update.deactivated) == (State.COMPLETED, 1)
    assert inactive(roster) == {"s00", "s01"}


def test_a_held_plan_counts_when_it_completes(roster: District) -> None:
    limit(roster, 0)
    for number in (1, 2):
        night(roster, number, rows(["s00"]))
    held = night(roster, 3, rows(["s00", "s01"]))
    assert (held.state, missing(roster)) == (State.HELD, {"s00": 2})
    assert [reason.measure for reason in held.plan.reasons] == ["deactivated"] if held.plan else 0
    done = approve(roster, held)
    assert (done.deactivated, done.with_errors, inactive(roster)) == (1, False, {"s00"})
    assert missing(roster) == {"s01": 1}


def test_a_discarded_plan_counts_nothing(roster: District) -> None:
    limit(roster, 0)
    for number in (1, 2):
        night(roster, number, rows(["s00"]))
    night(roster, 3, rows(["s00", "s01"]))
    night(roster, 4, rows(["s00"]))
    assert UpdateJob.objects.get(district=roster, number=4).state == State.DISCARDED
    assert missing(roster) == {"s00": 2}


def test_a_plan_can_be_approved_without_a_school(roster: District) -> None:
    limit(roster, 0)
    for number in (1, 2):
        night(roster, number, rows(["s00", "s19"]))
    held = night(roster, 3, rows(["s00", "s19"]))
    done = approve(roster, held, without=["200"])
    assert (done.deactivated, done.left_out, inactive(roster)) == (1, 0, {"s00"})
    assert missing(roster) == {"s19": 3}


def test_removals_are_postponed_and_the_rest_is_applied(roster: District) -> None:
    limit(roster, 0, WhenExceeded.POSTPONE)
    for number in range(1, 5):
        report = night(roster, number, rows(["s00"], s01=row("s01", grade=str(number + 4))))
        assert (report.state, report.updated) == (State.COMPLETED, 1)
    assert report.absences
    assert (report.absences.postponed, report.deactivated) == (1, 0)
    assert "removals_postponed" in codes(report)
    assert (inactive(roster), missing(roster)) == (set(), {"s00": 4})
    limit(roster, 1, WhenExceeded.POSTPONE)
    assert night(roster, 5, rows(["s00"])).deactivated == 1


def test_schools_can_be_held_with_the_students_who_are_due(roster: District) -> None:
    for number in (1, 2):
        night(roster, number, rows(["s00", "s19"]))
    limits = Limits({}, {"deactivated": Limit(10, 0)})
    document = LimitDocument(limits, when_exceeded=WhenExceeded.HOLD_SCHOOLS)
    limit_sets.save(roster, document, None, timezone.now())
    report = night(roster, 3, rows(["s00", "s19"]))
    held = UpdateJob.objects.get(split_from__number=report.number)
    assert (report.state, report.rows, report.deactivated) == (State.COMPLETED, 18, 1)
    assert (held.rows, held.state, inactive(roster)) == (0, State.HELD, {"s00"})
    assert missing(roster) == {"s19": 3}
    done = approve(roster, report_of(held))
    assert (done.deactivated, inactive(roster)) == (1, {"s00", "s19"})


def test_a_token_that_may_not_change_status_counts_nobody(roster: District) -> None:
    report = night(roster, 1, rows(["s00"]), token_limits={"columns": ["STATUS"]})
    assert "absences_status_protected" in codes(report)
    assert missing(roster) == {}


def test_students_who_are_due_count_toward_the_share_of_a_token(roster: District) -> None:
    for number in (1, 2):
        night(roster, number, rows(["s00", "s01"]))
    report = night(roster, 3, rows(["s00", "s01"]), token_limits={"percent": 5})
    assert (report.state, codes(report)) == (State.REFUSED, {"too_many_changes"})
    assert (inactive(roster), missing(roster)) == (set(), {"s00": 2, "s01": 2})
    assert not MissingStudents.objects.filter(update=last(roster)).exists()


def test_an_older_file_that_completes_later_neither_counts_nor_ends_a_count(
    roster: District,
) -> None:
    old = night(roster, 1, rows(["s01"], s02=row("s02", grade="7")), is_check=True)
    night(roster, 2, rows(["s00"])[:9], mode=Mode.UPDATE)
    Absence.objects.all().delete()
    newer = UpdateJob.objects.latest("number")
    s00 = Student.objects.get(student_id="s00")
    absences.write(roster.pk, newer.pk, [NewCount(s00.pk, FIRST_NIGHT.date(), 2)])
    approve(roster, old)
    assert missing(roster) == {"s00": 2, "s01": 1}
