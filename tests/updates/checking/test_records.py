"""An update that doesn't read what the last file has does what one that reads everything does."""

from collections.abc import Callable, Iterator, Sequence

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbook.districts.models import District
from rollbook.studentfile.reading import equal_text, scan
from rollbook.studentfile.reading.reader import FilePosition
from rollbook.students.models import Student
from rollbook.updates import leftovers, runner
from rollbook.updates.checking import check_range, parallel, records
from rollbook.updates.checking.records import Part, RecordFinder
from rollbook.updates.manifest import manifest
from rollbook.updates.models import CheckedRange, FileLots, UpdateJob
from rollbook.updates.receiving import file_chunks, files
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
    monkeypatch.setattr(equal_text, "_SLACK_BYTES", 60)
    monkeypatch.setattr(equal_text, "_START_BYTES", 100)
    monkeypatch.setattr(records, "_MAX_RECORDS", 8)
    monkeypatch.setattr(records, "WINDOW", 2)
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
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The rows that are read, in lots or otherwise."""
    rows: list[bytes] = []
    text, read_all = RecordFinder._text, RecordFinder._read_all

    def read_lot(self: RecordFinder, lot: int) -> bytes:
        rows.extend(text(self, lot).splitlines())
        return text(self, lot)

    def read_others(
        self: RecordFinder, start: FilePosition | None, stop: FilePosition | None
    ) -> Iterator[Part]:
        for part in read_all(self, start, stop):
            rows.extend([b""] * len(part.lines))
            yield part

    monkeypatch.setattr(RecordFinder, "_text", read_lot)
    monkeypatch.setattr(RecordFinder, "_read_all", read_others)
    return rows


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


def test_what_is_the_same_is_not_read(school: District, read: list[bytes]) -> None:
    assert counts(run(school, file_with(with_grade(ROWS, 20)))) == {"updated": 1, "unchanged": 39}
    assert read[:3] == [row.encode() for row in ROWS[:3]]
    assert with_grade(ROWS, 20)[20].encode() in read
    assert len(read) < 15
    del read[:]
    assert counts(run(school, file_with(ROWS))) == {"updated": 1, "unchanged": 39}
    assert len(read) < 15
    assert known(school) == {f"s{number:03}" for number in range(SIZE)}


def test_a_row_whose_student_was_edited_is_read(school: District, read: list[bytes]) -> None:
    edit("s020", last_name="Edited")
    assert counts(run(school, file_with(ROWS))) == {"updated": 1, "unchanged": 39}
    assert ROWS[20].encode() in read
    assert len(read) < 15


def test_a_row_that_had_a_problem_is_read(school: District, read: list[bytes]) -> None:
    rows = with_grade(ROWS, 20, "99")
    assert counts(run(school, file_with(rows))) == {"rejected": 1, "unchanged": 39}
    del read[:]
    assert counts(run(school, file_with(rows))) == {"rejected": 1, "unchanged": 39}
    assert problems(last(school)) == {22: ["bad_value"]}
    assert rows[20].encode() in read
    assert len(read) < 15


def _remove_stored(district: District) -> None:
    files.path_of(last(district).spool_name).unlink()
    if connection.vendor == "postgresql":
        file_chunks.remove([last(district).spool_name])


def _damage_stored(district: District) -> None:
    path = files.path_of(last(district).spool_name)
    stored = bytearray(path.read_bytes())
    stored[-20] ^= 1
    path.write_bytes(stored)


def _expire(district: District) -> None:
    UpdateJob.objects.filter(pk=last(district).pk).update(file_removed_at=timezone.now())


@pytest.mark.parametrize("lose", [_remove_stored, _damage_stored, _expire])
def test_without_the_last_file_all_rows_are_read(
    school: District, read: list[bytes], lose: Callable[[District], None]
) -> None:
    lose(school)
    assert counts(run(school, file_with(with_grade(ROWS, 20)))) == {"updated": 1, "unchanged": 39}
    assert len(read) >= SIZE
    assert len(problems(last(school))) == 0


@pytest.mark.only_on("postgresql")
def test_the_last_file_is_copied_from_the_database(school: District, read: list[bytes]) -> None:
    """As on another machine than the one that received it."""
    files.path_of(last(school).spool_name).unlink()
    assert counts(run(school, file_with(with_grade(ROWS, 20)))) == {"updated": 1, "unchanged": 39}
    assert len(read) < 15


def _of_another_key(stored: FileLots) -> None:
    stored.key = "another"


def _damaged(stored: FileLots) -> None:
    stored.arrays = bytes(stored.arrays)[::-1]


def _shorter(stored: FileLots) -> None:
    stored.arrays = bytes(stored.arrays)[:-16]


@pytest.mark.parametrize("whose", ["the last file", "the file itself"])
@pytest.mark.parametrize("damage", [_of_another_key, _damaged, _shorter])
def test_lots_that_are_damaged_count_as_absent(
    school: District, read: list[bytes], damage: object, whose: str
) -> None:
    before, file = last(school), file_with(with_grade(ROWS, 20))
    update = before if whose == "the last file" else send(school, file)
    stored = FileLots.objects.get(update=update)
    assert callable(damage)
    damage(stored)
    FileLots.objects.filter(pk=stored.pk).update(key=stored.key, arrays=stored.arrays)
    update = send(school, file) if update == before else update
    assert counts(finish(update)) == {"updated": 1, "unchanged": 39}
    assert len(read) >= SIZE


def test_only_the_lots_of_the_last_file_are_kept(school: District) -> None:
    update = send(school, file_with(with_grade(ROWS, 20)))
    assert FileLots.objects.filter(update=update).exists()
    finish(update)
    while leftovers.remove_batch():
        pass
    assert [stored.update for stored in FileLots.objects.filter(update__district=school)] == [
        update
    ]


def test_the_row_of_an_erased_student_is_read(school: District, read: list[bytes]) -> None:
    manifest.forget([Student.objects.get(student_id="s007").pk])
    assert counts(run(school, file_with(ROWS))) == {"unchanged": 40}
    assert ROWS[7].encode() in read
    assert len(read) < 15
    assert known(school) == {f"s{number:03}" for number in range(SIZE)}


def test_a_refused_file_is_not_remembered(school: District) -> None:
    update = send(school, "STUDENT_ID,FIRST_NAME\n" + '"never closed\n' * 5)
    assert update.state == State.REFUSED
    assert not FileLots.objects.filter(update=update).exists()


@pytest.mark.parametrize("line", ["", ROWS[20] + ","], ids=["blank", "a comma more"])
def test_rows_beside_an_odd_line_are_read(school: District, line: str) -> None:
    """They are never passed over, even if all of them are known."""
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
