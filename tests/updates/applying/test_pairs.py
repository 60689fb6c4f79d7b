"""Two chunks that are applied at the same time leave behind what one after the other would."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from rollbook.districts.models import District
from rollbook.students.models import Change
from rollbook.updates import runner
from rollbook.updates.applying import apply, pairs
from rollbook.updates.applying.chunk_plan import PendingRow
from rollbook.updates.applying.pairs import Applier, ChunkPlace
from rollbook.updates.cancel import cancel
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import Mode, State
from rollbook.updates.transitions import Fenced
from tests import depth
from tests.conftest import make_district
from tests.db.database_errors import watching
from tests.faults.folder import HEADER, eventful_night, row
from tests.updates.night import (
    a_class,
    column_of,
    counts,
    dump,
    enroll,
    finish,
    lift_limits,
    report_of,
    run,
    send,
)

SECOND = "second chunk"
SAMPLES = 4
LONGEST_S = depth.choose(daily=600, nightly=3600)  # hundreds of statements, each a whole night
ROWS = [PendingRow(n, n, n, n, 0, "{}", "GRADE", None) for n in range(4)]


class Killed(OperationalError):
    """Stands for a worker that died; its transactions are rolled back."""


def end_worker() -> None:
    raise Killed


class Moment:
    """Does something at a statement of one connection of the worker, in the step of applying."""

    def __init__(self, at: int, *, thread: str, deed: Callable[[], None] = end_worker) -> None:
        self._at, self._thread, self._deed = at, thread, deed
        self.statements = 0

    def __call__(self) -> None:
        is_second = threading.current_thread().name.startswith(SECOND)
        if is_second == (self._thread == SECOND):
            self.statements += 1
            if self.statements == self._at:
                self._deed()


def a_night(name: str) -> UpdateJob:
    """A district of its own, and a file with everything that a row can do, ready to be applied."""
    district = make_district(name, "100", "200")
    lift_limits(district)
    enroll(district, HEADER + "".join(map(row, range(1, 57))))
    update = send(district, eventful_night(), Mode.ADD)
    for _ in runner.run_steps(update.pk):
        update.refresh_from_db()
        if update.state == State.APPLYING:
            break
    return update


def left_by(update: UpdateJob) -> dict[str, Any]:
    update.refresh_from_db()
    return {
        "students": dump(update.district),
        "report": counts(report_of(update)),
        "fields": update.field_counts,
        "problems": list(update.problem_set.order_by("line", "code").values_list("line", "code")),
        "state": update.state,
    }


def die(update: UpdateJob, death: Moment) -> bool:
    """Run the update until the worker dies; return whether it did."""
    with watching(death):
        try:
            for _ in runner.run_steps(update.pk):
                pass
        except Killed:
            return True
    return False


def assert_effect_and_outcome_are_one(update: UpdateJob) -> None:
    """The counters are those of the students that have changed."""
    changed = Change.objects.filter(update=update).values("student").distinct().count()
    update.refresh_from_db()
    assert changed == update.rows_updated + update.rows_added


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_chunks")
@pytest.mark.timeout(LONGEST_S)
@pytest.mark.parametrize("thread", ["first", SECOND])
def test_a_death_at_any_statement_of_either_connection_changes_nothing_in_the_end(
    thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as alone:
        alone.setattr(pairs, "MIN_PAIRED_ROWS", 1000)
        undisturbed, nobody = a_night("Undisturbed"), Moment(0, thread=SECOND)
        assert not die(undisturbed, nobody)
        assert nobody.statements == 0, "one connection is to be enough"
    wanted = left_by(undisturbed)
    assert wanted["report"] == {"updated": 41, "added": 15, "unchanged": 8, "rejected": 12}
    counted, death = a_night("Counted"), Moment(0, thread=thread)
    assert not die(counted, death)
    assert left_by(counted) == wanted
    for statement in depth.sample(
        range(1, death.statements), f"statements of the {thread}", daily=SAMPLES, nightly=1000
    ):
        update = a_night(f"District {statement}")
        assert die(update, Moment(statement, thread=thread))
        assert_effect_and_outcome_are_one(update)
        finish(update)
        assert left_by(update) == wanted, f"after a death at statement {statement}"


class Cancel:
    """Cancels the district's update on a connection of its own."""

    def __init__(self, district: District) -> None:
        self._district = district
        self._thread = threading.Thread(target=self._cancel)
        self.students: dict[str, Any] = {}

    def start(self) -> None:
        """Start, and continue if the update is locked until the worker has committed."""
        self._thread.start()
        self._thread.join(0.5)

    def wait(self) -> None:
        self._thread.join()

    def _cancel(self) -> None:
        cancel(self._district)
        self.students = dump(self._district)
        connection.close()


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_chunks")
@pytest.mark.timeout(LONGEST_S)
@pytest.mark.parametrize("thread", ["first", SECOND])
def test_after_a_cancel_at_any_statement_nobody_changes_until_the_file_is_sent_again(
    thread: str,
) -> None:
    undisturbed, counted = a_night("Undisturbed"), Moment(0, thread=thread)
    assert not die(undisturbed, counted)
    wanted, halfway = left_by(undisturbed)["students"], 0
    samples = depth.sample(
        range(1, counted.statements), f"cancels of the {thread}", daily=SAMPLES, nightly=1000
    )
    for statement in sorted({counted.statements // 2, *samples}):
        update = a_night(f"District {statement}")
        before, canceling = dump(update.district), Cancel(update.district)
        moment = Moment(statement, thread=thread, deed=canceling.start)
        with watching(moment), suppress(Fenced):
            for _ in runner.run_steps(update.pk):
                pass
        canceling.wait()
        assert dump(update.district) == canceling.students, f"at statement {statement}"
        assert_effect_and_outcome_are_one(update)
        assert update.state == State.CANCELED or canceling.students == wanted
        halfway += before != canceling.students != wanted
        run(update.district, eventful_night(), Mode.ADD)
        assert dump(update.district) == wanted, f"after a cancel at statement {statement}"
    assert halfway


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_chunks")
def test_an_update_is_the_same_if_no_second_chunk_is_in_time(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs, "PATIENCE_S", 0.0)
    enroll(maple, a_class(20))
    lift_limits(maple)
    update = send(maple, a_class(20, GRADE="5"))
    assert counts(finish(update)) == {"updated": 20}
    assert set(column_of(maple, "GRADE").values()) == {"5"}
    assert_effect_and_outcome_are_one(update)


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_chunks")
def test_the_second_connection_is_closed_when_all_rows_are_applied(maple: District) -> None:
    enroll(maple, a_class(20))
    lift_limits(maple)
    opened: list[BaseDatabaseWrapper] = []

    def look(connection: BaseDatabaseWrapper, **more: object) -> None:
        opened.append(connection)

    connection_created.connect(look)
    finish(send(maple, a_class(20, GRADE="5")))
    connection_created.disconnect(look)
    assert len(opened) == 1
    assert opened[0].connection is None
    assert connection.connection is not None


def chunks() -> list[list[PendingRow]]:
    return [ROWS[:2], ROWS[2:]]


@pytest.mark.without_database
def test_a_second_chunk_that_waits_too_long_is_rolled_back_and_applied_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pairs, "PATIENCE_S", 0.0)
    gave_up = threading.Event()

    def work(rows: Sequence[PendingRow], place: ChunkPlace) -> float:
        with place.transaction():
            if rows is both[0]:
                assert gave_up.wait(30)
                return 1.0
            try:
                place.wait_until_written()
            finally:
                gave_up.set()
            return 2.0

    both = chunks()
    with Applier() as applier:
        assert applier.apply(work, both) == [1.0]


@pytest.mark.without_database
@pytest.mark.parametrize("number", [0, 1])
def test_the_second_chunk_is_only_committed_after_the_first_one(number: int) -> None:
    committed: list[Sequence[PendingRow]] = []

    def work(rows: Sequence[PendingRow], place: ChunkPlace) -> float:
        with place.transaction():
            if rows is both[number]:
                raise Killed
            place.wait_until_committed()
            committed.append(rows)
            return 1.0

    both = chunks()
    with Applier() as applier, pytest.raises(Killed):
        applier.apply(work, both)
    assert committed == both[:number]


@pytest.mark.without_database
def test_the_second_chunk_begins_with_other_rows_when_those_of_the_first_one_are_written() -> None:
    written: list[Sequence[PendingRow]] = []

    def work(rows: Sequence[PendingRow], place: ChunkPlace) -> float:
        with place.transaction():
            place.wait_until_written()
            written.append(rows)
            place.set_written()
            place.wait_until_committed()
            return 1.0

    both = chunks()
    with Applier() as applier:
        assert applier.apply(work, both) == [1.0, 1.0]
    assert written == both


@pytest.mark.without_database
@pytest.mark.parametrize(
    ("orders", "size", "wanted"),
    [
        ([], 2, []),
        ([1, 2], 2, [[1, 2]]),
        ([1, 2, 3], 2, [[1, 2], [3]]),
        ([1, 2, 2, 3, 4], 2, [[1, 2, 2], [3, 4]]),
        ([1, 2, 2], 2, [[1, 2, 2]]),
        ([1, 2, 3, 1 << 32], 2, [[1, 2]]),
        ([1, 2, 3, 1 << 40], 2, [[1, 2]]),
    ],
)
def test_rows_are_split_into_two_chunks_unless_they_depend_on_each_other(
    orders: list[int], size: int, wanted: list[list[int]]
) -> None:
    rows = [ROWS[0]._replace(apply_order=order) for order in orders]
    chunks = apply._split_chunks(rows, size)
    assert [[each.apply_order for each in chunk] for chunk in chunks] == wanted


def test_a_transaction_of_the_caller_is_on_one_connection(maple: District) -> None:
    assert connection.in_atomic_block
    assert Applier.chunks_at_once(pairs.MIN_PAIRED_ROWS) == 1
