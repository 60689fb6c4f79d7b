"""Known lots: an update that doesn't read them does what one that reads everything does."""

from collections.abc import Sequence

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbook.districts.models import District
from rollbook.studentfile.reading import lots, scan
from rollbook.students.models import Student
from rollbook.updates import leftovers, runner
from rollbook.updates.checking import check_range, parallel, records
from rollbook.updates.checking.records import KnownLots, Part
from rollbook.updates.manifest import manifest
from rollbook.updates.models import CheckedRange, FileLots
from rollbook.updates.state_machine import State
from tests import depth
from tests.studentfile.reading.small_lots import make_lots_small
from tests.updates.manifest.ten_students import edit
from tests.updates.night import (
    a_class,
    counts,
    dump,
    enroll,
    finish,
    forget,
    known,
    last,
    lift_limits,
    problems,
    run,
    send,
    send_bytes,
    who_was_where,
)

SIZE = 40
HEADER, *ROWS = a_class(SIZE, GRADE="4").splitlines()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make everything so small that a file of forty rows has many lots, batches and ranges."""
    make_lots_small(monkeypatch)
    monkeypatch.setattr(scan, "CHECKPOINT_INTERVAL_BYTES", 400)
    monkeypatch.setattr(lots, "_SLACK_BYTES", 60)
    monkeypatch.setattr(lots, "_START_BYTES", 100)
    monkeypatch.setattr(records, "_MAX_LOTS", 3)
    monkeypatch.setattr(records, "_STRETCH_BYTES", 150)
    monkeypatch.setattr(check_range, "MAX_UNKNOWN", 3)
    monkeypatch.setattr(check_range, "MAX_RECORDS", 12)
    monkeypatch.setattr(parallel, "MIN_RANGES", 1_000_000)


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    lift_limits(maple_once)
    enroll(maple_once, a_class(SIZE))


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    run(maple, file_with(ROWS))
    return maple


@pytest.fixture
def not_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The first line of each piece of a file that isn't read."""
    first_lines: list[int] = []
    known_part = KnownLots._known_part

    def noting(self: KnownLots, lot: int, size: int) -> Part:
        part = known_part(self, lot, size)
        first_lines.append(part.lines[0])
        return part

    monkeypatch.setattr(KnownLots, "_known_part", noting)
    return first_lines


def file_with(rows: Sequence[str]) -> str:
    return "\n".join([HEADER, *rows])


def with_grade(rows: Sequence[str], at: int, grade: str = "5") -> list[str]:
    """Return the rows, one of which has another grade."""
    return [*rows[:at], rows[at].replace(",4", f",{grade}"), *rows[at + 1 :]]


@st.composite
def next_nights(draw: st.DrawFn) -> list[list[str]]:
    """Draw the rows of some files, each with a few differences from the one before."""
    nights, rows = [], ROWS
    for _ in range(draw(st.integers(1, 3))):
        rows = list(rows)
        for _ in range(draw(st.integers(0, 4))):
            at = draw(st.integers(0, len(rows)))
            rows[at : at + draw(st.integers(0, 3))] = draw(st.lists(night_rows, max_size=2))
        nights.append(rows)
    return nights


night_rows = st.one_of(
    st.builds(
        lambda at, grade: with_grade(ROWS, at, grade)[at],
        st.integers(0, SIZE - 1),
        st.sampled_from(["5", "6", "99"]),
    ),
    st.sampled_from(
        [
            "",
            "s900,u900,Ann,Lee,2012-05-13,4",
            's003,u003,"Ann\n003",Lee003,2012-05-13,4',
            's004,u004,"Ann, Maria",Lee004,2012-05-13,4',
            "s005,too few",
            "s006,u006,Ann,Lee,13/05/2012,4",
            "s007,u007,Zo\udceb,Lee007,2012-05-13,4",
            "s008,u008,Zoë,Lee008,2012-05-13,4",
        ]
    ),
)


def _reversed_ranges(district: District) -> None:
    for checked in CheckedRange.objects.filter(update__manifest__district=district):
        checked.fingerprints = bytes(checked.fingerprints)[::-1]
        checked.save()


def _half_written(district: District) -> None:
    [*stored] = CheckedRange.objects.filter(update__manifest__district=district)
    for checked in stored[1:]:
        checked.delete()


def _no_lots(district: District) -> None:
    FileLots.objects.filter(update__district=district).delete()


def _reversed_lots(district: District) -> None:
    for stored in FileLots.objects.filter(update__district=district):
        stored.arrays = bytes(stored.arrays)[::-1]
        stored.save()


def _nothing(district: District) -> None:
    pass


damages = st.sampled_from(
    [_nothing, _nothing, _nothing, _reversed_ranges, _half_written, _no_lots, _reversed_lots]
)
encodings = st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"])
line_ends = st.sampled_from(["\n", "\n", "\r\n", "\r"])


@st.composite
def as_bytes(draw: st.DrawFn, rows: Sequence[str]) -> tuple[bytes, str]:
    """Draw how a file is written: with which line ends, in which order, and in which encoding.

    The encoding is returned, too, if the file doesn't show it.
    """
    encoding = draw(encodings)
    ordered = draw(st.permutations(rows)) if draw(st.integers(0, 5)) == 5 else rows
    end = draw(line_ends)
    text = "".join(row + end for row in (HEADER, *ordered))
    damage = "surrogatepass" if encoding == "utf-16" else "surrogateescape"
    return text.encode(encoding, damage), encoding if encoding == "cp1252" else ""


@settings(
    max_examples=depth.examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(next_nights(), st.lists(st.integers(0, SIZE - 1), max_size=3), st.booleans(), st.data())
def test_the_result_is_that_of_an_update_that_reads_everything(
    school: District,
    cedar: District,
    nights: list[list[str]],
    edited: list[int],
    crashes: bool,
    data: st.DataObject,
) -> None:
    with transaction.atomic():
        lift_limits(cedar)
        enroll(cedar, a_class(SIZE))
        run(cedar, file_with(ROWS))
        for at in edited:
            for student in Student.objects.filter(student_id=f"s{at:03}"):
                student.last_name = "Edited"
                student.save()
        for rows in nights:
            forget(cedar)
            data.draw(damages)(school)
            file, encoding = data.draw(as_bytes(rows))
            here, there = (
                send_bytes(district, file, encoding=encoding).update for district in (school, cedar)
            )
            if here.state == State.REFUSED:
                assert there.state == State.REFUSED
                continue
            if crashes:
                next(runner.run_steps(here.pk))

            assert counts(finish(here)) == counts(finish(there))
            assert problems(here) == problems(there)
            assert dump(school) == dump(cedar)
            assert who_was_where(here) == who_was_where(there)
        transaction.set_rollback(True)


def test_lots_that_are_the_same_are_not_read(school: District, not_read: list[int]) -> None:
    assert counts(run(school, file_with(with_grade(ROWS, 20)))) == {"updated": 1, "unchanged": 39}
    assert len(not_read) > 4
    assert 22 not in not_read
    del not_read[:]
    assert counts(run(school, file_with(ROWS))) == {"updated": 1, "unchanged": 39}
    assert len(not_read) > 4
    assert known(school) == {f"s{number:03}" for number in range(SIZE)}


def test_a_lot_with_a_student_who_was_edited_is_read(school: District, not_read: list[int]) -> None:
    edit("s020", last_name="Edited")
    assert counts(run(school, file_with(ROWS))) == {"updated": 1, "unchanged": 39}
    assert len(not_read) > 4


def test_a_lot_with_a_row_that_had_a_problem_is_read(school: District, not_read: list[int]) -> None:
    rows = with_grade(ROWS, 20, "99")
    assert counts(run(school, file_with(rows))) == {"rejected": 1, "unchanged": 39}
    del not_read[:]
    assert counts(run(school, file_with(rows))) == {"rejected": 1, "unchanged": 39}
    assert problems(last(school)) == {22: ["bad_value"]}
    assert not_read


def _of_another_key(stored: FileLots) -> None:
    stored.key = "another"


def _damaged(stored: FileLots) -> None:
    stored.arrays = bytes(stored.arrays)[::-1]


def _shorter(stored: FileLots) -> None:
    stored.arrays = bytes(stored.arrays)[:-28]


@pytest.mark.parametrize("whose", ["the last file", "the file itself"])
@pytest.mark.parametrize("damage", [_of_another_key, _damaged, _shorter])
def test_lots_that_are_damaged_count_as_absent(
    school: District, not_read: list[int], damage: object, whose: str
) -> None:
    before = last(school)
    update = send(school, file_with(with_grade(ROWS, 20)))
    stored = FileLots.objects.get(update=before if whose == "the last file" else update)
    assert callable(damage)
    damage(stored)
    FileLots.objects.filter(pk=stored.pk).update(key=stored.key, arrays=stored.arrays)
    assert counts(finish(update)) == {"updated": 1, "unchanged": 39}
    assert not not_read


def test_only_the_lots_of_the_last_file_are_kept(school: District) -> None:
    update = send(school, file_with(with_grade(ROWS, 20)))
    assert FileLots.objects.filter(update=update).exists()
    finish(update)
    while leftovers.remove_batch():
        pass
    assert [stored.update for stored in FileLots.objects.filter(update__district=school)] == [
        update
    ]


def test_after_a_student_is_erased_no_text_is_known(school: District) -> None:
    """The hash of a lot is one of the student's row, too."""
    manifest.forget([Student.objects.get(student_id="s007").pk])
    assert not FileLots.objects.filter(update__district=school).exists()
    assert counts(run(school, file_with(ROWS))) == {"unchanged": 40}


def test_a_refused_file_is_not_remembered(school: District) -> None:
    update = send(school, "STUDENT_ID,FIRST_NAME\n" + '"never closed\n' * 5)
    assert update.state == State.REFUSED
    assert not FileLots.objects.filter(update=update).exists()


@pytest.mark.parametrize("line", ["", ROWS[20] + ","], ids=["blank", "a comma more"])
def test_rows_beside_an_odd_line_are_read(school: District, line: str) -> None:
    """Such a lot is never recognized, even if all of its rows are known."""
    rows = [*ROWS[:20], line, *ROWS[21:]]
    run(school, file_with(rows))
    changed = with_grade(with_grade(rows, 19), 21)
    assert counts(run(school, file_with(changed)))["updated"] == 2


def test_a_known_file_that_is_cut_off_within_a_character_is_refused(school: District) -> None:
    before = dump(school)
    sent = file_with([*ROWS, "s008,u008,Zoë"]).encode()
    receipt = send_bytes(school, sent[:-1])
    assert receipt.update.state == State.REFUSED
    assert list(receipt.update.problem_counts) == ["cut_off"]
    assert dump(school) == before
