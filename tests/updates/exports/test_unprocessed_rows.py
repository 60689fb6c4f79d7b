"""The unprocessed rows of an update, as many as reported; uploading them completes it."""

import csv
import io
from itertools import islice

import pytest

from rollbook.districts.models import District
from rollbook.studentfile.reading import encodings, scan, skipped_lines
from rollbook.updates import runner, transitions
from rollbook.updates.cancel import cancel
from rollbook.updates.checking import byte_ranges, check_range
from rollbook.updates.exports import unprocessed_rows
from rollbook.updates.exports.original_rows import NotEnded
from rollbook.updates.models import FileChunk, UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.state_machine import Mode, State
from tests.updates.night import (
    a_class,
    applying,
    column_of,
    counts,
    enroll,
    finish,
    last,
    report_of,
    send,
    send_bytes,
)

pytestmark = pytest.mark.usefixtures("small_chunks", "small_batches")

NIGHT = (
    a_class(8, GRADE="5")
    + "\ns008,u008,Ann008,Lee008,2012-05-13,15\nx1,,,,,5\ns009,u009,Ann009,Lee009,2012-05-13,4"
)


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, a_class(10, GRADE="4"))


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    return maple


def file_of(update: UpdateJob) -> str:
    update.refresh_from_db()
    return "".join(unprocessed_rows.csv_lines(update))


def rows_of(update: UpdateJob) -> list[list[str]]:
    header, *rows = csv.reader(io.StringIO(file_of(update), newline=""), strict=True)
    assert header[-1] == f"_LINE_OF_UPDATE_{update.number}"
    assert len(rows) == report_of(update).not_processed
    return rows


def test_an_update_that_never_started_exports_the_whole_file(school: District) -> None:
    update = send(school, NIGHT)
    cancel(school)
    assert [row[-1] for row in rows_of(update)] == [str(line) for line in range(2, 13)]


@pytest.mark.parametrize("steps", range(1, 12))
def test_uploading_the_rest_of_a_canceled_update_completes_it(school: District, steps: int) -> None:
    update = send(school, NIGHT)
    for _ in islice(runner.run_steps(update.pk), steps):
        pass
    cancel(school)
    first = report_of(update)
    rows = rows_of(update)
    again = send_bytes(school, file_of(update).encode()).update if rows else None
    second = finish(again) if again else None
    total = {
        name: getattr(first, name) + (getattr(second, name) if second else 0)
        for name in ("updated", "rejected")
    }
    assert total == {"updated": 8, "rejected": 2}
    assert sorted(column_of(school, "GRADE").values()) == ["4"] * 2 + ["5"] * 8


def test_ranges_that_another_process_has_checked_are_left_out(
    school: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "CHECKPOINT_INTERVAL_BYTES", 64)
    monkeypatch.setattr(encodings, "CHUNK", 64)
    monkeypatch.setattr(skipped_lines, "MAX_TRAILING_LINES", 0)
    update = send(school, a_class(10, GRADE="4"))
    begin, middle, *_, last_one = byte_ranges.unchecked_ranges(update)
    transitions.transition(update.pk, State.CHECKING, run_id="x", started_at=update.received_at)
    for byte_range in (middle, last_one):
        for _ in check_range.RangeChecker(update).check([byte_range], "x"):
            pass
    cancel(school)
    left = [int(row[-1]) for row in rows_of(update)]
    assert middle.start is not None
    assert last_one.start is not None
    assert left[: middle.start.line - 2] == list(range(2, middle.start.line))
    assert middle.start.line not in left
    assert left[-1] == last_one.start.line - 1
    assert begin.start is None


def test_a_failed_update_exports_the_rest(school: District) -> None:
    update = send(school, NIGHT)
    applying(update, chunks=1)
    transitions.transition(update.pk, State.FAILED, error_reference="abc")
    assert [row[0] for row in rows_of(update)] == ["s002", "s003", "s004", "s005", "s006", "s007"]


def test_a_completed_or_refused_update_exports_no_rows(school: District) -> None:
    update = send(school, NIGHT)
    finish(update)
    assert rows_of(update) == []
    assert rows_of(send_bytes(school, b"STUDENT_ID,GRADE\n").update) == []


def test_rows_are_as_uploaded_without_passwords(school: District) -> None:
    rows = [f"s00{n},canary, 5,=1+1" for n in range(9)]
    update = send(
        school, "\n".join(["STUDENT_ID,PASSWORD,GRADE,ADDITIONAL_INFO_1", *rows, "canary,s009"])
    )
    cancel(school)
    assert "canary" not in file_of(update)
    first, *_, last_one = rows_of(update)
    assert (first, last_one) == (["s000", " 5", "'=1+1", "2"], ["", "", "", "11"])


def test_new_students_are_exported_too(maple: District) -> None:
    update = send(maple, a_class(5), Mode.ADD)
    applying(update, chunks=1)
    cancel(maple)
    assert counts(report_of(update)) == {"added": 2, "not_processed": 3}
    assert [row[0] for row in rows_of(update)] == ["s002", "s003", "s004"]


def test_an_unfinished_update_has_no_such_file(school: District) -> None:
    with pytest.raises(NotEnded):
        unprocessed_rows.csv_lines(send(school, NIGHT))


def test_a_missing_file_is_reported_at_once(school: District) -> None:
    update = send(school, NIGHT)
    cancel(school)
    update.refresh_from_db()
    files.path_of(update.spool_name).unlink()
    FileChunk.objects.all().delete()
    with pytest.raises(files.FileMissing):
        unprocessed_rows.csv_lines(update)
    assert unprocessed_rows.file_name(last(school)) == "update-2-not-processed.csv"
