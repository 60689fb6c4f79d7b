"""Canceling: what was applied stays, nothing follows, and the counts are exact."""

import threading
from collections.abc import Iterator
from itertools import islice

import pytest
from django.db import connection

from rollbook.db.sqlite.turnstile import yield_to_other_writers
from rollbook.districts.models import District
from rollbook.students.models import Change
from rollbook.updates import runner
from rollbook.updates.cancel import cancel
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import Mode, State
from rollbook.updates.transitions import Fenced
from tests.updates.night import (
    a_class,
    applying,
    column_of,
    counts,
    dump,
    enroll,
    finish,
    lift_limits,
    report_of,
    run,
    send,
    students,
)

pytestmark = pytest.mark.usefixtures("small_chunks", "small_batches")


@pytest.fixture
def school(maple: District) -> District:
    enroll(maple, a_class(9))
    return maple


def exhausted(work: Iterator[None]) -> bool:
    """Return whether the run that held the update is fenced."""
    with pytest.raises(Fenced):
        for _ in work:
            pass
    return True


CHAINED = "STUDENT_ID,USERNAME,GRADE\n" + "\n".join(
    [
        *(f"s00{n},u00{n + 1},5" for n in range(4)),
        "s004,free,5",
        "s005,u006,5",
        "s006,u007,5",
        "s007,u005,5",
        "s008,,5",
    ]
)


@pytest.mark.parametrize("chunks", range(5))
def test_after_any_chunk_only_the_counted_students_are_changed(
    school: District, chunks: int
) -> None:
    before = dump(school)
    update = send(school, CHAINED)
    work = applying(update, chunks)
    done = report_of(update).updated
    assert cancel(school).is_canceled
    at_once = dump(school)
    changed = [key for key in before if at_once[key] != before[key]]
    assert len(changed) == done
    assert (done == 0) is (chunks == 0)
    assert all(dict(at_once[key][0])["GRADE"] == "5" for key in changed)
    usernames = [values["USERNAME"] for values, _ in at_once.values()]
    assert len(set(usernames)) == 9
    assert not any(name.startswith(" ") for name in usernames)
    assert exhausted(work)
    assert counts(report_of(update)) == {
        name: n for name, n in (("updated", done), ("not_processed", 9 - done)) if n
    }
    assert finish(update).state is State.CANCELED
    assert dump(school) == at_once
    again = run(school, CHAINED)
    assert (again.updated, again.unchanged) == (9 - done, done)


@pytest.mark.parametrize("chunks", range(4))
def test_a_canceled_update_in_mode_add_keeps_the_counted_students(
    maple: District, chunks: int
) -> None:
    update = send(maple, a_class(6), Mode.ADD)
    work = applying(update, chunks)
    cancel(maple)
    if chunks < 4:
        assert exhausted(work)
    result = report_of(update)
    assert (len(students(maple)), result.added) == (2 * chunks, 2 * chunks)
    assert result.not_processed == 6 - 2 * chunks
    assert Change.objects.count() == 2 * chunks


@pytest.mark.parametrize("steps", range(1, 6))
def test_a_cancel_while_checking_changes_nobody_and_keeps_the_counts(
    school: District, steps: int
) -> None:
    before = dump(school)
    update = send(
        school,
        "STUDENT_ID,GRADE\n"
        + "\n".join(["s000,4", "s001,5", "s002,15", "s003,5"] + ["s004,4"] * 6),
    )
    work = runner.run_steps(update.pk)
    for _ in islice(work, steps):
        pass
    cancel(school)
    assert exhausted(work)
    result = report_of(update)
    assert result.state is State.CANCELED
    assert result.updated == 0
    assert result.not_processed == 10 - result.unchanged - result.rejected
    assert result.unchanged >= 1
    assert dump(school) == before


def test_a_waiting_update_is_canceled_before_it_starts(school: District) -> None:
    update = send(school, a_class(9, GRADE="5"))
    result = cancel(school)
    assert (result.is_canceled, result.update) == (True, update)
    assert list(runner.run_steps(update.pk)) == []
    assert counts(report_of(update)) == {"not_processed": 9}
    assert report_of(update).ended_at is not None


def test_without_a_number_the_running_update_is_canceled_or_the_one_waiting_longest(
    school: District, cedar: District
) -> None:
    enroll(cedar, a_class(1))
    send(cedar, a_class(1, GRADE="5"))
    first, second, third = (send(school, a_class(size)) for size in (1, 2, 3))
    applying(second)
    for expected in (second, first, third):
        assert cancel(school).update == expected
    nothing = cancel(school)
    assert (nothing.is_canceled, nothing.update) == (False, third)
    assert UpdateJob.objects.get(district=cedar, number=2).state == "received"


def test_with_a_number_that_update_is_canceled(school: District) -> None:
    first, second = send(school, a_class(1)), send(school, a_class(2))
    result = cancel(school, second.number)
    assert (result.is_canceled, result.update) == (True, second)
    assert report_of(first).state is State.RECEIVED


def test_canceling_twice_or_after_the_end_changes_nothing(school: District) -> None:
    run(school, a_class(9, GRADE="5"))
    update = UpdateJob.objects.latest("pk")
    ended = update.ended_at
    result = cancel(school, update.number)
    assert (result.is_canceled, result.update) == (False, update)
    assert (report_of(update).state, update.ended_at) == (State.COMPLETED, ended)
    waiting = send(school, a_class(1))
    assert [cancel(school, waiting.number).is_canceled for _ in range(2)] == [True, False]


def test_an_update_of_another_district_cannot_be_canceled(
    school: District, cedar: District
) -> None:
    update = send(school, a_class(9, GRADE="5"))
    for number in (None, update.number):
        result = cancel(cedar, number)
        assert (result.is_canceled, result.update) == (False, None)
    assert report_of(update).state is State.RECEIVED


def test_the_next_update_starts_after_a_cancel(school: District) -> None:
    first, second = send(school, a_class(9, GRADE="5")), send(school, a_class(9, GRADE="6"))
    assert runner.next_updates() == [first.pk]
    applying(first, 1)
    cancel(school)
    assert runner.next_updates() == [second.pk]
    assert counts(finish(second)) == {"updated": 9}
    assert set(column_of(school, "GRADE").values()) == {"6"}


@pytest.mark.django_db(transaction=True)
def test_when_cancel_returns_no_more_students_change_although_a_worker_is_running(
    maple: District,
) -> None:
    school = maple
    enroll(school, a_class(200))
    lift_limits(school)
    update = send(school, a_class(200, GRADE="5"))
    under_way = threading.Event()
    fenced = []

    def work() -> None:
        try:
            for _ in runner.run_steps(update.pk):
                yield_to_other_writers()
                if UpdateJob.objects.filter(pk=update.pk, rows_updated__gte=20).exists():
                    under_way.set()
        except Fenced:
            fenced.append(True)
        finally:
            under_way.set()
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    assert under_way.wait(30)
    assert cancel(school).is_canceled
    at_once = dump(school)
    done = report_of(update).updated
    worker.join()
    assert dump(school) == at_once
    assert fenced
    assert 20 <= done < 200
    assert (
        sum(values["GRADE"] == "5" for values, _ in at_once.values())
        == done
        == report_of(update).updated
    )
