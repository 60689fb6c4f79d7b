"""Byte ranges: which are unchecked, and checks by two processes in any order."""

import json
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbook.districts.models import District
from rollbook.studentfile.reading import date_order, encodings, equal_text, scan, skipped_lines
from rollbook.studentfile.reading.reader import FilePosition
from rollbook.updates import runner, transitions
from rollbook.updates.cancel import cancel
from rollbook.updates.checking import byte_ranges, check_range, parallel
from rollbook.updates.checking.byte_ranges import ByteRange
from rollbook.updates.models import CheckedRange, UpdateJob
from rollbook.updates.state_machine import Mode, State
from tests import depth
from tests.updates.night import (
    a_class,
    applying,
    complete,
    counts,
    dump,
    enroll,
    finish,
    report_of,
    run,
    send,
    stored_problems,
)

ROWS = 60
SPAN = 10  # bytes of a byte range in the property test, whose records have one byte each
in_one_test = settings(
    max_examples=depth.examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
slow = settings(in_one_test, max_examples=depth.examples(6))


@pytest.fixture
def small_byte_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make byte ranges so small that a file of a few rows has many, with several batches each.

    No second process is started.
    """
    monkeypatch.setattr(scan, "CHECKPOINT_INTERVAL_BYTES", 256)
    monkeypatch.setattr(encodings, "CHUNK", 64)
    monkeypatch.setattr(skipped_lines, "MAX_TRAILING_LINES", 0)
    monkeypatch.setattr(check_range, "MAX_UNKNOWN", 2)
    monkeypatch.setattr(check_range, "MAX_RECORDS", 3)
    monkeypatch.setattr(parallel, "MIN_RANGES", 1_000_000)


def mixed_file() -> str:
    """Return a file with all kinds of rows in all byte ranges."""
    header, *rows = a_class(ROWS, GRADE="4").splitlines()
    for number in range(0, ROWS, 3):
        rows[number] = rows[number].removesuffix(",4") + ",5"
    for number in range(1, ROWS, 9):
        rows[number] = rows[number].removesuffix(",4") + ",15"
    rows[7] = rows[8]
    rows[20:20] = ["", "", '"s020","u020","An\nn020",Lee020,2012-05-13,4']
    rows.append(rows[4])
    return "\n".join([header, *rows, "nobody,,,,,4"])


GRADE_5 = a_class(ROWS, GRADE="5")
HALF_GRADE_5 = a_class(ROWS, GRADE="4").replace(",4\n", ",5\n", ROWS // 2)


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, a_class(ROWS, GRADE="4"))


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    return maple


@pytest.fixture
def sent(school: District) -> District:
    """A district with a manifest, in which two thirds of the mixed file's records are known."""
    finish(send(school, a_class(ROWS, GRADE="4")))
    return school


def check_results(update: UpdateJob) -> tuple[Any, ...]:
    """Return all results of a check, which must not depend on processes, crashes or order."""
    update.refresh_from_db()
    rows = update.stagedrow_set.order_by("line").values_list(
        "line", "student__student_id", "apply_order", "outcome"
    )
    problems = sorted(stored_problems(update), key=lambda each: (each.line or 0, each.code))
    return (
        counts(report_of(update)),
        update.rows_read,
        update.rows_staged,
        update.problem_counts,
        problems,
        list(rows),
    )


def start_run(update: UpdateJob) -> str:
    """Start a run, check one batch, and return the run's ID."""
    next(runner.run_steps(update.pk))
    update.refresh_from_db()
    return update.run_id


class RangeWorker:
    """Checks byte ranges like the second process of a run that has checked one batch."""

    def __init__(self, update: UpdateJob, *, finds_known: bool = True) -> None:
        self._run = start_run(update)
        self._checker = check_range.RangeChecker(update, finds_known=finds_known)

    def check(self, *byte_ranges: ByteRange, batches: int | None = None) -> None:
        """Check these byte ranges, or so many batches of them."""
        for _ in islice(self._checker.check(byte_ranges, self._run), batches):
            pass


# Unchecked ranges


@pytest.fixture
def an_update(maple: District) -> UpdateJob:
    return send(maple, "STUDENT_ID,GRADE\n1,5")


@st.composite
def checked(draw: st.DrawFn) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    """Draw checkpoints, how many bytes of each byte range are checked, and the checked batches.

    Each batch begins at the begin of a byte range, or where the one before it ends. It may end in a
    later byte range.
    """
    sizes = draw(st.lists(st.integers(1, SPAN), min_size=1, max_size=8))
    checkpoints, done, at = [], [], 0
    batches: list[tuple[int, int]] = []
    for size in sizes:
        done.append(draw(st.sampled_from([0, 0, size]) | st.integers(0, size)))
        ends = draw(st.sets(st.integers(at + 1, at + done[-1]))) if done[-1] else set[int]()
        for end in sorted({*ends, at + done[-1]} if done[-1] else ends):
            last = batches[-1] if batches else (0, 0)
            begin = max(last[1], at)
            if batches and last[1] == at and draw(st.booleans()):
                batches[-1] = (last[0], end)
            else:
                batches.append((begin, end))
        at += size
        checkpoints.append(at)
    return checkpoints[:-1], done, batches


@in_one_test
@given(checked())
def test_unchecked_is_what_no_batch_has_reached(
    an_update: UpdateJob, drawn: tuple[list[int], list[int], list[tuple[int, int]]]
) -> None:
    checkpoints, done, batches = drawn
    an_update.checkpoints = [[byte, byte + 1] for byte in checkpoints]
    an_update.checkedrange_set.all().delete()
    CheckedRange.objects.bulk_create(
        CheckedRange(
            update=an_update,
            first_line=begin + 1,
            end_byte=end,
            end_line=end + 1,
            student_ids=b"",
            line_numbers=b"",
        )
        for begin, end in reversed(batches)
    )
    expected = []
    starts, stops = [None, *checkpoints], [*checkpoints, None]
    for start, bytes_done, stop in zip(starts, done, stops, strict=True):
        begin = (start or 0) + bytes_done
        if begin != stop:
            position = FilePosition(begin, begin + 1) if begin or start else None
            end = None if stop is None else FilePosition(stop, stop + 1)
            expected.append(ByteRange(position, end))
    assert byte_ranges.unchecked_ranges(an_update) == expected


def test_a_file_without_checkpoints_is_one_byte_range(an_update: UpdateJob) -> None:
    assert an_update.checkpoints == []
    assert byte_ranges.unchecked_ranges(an_update) == [ByteRange(None, None)]
    CheckedRange.objects.create(
        update=an_update, end_byte=18, end_line=2, student_ids=b"", line_numbers=b""
    )
    assert byte_ranges.unchecked_ranges(an_update) == [ByteRange(FilePosition(18, 2), None)]


def test_batches_of_another_update_are_ignored(an_update: UpdateJob, cedar: District) -> None:
    other = send(cedar, "STUDENT_ID,GRADE\n1,5")
    CheckedRange.objects.create(
        update=other, end_byte=18, end_line=2, student_ids=b"", line_numbers=b""
    )
    assert byte_ranges.unchecked_ranges(an_update) == [ByteRange(None, None)]


@pytest.mark.parametrize(
    "byte_range",
    [
        ByteRange(None, None),
        ByteRange(None, FilePosition(0, 1)),
        ByteRange(None, FilePosition(7, 2)),
        ByteRange(FilePosition(0, 1), FilePosition(7, 2)),
        ByteRange(FilePosition(7, 2), None),
        ByteRange(FilePosition(1 << 40, 1 << 31), FilePosition(1 << 41, 1 << 32)),
    ],
)
def test_a_byte_range_is_the_same_after_json(byte_range: ByteRange) -> None:
    assert ByteRange.from_json(byte_range.as_json()) == byte_range


# Checks of byte ranges


@pytest.mark.usefixtures("small_byte_ranges")
def test_the_mixed_file_has_many_byte_ranges_and_the_same_result(
    school: District, cedar: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    enroll(cedar, a_class(ROWS, GRADE="4"))
    in_byte_ranges = send(school, mixed_file())
    monkeypatch.setattr(scan, "CHECKPOINT_INTERVAL_BYTES", 1 << 21)
    at_once = send(cedar, mixed_file())
    assert (len(in_byte_ranges.checkpoints), len(at_once.checkpoints)) == (8, 0)
    applying(in_byte_ranges)
    applying(at_once)
    assert check_results(in_byte_ranges) == check_results(at_once)
    assert (
        counts(finish(in_byte_ranges))
        == counts(finish(at_once))
        == {"updated": 20, "unchanged": 33, "rejected": 10}
    )
    assert dump(school) == dump(cedar)


@pytest.mark.usefixtures("small_byte_ranges")
@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8, 13])
def test_a_check_stopped_anywhere_resumes_and_counts_every_row_once(
    school: District, cedar: District, steps: int
) -> None:
    enroll(cedar, a_class(ROWS, GRADE="4"))
    whole, stopped = send(school, mixed_file()), send(cedar, mixed_file())
    applying(whole)
    while report_of(stopped).read < stopped.rows:
        work = runner.run_steps(stopped.pk)
        for _ in islice(work, steps):
            now = report_of(stopped)
            assert now.read == now.staged + now.unchanged + now.rejected <= now.rows
            if now.read == now.rows:
                break
        work.close()
    applying(stopped)
    assert check_results(stopped) == check_results(whole)
    finish(whole)
    finish(stopped)
    assert dump(school) == dump(cedar)


@pytest.mark.usefixtures("small_byte_ranges")
@slow
@given(st.data())
def test_the_order_of_byte_ranges_and_interruptions_do_not_change_the_result(
    sent: District, data: st.DataObject
) -> None:
    """The worker checks some byte ranges completely or in part, and the run checks the rest.

    A batch may contain records of several byte ranges, if these follow each other. The worker may
    check known records as if they weren't, and the rows of a batch a few at a time.
    """
    whole = check_alone(sent)
    update = send(sent, mixed_file())
    worker = RangeWorker(update, finds_known=data.draw(st.booleans()))
    todo = byte_ranges.unchecked_ranges(update)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(check_range, "MAX_RECORDS", data.draw(st.sampled_from([3, 25])))
        patch.setattr(check_range, "MAX_UNKNOWN", data.draw(st.sampled_from([2, 25])))
        patch.setattr(check_range, "MAX_ROWS", data.draw(st.sampled_from([1, 4, 25])))
        for at in data.draw(st.lists(st.integers(0, len(todo) - 1), unique=True)):
            some = [each for each in todo[at:] if each in byte_ranges.unchecked_ranges(update)]
            some = some[: data.draw(st.integers(1, 4))]
            worker.check(*some, batches=data.draw(st.integers(0, 3)))
        applying(update)
    assert check_results(update) == whole
    transitions.transition(update.pk, State.CANCELED)


def check_alone(district: District) -> tuple[Any, ...]:
    """Return the results of a check without interruption; the update isn't applied."""
    update = send(district, mixed_file())
    applying(update)
    results = check_results(update)
    transitions.transition(update.pk, State.CANCELED)
    return results


@pytest.mark.usefixtures("small_byte_ranges")
def test_a_worker_checks_its_byte_range_and_nothing_else(school: District) -> None:
    update = send(school, mixed_file())
    worker = RangeWorker(update)
    first, *middle, last = byte_ranges.unchecked_ranges(update)
    worker.check(last)
    assert byte_ranges.unchecked_ranges(update) == [
        first,
        *middle,
        ByteRange(_end_of(update), None),
    ]
    worker.check(middle[2])
    assert byte_ranges.unchecked_ranges(update)[:-1] == [first, *middle[:2], *middle[3:]]


def _end_of(update: UpdateJob) -> FilePosition:
    last = update.checkedrange_set.latest("end_byte")
    return FilePosition(last.end_byte, last.end_line)


@pytest.mark.usefixtures("small_byte_ranges")
@pytest.mark.parametrize("cause", ["another run", "canceled"])
def test_a_worker_whose_run_has_lost_the_update_writes_nothing(
    school: District, cause: str
) -> None:
    update = send(school, mixed_file())
    worker = RangeWorker(update)
    if cause == "canceled":
        transitions.transition(update.pk, State.CANCELED)
    else:
        start_run(update)
    before = check_results(update), byte_ranges.unchecked_ranges(update)
    for byte_range in byte_ranges.unchecked_ranges(update):
        with pytest.raises(transitions.Fenced):
            worker.check(byte_range)
    assert (check_results(update), byte_ranges.unchecked_ranges(update)) == before


class NotStarted(Exception):
    """No process was started."""


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """Return the commands of second processes, of which none is started."""
    found: list[Sequence[str]] = []

    def start(command: Sequence[str], **how: object) -> None:
        found.append(command)
        raise NotStarted

    monkeypatch.setattr(parallel, "MIN_RANGES", 4)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1})
    monkeypatch.setattr("subprocess.Popen", start)
    return found


@pytest.mark.usefixtures("small_byte_ranges")
def test_a_second_process_is_started_only_for_a_large_file_with_many_unknown_records(
    sent: District, commands: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ordinary = a_class(ROWS, GRADE="4").replace("s030,u030,Ann030", "s030,u030,Bea030")
    assert counts(finish(send(sent, ordinary))) == {"updated": 1, "unchanged": ROWS - 1}
    assert commands == []
    small = send(sent, a_class(6, GRADE="9"))
    assert len(small.checkpoints) < 3
    finish(small)
    assert commands == []
    large = send(sent, mixed_file())
    with suppress(NotStarted):
        finish(large)
    assert len(commands) == 1
    cancel(sent)
    monkeypatch.setattr(parallel, "MIN_RANGES", 1_000_000)
    finish(send(sent, mixed_file()))
    monkeypatch.setattr(parallel, "MIN_RANGES", 4)
    finish(send(sent, mixed_file()))
    assert len(commands) == 1


@pytest.mark.usefixtures("small_byte_ranges")
@pytest.mark.parametrize(("file", "finds_known"), [(mixed_file(), True), (GRADE_5, False)])
def test_a_second_process_looks_for_known_records_unless_they_are_few(
    sent: District, commands: list[Sequence[str]], file: str, finds_known: bool
) -> None:
    with suppress(NotStarted):
        finish(send(sent, file))
    (command,) = commands
    assert json.loads(command[-1])[2] is finds_known


@pytest.mark.usefixtures("small_byte_ranges")
def test_a_second_process_looks_for_known_records_that_follow(
    sent: District, commands: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lots show that the last file has them."""
    monkeypatch.setattr(date_order, "FIRST_ROWS", 2)
    monkeypatch.setattr(scan, "_ROWS_AT_END", 0)
    monkeypatch.setattr(equal_text, "WINDOWS", (2, 8, 24))
    monkeypatch.setattr(equal_text, "_BLOCK_BYTES", 200)
    with suppress(NotStarted):
        finish(send(sent, HALF_GRADE_5))
    (command,) = commands
    assert json.loads(command[-1])[2] is True


@pytest.mark.usefixtures("small_byte_ranges")
def test_new_students_of_all_byte_ranges_are_added_once(maple: District) -> None:
    text = complete(a_class(ROWS))
    update = send(maple, text, Mode.ADD)
    assert len(update.checkpoints) > 8
    assert counts(finish(update)) == {"added": ROWS}
    assert counts(run(maple, text, Mode.ADD)) == {"unchanged": ROWS}
