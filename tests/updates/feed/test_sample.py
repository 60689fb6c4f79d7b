"""Rows from everywhere in a large file."""

import csv
import io

import pytest

from rollbook.districts.models import District
from rollbook.studentfile.reading import scan
from rollbook.studentfile.reading.header import Header
from rollbook.updates.feed import sample
from rollbook.updates.models import UpdateJob
from tests.conftest import make_district
from tests.updates import night

pytestmark = pytest.mark.django_db


@pytest.fixture
def maple(db: None) -> District:
    return make_district("Maple USD", "100")


def sent(district: District, rows: int, cell: str = "x") -> UpdateJob:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["STUDENT_ID", "ADDITIONAL_INFO_1"])
    writer.writerows([number, cell] for number in range(rows))
    return night.send_bytes(district, file.getvalue().encode()).update


def ids(update: UpdateJob) -> list[int]:
    header, _ = Header.parse(update.header)
    return [int(row[0]) for row in sample.sample(update, header)]


def test_of_a_small_file_all_rows_are_taken(maple: District) -> None:
    assert ids(sent(maple, 300)) == list(range(300))


def test_of_a_large_file_rows_are_taken_at_equal_distances(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "MAX_RECORDS", 100)
    assert ids(sent(maple, 1000)) == list(range(0, 1000, 10))


def test_each_part_of_the_file_gives_rows(maple: District, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each part only some of the first records are read."""
    monkeypatch.setattr(scan, "CHECKPOINT_INTERVAL_BYTES", 1 << 17)
    monkeypatch.setattr(sample, "MAX_RECORDS", 60)
    monkeypatch.setattr(sample, "MAX_RECORDS_READ", 600)
    update = sent(maple, 6000, cell="x" * 100)
    parts = len(update.checkpoints) + 1
    assert parts > 3
    taken = ids(update)
    assert 0 < len(taken) <= 60
    assert taken == sorted(set(taken))
    starts = {0, *(line - 2 for _, line in update.checkpoints)} - {6000}
    assert starts <= set(taken)


def test_records_with_line_breaks_and_damaged_ones_are_no_obstacle(maple: District) -> None:
    text = b'ADDITIONAL_INFO_1,STUDENT_ID\n"a\nb",1\nc\n\xff,2\n,3\n'
    update = night.send_bytes(maple, text).update
    header, _ = Header.parse(update.header)
    assert sample.sample(update, header) == [["a\nb", "1"], ["c"], ["", "3"]]
    assert list(sample.all_cells(update, header, 1)) == ["1", "3"]
