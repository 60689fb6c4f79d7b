"""Marks: places of a file where reading may begin, so that stretch by stretch it gives what reading at once gives."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.studentfile.reading import encodings
from rollbook.studentfile.reading import scan as reading_scan
from rollbook.studentfile.reading.reader import (
    FilePosition,
    FileScan,
    Header,
    RecordBatch,
    parse_rows,
    read_batches,
    read_records,
    scan,
)

CODECS = {"utf-8": "utf-8", "utf-8-sig": "utf-8", "cp1252": "cp1252", "utf-16": "utf-8"}
"""How a file is written, to what the settings say of it."""
HEADER = "STUDENT_ID,FIRST_NAME,LAST_NAME,ADDITIONAL_INFO_1"
LINE_BREAK = re.compile(r"\r\n|\n|\r")

# In Windows-1252 each of these is one byte, in UTF-8 up to three, in UTF-16 two.
some_text = st.text('abcXYZ 019.-\'"",,\u00e9\u20ac\u201c', max_size=5)
cells = st.tuples(some_text, st.sampled_from(["", "", "\n", "\r\n", "\r"]), some_text).map("".join)


@st.composite
def written(draw: st.DrawFn) -> list[str]:
    """The records of a file that is acceptable, with their line ends: the header, rows, and blank lines."""
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    found = [end] * draw(st.integers(0, 2)) + [HEADER + end]
    for number in range(draw(st.integers(1, 30))):
        rest = ",".join(_cell(draw(cells), quoted=draw(st.booleans())) for _ in range(3))
        found += [f"{number},{rest}{end}", *[end] * draw(st.sampled_from([0, 0, 0, 1, 2]))]
    if draw(st.booleans()):
        found[-1] = found[-1].removesuffix(end) or "last,,,x"
    return found


def _cell(text: str, *, quoted: bool) -> str:
    needed = any(letter in text for letter in '",\r\n')
    return '"' + text.replace('"', '""') + '"' if quoted or needed else text


@dataclass(frozen=True)
class Surveyed:
    """A file on the disk, and its survey."""

    path: Path
    survey: FileScan

    @property
    def header(self) -> Header:
        assert self.survey.header
        return self.survey.header

    @property
    def stretches(self) -> list[tuple[FilePosition | None, int | None]]:
        """From where up to which byte."""
        marks = self.survey.checkpoints
        return list(zip([None, *marks], [*(mark.byte for mark in marks), None], strict=True))

    def records(
        self, start: FilePosition | None = None, stop: int | None = None, size: int = 5000
    ) -> list[RecordBatch]:
        return list(
            read_records(
                self.path,
                encoding=self.survey.encoding,
                header=self.header,
                start=start,
                stop=stop,
                size=size,
            )
        )


@contextmanager
def small(stretch: int, chunk: int = 64) -> Iterator[None]:
    """Marks so many bytes apart, in a file that is read in such chunks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading_scan, "CHECKPOINT_INTERVAL_BYTES", stretch)
        patch.setattr(encodings, "CHUNK", chunk)
        yield


def surveyed(folder: Path, text: str, codec: str = "utf-8") -> Surveyed:
    path = folder / "students.csv"
    path.write_bytes(text.encode(codec))
    return Surveyed(path, scan(path, encoding=CODECS[codec]))


def places(found: Sequence[str]) -> list[tuple[int, int]]:
    """Byte of the text as UTF-8, and physical line, of each record and of the end."""
    at, line = 0, 1
    places = [(at, line)]
    for record in found:
        at += len(record.encode())
        line += len(LINE_BREAK.findall(record))
        places.append((at, line))
    return places


def together(parts: Sequence[RecordBatch]) -> list[tuple[int, bytes]]:
    """Line and bytes of each record."""
    return [pair for part in parts for pair in zip(part.lines, part.records, strict=True)]


@given(
    written(),
    st.sampled_from(list(CODECS)),
    st.integers(1, 300),
    st.sampled_from([16, 17, 64, 1 << 17]),
)
def test_marks_are_where_records_meet_and_know_their_line(
    tmp_path_factory: pytest.TempPathFactory, found: list[str], codec: str, stretch: int, chunk: int
) -> None:
    with small(stretch, chunk):
        file = surveyed(tmp_path_factory.mktemp("in"), "".join(found), codec)
    assert file.survey.refusal is None
    marks = [(mark.byte, mark.line) for mark in file.survey.checkpoints]
    behind_header = found.index(next(record for record in found if record.startswith(HEADER))) + 1
    *meeting, end = places(found)
    assert {mark for mark in marks if mark[0] != end[0]} <= set(meeting[behind_header:])
    assert all(second - first >= stretch for (first, _), (second, _) in pairwise([(0, 1), *marks]))


@given(
    written(),
    st.sampled_from(list(CODECS)),
    st.integers(1, 300),
    st.sampled_from([16, 17, 64, 1 << 17]),
    st.integers(1, 5),
)
def test_reading_stretch_by_stretch_is_reading_at_once(
    tmp_path_factory: pytest.TempPathFactory,
    found: list[str],
    codec: str,
    stretch: int,
    chunk: int,
    size: int,
) -> None:
    with small(stretch, chunk):
        file = surveyed(tmp_path_factory.mktemp("in"), "".join(found), codec)
        whole = together(file.records())
        parts = [file.records(start, stop, size) for start, stop in file.stretches]
    assert [pair for part in parts for pair in together(part)] == whole
    ends = [part[-1].end for part in parts if part]
    assert ends[:-1] == [
        mark for mark in file.survey.checkpoints if ends[0].byte <= mark.byte < ends[-1].byte
    ]
    behind_header = len(found) - len(whole)
    assert [record.decode() for _, record in whole] == found[behind_header:]
    assert [line for line, _ in whole] == [line for _, line in places(found)[behind_header:-1]]


@given(written(), st.sampled_from(list(CODECS)), st.integers(1, 200), st.integers(1, 4))
def test_within_a_stretch_reading_goes_on_where_it_was(
    tmp_path_factory: pytest.TempPathFactory, found: list[str], codec: str, stretch: int, size: int
) -> None:
    with small(stretch):
        file = surveyed(tmp_path_factory.mktemp("in"), "".join(found), codec)
        for start, stop in file.stretches:
            parts = file.records(start, stop, size)
            for number, part in enumerate(parts):
                assert together(file.records(part.end, stop)) == together(parts[number + 1 :])


@given(written(), st.integers(1, 5))
def test_records_in_parts_are_the_same_records_and_each_part_knows_its_end(
    tmp_path_factory: pytest.TempPathFactory, found: list[str], size: int
) -> None:
    file = surveyed(tmp_path_factory.mktemp("in"), "".join(found))
    [whole] = file.records() or [RecordBatch([], [], FilePosition())]
    parts = list(whole.parts(size))
    assert together(parts) == together([whole])
    assert all(len(part.records) == size for part in parts[:-1])
    for number, part in enumerate(parts):
        assert together(file.records(part.end)) == together(parts[number + 1 :])


@given(written(), st.data())
def test_the_rows_of_any_records_are_those_that_reading_the_whole_file_gives(
    tmp_path_factory: pytest.TempPathFactory, found: list[str], data: st.DataObject
) -> None:
    file = surveyed(tmp_path_factory.mktemp("in"), "".join(found))
    [whole] = file.records() or [RecordBatch([], [], FilePosition())]
    some = (
        sorted(data.draw(st.sets(st.integers(0, len(whole.records) - 1)))) if whole.records else []
    )
    lines = [whole.lines[at] for at in some]
    batches = read_batches(file.path, encoding="utf-8", header=file.header)
    wanted = [row for batch in batches for row in batch.rows if row.line in lines]
    assert parse_rows([whole.records[at] for at in some], lines, file.header) == wanted


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", list(CODECS))
def test_a_long_file_has_a_mark_for_each_stretch(tmp_path: Path, end: str, codec: str) -> None:
    row = '0001,"Zo\u00eb","A ""B"" C",two\r\nlines\n'.replace(
        ",two\r\nlines\n", ',"two\r\nlines"' + end
    )
    with small(1000, 100):
        marks = surveyed(tmp_path, HEADER + end + row * 400, codec).survey.checkpoints
    size = len(row.encode())
    assert 10 < len(marks) < 400 * size // 1000 + 1
    assert [mark.byte - len(HEADER + end) for mark in marks] == [
        (mark.line - 2) // 2 * size for mark in marks
    ]
    assert all(later.byte - mark.byte < 1000 + 200 + size for mark, later in pairwise(marks))


@pytest.mark.parametrize("text", [HEADER, f"{HEADER}\n", f"{HEADER}\n1,a,b,c\n", "\n\n\n"])
def test_a_short_file_has_none(tmp_path: Path, text: str) -> None:
    assert surveyed(tmp_path, text).survey.checkpoints == ()


@pytest.mark.parametrize("tail", ["\x1a", "\n\x1a", "\n\n\n", "\n"])
def test_whatever_ends_the_file_it_is_the_same_behind_a_mark(tmp_path: Path, tail: str) -> None:
    with small(1, 16):
        file = surveyed(tmp_path, f"{HEADER}\n1,a,b,c\n2,d,e,f{tail}")
        parts = [
            pair for start, stop in file.stretches for pair in together(file.records(start, stop))
        ]
    assert file.survey.checkpoints
    assert parts == together(file.records())
    assert [line for line, record in parts if record.strip()] == [2, 3]


def test_no_mark_stands_before_the_header(tmp_path: Path) -> None:
    with small(1, 16):
        file = surveyed(tmp_path, "\n" * 100 + f"{HEADER}\n1,a,b,c\n2,d,e,f\n")
    assert [mark.line for mark in file.survey.checkpoints] == [103, 104]
