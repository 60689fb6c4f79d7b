"""What becomes of an update when its rows are checked: applied, held, or left as a dry run."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from rollbook.db import planner_stats
from rollbook.districts.models import District
from rollbook.updates.models import StagedRow, UpdateEvent, UpdateJob
from rollbook.updates.planning import limit_sets
from rollbook.updates.planning.decisions import discard_expired
from rollbook.updates.planning.limit_document import LimitDocument
from rollbook.updates.planning.limits import Limit, Limits
from rollbook.updates.planning.summarize import summarize
from rollbook.updates.planning.summary import Summary
from rollbook.updates.state_machine import State
from tests.updates.night import (
    a_class,
    column_of,
    counts,
    dump,
    enroll,
    finish,
    last,
    lift_limits,
    run,
    send,
)


def leavers(count: int) -> str:
    return "STUDENT_ID,STATUS\n" + "".join(f"s{number:03},inactive\n" for number in range(count))


def movers(count: int, first: int = 0) -> str:
    rows = "".join(f"s{number:03},200\n" for number in range(first, first + count))
    return f"STUDENT_ID,SCHOOL_ID\n{rows}"


@pytest.fixture
def school(maple: District) -> District:
    enroll(maple, a_class(200))
    return maple


def test_a_plan_within_the_limits_is_applied_and_its_summary_kept(school: District) -> None:
    result = run(school, movers(20))
    assert (result.state, result.updated) == (State.COMPLETED, 20)
    summary = Summary.from_json(last(school).summary or {})
    assert (summary.district.moved_out, summary.district.moved_in) == (20, 20)
    assert (summary.schools["100"].moved_out, summary.schools["200"].moved_in) == (20, 20)
    assert summary.district.columns["SCHOOL_ID"] == 20


def test_a_plan_beyond_a_limit_is_held_and_nothing_is_changed(school: District) -> None:
    before = dump(school)
    result = run(school, movers(60))
    assert (result.state, counts(result)) == (State.HELD, {"not_processed": 60})
    assert dump(school) == before
    assert result.plan
    reasons = {(reason.measure, reason.school) for reason in result.plan.reasons}
    assert reasons == {("moved_out", ""), ("moved_out", "100")}
    assert [event.state for event in UpdateEvent.objects.filter(update=last(school))] == ["held"]


def test_a_district_without_active_students_has_no_limits(maple: District) -> None:
    enroll(maple, a_class(150))


def test_a_file_that_changes_nothing_is_not_held_for_its_rejected_rows(school: District) -> None:
    rows = "".join(f"x{number:03},5\n" for number in range(100))
    result = run(school, f"STUDENT_ID,GRADE\n{rows}")
    assert (result.state, result.rejected) == (State.COMPLETED, 100)


@pytest.mark.parametrize(("students", "leaving"), [(5, 5), (9, 5), (20, 11)])
def test_most_students_are_never_deactivated_without_a_person(
    maple: District, students: int, leaving: int
) -> None:
    enroll(maple, a_class(students))
    lift_limits(maple)
    result = run(maple, leavers(leaving))
    assert result.state is State.HELD
    assert set(column_of(maple, "STATUS").values()) == {"active"}


@pytest.mark.parametrize(("students", "leaving"), [(4, 4), (10, 5), (20, 10)])
def test_fewer_students_may_be_deactivated(maple: District, students: int, leaving: int) -> None:
    enroll(maple, a_class(students))
    assert counts(run(maple, leavers(leaving))) == {"updated": leaving}


def test_a_dry_run_ends_as_checked_whatever_it_would_do(school: District) -> None:
    before = dump(school)
    result = run(school, movers(3), is_check=True)
    assert (result.state, counts(result)) == (State.CHECKED, {"not_processed": 3})
    assert dump(school) == before


def test_a_dry_run_is_not_answered_with_the_update_of_the_same_file(school: District) -> None:
    first = send(school, movers(60))
    finish(first)
    assert send(school, movers(60)).pk == first.pk
    check = send(school, movers(60), is_check=True)
    assert check.pk != first.pk


@pytest.mark.parametrize("is_check", [False, True])
def test_a_complete_file_replaces_older_plans_but_a_dry_run_only_dry_runs(
    school: District, is_check: bool
) -> None:
    held, dry = send(school, movers(60)), send(school, movers(61), is_check=True)
    finish(held)
    finish(dry)
    newest = send(school, a_class(200, GRADE="5"), is_check=is_check)
    finish(newest)
    states = dict(UpdateJob.objects.values_list("number", "state"))
    assert states[dry.number] == State.DISCARDED
    assert states[held.number] == (State.HELD if is_check else State.DISCARDED)
    dry.refresh_from_db()
    assert (dry.discard_reason, dry.replaced_by) == ("replaced", newest)


def test_a_file_of_a_few_students_replaces_no_plan(school: District) -> None:
    held = send(school, movers(60))
    finish(held)
    run(school, movers(2))
    held.refresh_from_db()
    assert held.state == State.HELD


def test_a_plan_occupies_neither_the_queue_nor_the_slot(school: District) -> None:
    for size in (60, 61, 62, 63, 64, 65):
        finish(send(school, movers(size)))
    assert UpdateJob.objects.filter(state=State.HELD).count() == 6
    assert counts(run(school, movers(2))) == {"updated": 2}


def test_a_plan_nobody_decides_on_is_discarded_after_its_time(school: District) -> None:
    document = LimitDocument(discard_after_hours=2)
    limit_sets.save(school, document, None, timezone.now())
    held = send(school, movers(60))
    finish(held)
    assert discard_expired(timezone.now() + timedelta(minutes=119)) == 0
    assert discard_expired(timezone.now() + timedelta(minutes=121)) == 1
    assert discard_expired(timezone.now() + timedelta(minutes=121)) == 0
    held.refresh_from_db()
    assert (held.state, held.discard_reason) == (State.DISCARDED, "expired")


def test_the_version_of_the_limits_that_judged_a_plan_is_named(school: District) -> None:
    strict = Limits({"changed": Limit(0, 1)}, {})
    limit_sets.save(school, LimitDocument(), None, timezone.now())
    limit_sets.save(school, LimitDocument(strict), None, timezone.now())
    result = run(school, movers(2))
    assert result.state is State.HELD
    judged_by = last(school).limit_set
    assert judged_by is not None
    assert judged_by.version == 2


@pytest.mark.parametrize(
    "change", [{"values_json": "{}"}, {"student": None}, {"columns": "GRADE"}, {"to_school": "1"}]
)
def test_the_rows_of_a_plan_are_frozen_until_it_has_ended(
    school: District, change: dict[str, object]
) -> None:
    held = send(school, movers(60))
    finish(held)
    rows = StagedRow.objects.filter(update=held)
    with (
        pytest.raises(IntegrityError, match="a row of a plan cannot be changed"),
        transaction.atomic(),
    ):
        rows.update(**change)
    discard_expired(timezone.now() + timedelta(days=30))
    assert rows.update(**change) == 60


def test_schools_are_counted_apart_and_their_rows_where_many_are_rejected(
    maple: District,
) -> None:
    enroll(maple, a_class(100))
    enroll(maple, a_class(60, STUDENT_ID="t{0:03}", USERNAME="t{0:03}", SCHOOL_ID="200"))
    good = "".join(f"t{number:03},5\n" for number in range(10))
    bad = "".join(f"t{number:03},99\n" for number in range(10, 40))
    run(maple, f"STUDENT_ID,GRADE\n{good}{bad}s000,5\n")
    summary = Summary.from_json(last(maple).summary or {})
    school = summary.schools["200"]
    assert (school.active, school.rows, school.rejected, school.changed) == (60, 40, 30, 10)
    assert (summary.schools["100"].changed, summary.schools["100"].rows) == (1, 0)
    assert (summary.district.active, summary.district.rows) == (160, 41)


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
def test_what_earlier_updates_left_behind_is_not_read_for_a_summary(school: District) -> None:
    run(school, movers(60))
    planner_stats.analyze("updates_stagedrow")  # so small a table would be read as a whole
    with transaction.atomic():
        scans_before = table_scans("updates_stagedrow")
        assert summarize(last(school)).district.changed == 60
        assert table_scans("updates_stagedrow") == scans_before


def table_scans(table: str) -> int:
    """Return how often this connection has read a whole table, as far as not yet reported."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = %s", [table])
        scans: int = cursor.fetchone()[0]
    return scans
