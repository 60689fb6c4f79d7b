"""Checkpoints: reading a file range by range gives the same records as reading it at once."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.studentfile.reading import encodings, skipped_lines
from rollbook.studentfile.reading import scan as reading_scan
from rollbook.studentfile.reading.reader import (
    FilePosition,
    FileScan,
    Header,
    RecordBatch,
    parse_rows,
    read_records,
    scan,
)

CODECS = {"utf-8": "utf-8", "utf-8-sig": "utf-8", "cp1252": "cp1252", "utf-16": "utf-8"}
"""Encoding of a file, and the encoding in the settings."""
HEADER = "STUDENT_ID,FIRST_NAME,LAST_NAME,ADDITIONAL_INFO_1"
LINE_BREAK = re.compile(r"\r\n|\n|\r")

# In Windows-1252 each of these is one byte, in UTF-8 up to three, in UTF-16 two. In Windows-1252
# they are never valid UTF-8, in which the file would be read. Without digits, no line in a cell
# looks like a row of its own.
some_text = st.text('abcXYZ .-\'"",,\u00ff\u20ac\u201c', max_size=5)
cells = st.tuples(some_text, st.sampled_from(["", "", "\n", "\r\n", "\r"]), some_text).map("".join)


@st.composite
def file_records(draw: st.DrawFn) -> list[str]:
    """The records of an acceptable file, with line ends: the header, rows and blank lines."""
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    records = [end] * draw(st.integers(0, 2)) + [HEADER + end]
    for number in range(draw(st.integers(1, 30))):
        rest = ",".join(_cell(draw(cells), quoted=draw(st.booleans())) for _ in range(3))
        records += [f"{number},{rest}{end}", *[end] * draw(st.sampled_from([0, 0, 0, 1, 2]))]
    if draw(st.booleans()):
        records[-1] = records[-1].removesuffix(end) or "last,,,x"
    return records


def _cell(text: str, *, quoted: bool) -> str:
    if quoted or any(map(text.__contains__, '",\r\n')):
        return '"' + text.replace('"', '""') + '"'
    return text


@dataclass(frozen=True)
class ScannedFile:
    """A file on disk, and its scan."""

    path: Path
    result: FileScan

    @property
    def header(self) -> Header:
        assert self.result.header
        return self.result.header

    @property
    def ranges(self) -> list[tuple[FilePosition | None, FilePosition | None]]:
        """The beginning and the end of each range between checkpoints."""
        checkpoints = self.result.checkpoints
        return list(zip([None, *checkpoints], [*checkpoints, None], strict=True))

    def records(
        self,
        start: FilePosition | None = None,
        stop: FilePosition | None = None,
        size: int = 5000,
    ) -> list[RecordBatch]:
        return list(
            read_records(
                self.path,
                encoding=self.result.encoding,
                header=self.header,
                start=start,
                stop=stop,
                size=size,
            )
        )


@contextmanager
def small_intervals(interval: int, chunk: int = 64, trailing_lines: int = 0) -> Iterator[None]:
    """Set the interval of checkpoints and the size of the chunks in which files are read.

    `trailing_lines` are the last lines, among which footers are searched for.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(skipped_lines, "MAX_TRAILING_LINES", trailing_lines)
        patch.setattr(reading_scan, "CHECKPOINT_INTERVAL_BYTES", interval)
        patch.setattr(encodings, "CHUNK", chunk)
        yield


def scan_text(folder: Path, text: str, codec: str = "utf-8") -> ScannedFile:
    path = folder / "students.csv"
    path.write_bytes(text.encode(codec))
    return ScannedFile(path, scan(path, encoding=CODECS[codec]))


def positions(records: Sequence[str]) -> list[tuple[int, int]]:
    """Byte of the text as UTF-8, and physical line, of each record and of the end."""
    byte, line = 0, 1
    positions = [(byte, line)]
    for record in records:
        byte += len(record.encode())
        line += len(LINE_BREAK.findall(record))
        positions.append((byte, line))
    return positions


def with_lines(batches: Sequence[RecordBatch]) -> list[tuple[int, bytes]]:
    """Line and bytes of each record."""
    return [pair for batch in batches for pair in zip(batch.lines, batch.records, strict=True)]


@given(
    file_records(),
    st.sampled_from(list(CODECS)),
    st.integers(1, 300),
    st.sampled_from([16, 17, 64, 1 << 17]),
)
def test_checkpoints_are_between_records_and_have_their_line(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[str],
    codec: str,
    interval: int,
    chunk: int,
) -> None:
    with small_intervals(interval, chunk):
        file = scan_text(tmp_path_factory.mktemp("in"), "".join(records), codec)
    assert file.result.refusal is None
    checkpoints = [(checkpoint.byte, checkpoint.line) for checkpoint in file.result.checkpoints]
    first_row = next(at for at, record in enumerate(records) if record.startswith(HEADER)) + 1
    *starts, end = positions(records)
    assert {each for each in checkpoints if each[0] != end[0]} <= set(starts[first_row:])
    distances = [later[0] - first[0] for first, later in pairwise([(0, 1), *checkpoints])]
    assert all(distance >= interval for distance in distances)


@given(
    file_records(),
    st.sampled_from(list(CODECS)),
    st.integers(1, 300),
    st.sampled_from([16, 17, 64, 1 << 17]),
    st.integers(1, 5),
)
def test_reading_range_by_range_gives_the_same_records_as_reading_at_once(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[str],
    codec: str,
    interval: int,
    chunk: int,
    size: int,
) -> None:
    with small_intervals(interval, chunk):
        file = scan_text(tmp_path_factory.mktemp("in"), "".join(records), codec)
        whole = with_lines(file.records())
        parts = [file.records(start, stop, size) for start, stop in file.ranges]
    assert [pair for part in parts for pair in with_lines(part)] == whole
    ends = [part[-1].end for part in parts if part]
    first_end, last_end = ends[0].byte, ends[-1].byte
    checkpoints = file.result.checkpoints
    assert ends[:-1] == [each for each in checkpoints if first_end <= each.byte < last_end]
    first_row = len(records) - len(whole)
    assert [record.decode() for _, record in whole] == records[first_row:]
    lines = [line for _, line in positions(records)[first_row:-1]]
    assert [line for line, _ in whole] == lines


@given(file_records(), st.sampled_from(list(CODECS)), st.integers(1, 200), st.integers(1, 4))
def test_within_a_range_reading_can_resume_after_any_batch(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[str],
    codec: str,
    interval: int,
    size: int,
) -> None:
    with small_intervals(interval):
        file = scan_text(tmp_path_factory.mktemp("in"), "".join(records), codec)
        for start, stop in file.ranges:
            parts = file.records(start, stop, size)
            for number, part in enumerate(parts):
                assert with_lines(file.records(part.end, stop)) == with_lines(parts[number + 1 :])


LINES_ABOVE = ["# exported\n", "A title\n", "\n", '"Title","x"\n']
LINES = [
    *["1,a,b,c\n"] * 5,
    *("\n", ",,,\n", "---,---,---,---\n", "1,a,b,c,\n", "1,a,b,c,,\n", "1,a\n", "1,a,b,c,d\n"),
    *('1,"a"x,b,c\n', '1,"a\nb",,c\n', '1,"a\n"b,,c\n', "1,\0,b,c\n", "\0\n", "\x0c\n"),
    *("Total: 5\n", "(5 rows affected)\n", "EOF\n", "# note\n", "1,\ufffd,b,c\n", "\x1a\n"),
]
ENDS = ["", "\x1a", "\x1a\r\n", "1,a,b,c\x1a\n", "Total: 5", "\n\n(5 rows affected)\n\n", '1,"a\n']


@given(
    st.lists(st.sampled_from(LINES_ABOVE), max_size=4),
    st.lists(st.sampled_from(LINES), max_size=40),
    st.lists(st.sampled_from(ENDS), max_size=2),
    st.integers(1, 100),
    st.sampled_from([16, 17, 64, 1 << 17]),
    st.sampled_from([1, 3, 200]),
)
def test_a_messy_file_has_the_same_rows_whole_and_range_by_range(
    tmp_path_factory: pytest.TempPathFactory,
    above: list[str],
    lines: list[str],
    ends: list[str],
    interval: int,
    chunk: int,
    trailing_lines: int,
) -> None:
    valid = "9,\u00e9,b,c\n" * len(lines)  # the file is UTF-8, of which some lines are damaged
    text = "".join([*above, HEADER + "\n", valid, *lines, *ends])
    path = tmp_path_factory.mktemp("in") / "students.csv"
    path.write_bytes(text.encode().replace(b"\xef\xbf\xbd", b"\xc3"))
    with small_intervals(interval, chunk, trailing_lines):
        file = ScannedFile(path, scan(path))
        if file.result.refusal:
            return
        whole = [
            parse_rows(batch.records, batch.lines, file.header) for batch in file.records(size=3)
        ]
        parts = [
            parse_rows(batch.records, batch.lines, file.header)
            for start, stop in file.ranges
            for batch in file.records(start, stop)
        ]
    rows = list(chain.from_iterable(whole))
    assert list(chain.from_iterable(parts)) == rows
    assert len(rows) == file.result.rows
    physical_lines = text.split("\n")
    assert all(physical_lines[row.line - 1] for row in rows)


@given(file_records(), st.data())
def test_the_rows_of_selected_records_equal_those_of_the_whole_file(
    tmp_path_factory: pytest.TempPathFactory, records: list[str], data: st.DataObject
) -> None:
    file = scan_text(tmp_path_factory.mktemp("in"), "".join(records))
    [whole] = file.records() or [RecordBatch([], [], FilePosition())]
    selected: list[int] = []
    if whole.records:
        selected = sorted(data.draw(st.sets(st.integers(0, len(whole.records) - 1))))
    lines = [whole.lines[index] for index in selected]
    selected_records = [whole.records[index] for index in selected]
    batches = read_records(file.path, encoding="utf-8", header=file.header)
    rows = [row for batch in batches for row in batch.rows(file.header)]
    expected = [row for row in rows if row.line in lines]
    assert parse_rows(selected_records, lines, file.header) == expected


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", list(CODECS))
def test_a_long_file_has_a_checkpoint_in_each_interval(
    tmp_path: Path, end: str, codec: str
) -> None:
    row = '0001,"Zo\u00eb","A ""B"" C",two\r\nlines\n'.replace(
        ",two\r\nlines\n", ',"two\r\nlines"' + end
    )
    with small_intervals(1000, 100):
        checkpoints = scan_text(tmp_path, HEADER + end + row * 400, codec).result.checkpoints
    size = len(row.encode())
    assert 10 < len(checkpoints) < 400 * size // 1000 + 1
    for checkpoint in checkpoints:
        assert checkpoint.byte - len(HEADER + end) == (checkpoint.line - 2) // 2 * size
    distances = [later.byte - first.byte for first, later in pairwise(checkpoints)]
    assert all(distance < 1000 + 200 + size for distance in distances)


@pytest.mark.parametrize("text", [HEADER, f"{HEADER}\n", f"{HEADER}\n1,a,b,c\n", "\n\n\n"])
def test_a_short_file_has_no_checkpoint(tmp_path: Path, text: str) -> None:
    assert scan_text(tmp_path, text).result.checkpoints == ()


@pytest.mark.parametrize("tail", ["\x1a", "\n\x1a", "\n\n\n", "\n"])
def test_the_end_of_the_file_is_read_the_same_after_a_checkpoint(tmp_path: Path, tail: str) -> None:
    with small_intervals(1, 16):
        file = scan_text(tmp_path, f"{HEADER}\n1,a,b,c\n2,d,e,f{tail}")
        parts = [
            pair for start, stop in file.ranges for pair in with_lines(file.records(start, stop))
        ]
    assert file.result.checkpoints
    assert parts == with_lines(file.records())
    assert [line for line, record in parts if record.strip()] == [2, 3]


def test_no_checkpoint_is_before_the_header(tmp_path: Path) -> None:
    with small_intervals(1, 16):
        file = scan_text(tmp_path, "\n" * 100 + f"{HEADER}\n1,a,b,c\n2,d,e,f\n")
    assert [checkpoint.line for checkpoint in file.result.checkpoints] == [103, 104]
