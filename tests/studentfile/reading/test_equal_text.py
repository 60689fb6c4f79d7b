"""A scan that skips what the last file has, too, finds exactly what a whole scan finds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.studentfile.reading import equal_text, row_scan, scan
from rollbook.studentfile.reading.encodings import utf8_chunks
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.lots import LastText, Lots, TextLost
from rollbook.studentfile.reading.reader import Limits, read_records
from rollbook.studentfile.reading.scan import FileScan
from tests import depth
from tests.studentfile.reading.small_lots import make_lots_small

HEADER = "STUDENT_ID,FIRST_NAME,DOB,ADDITIONAL_INFO_1"
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16")
LINE_ENDS = ("\n", "\r\n", "\r")


@dataclass
class Memory:
    """A memory with the text of one file."""

    path: Path | None = None
    lots: Lots | None = None
    is_unchanged: bool = False

    def of_header(self, header: Header) -> LastText | None:
        if self.path is None or self.lots is None:
            return None
        return LastText(self.lots, partial(utf8_chunks, self.path, "utf-8"), self.is_unchanged)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make everything so small that a file of a few rows has many lots."""
    make_lots_small(monkeypatch)
    monkeypatch.setattr(scan, "CHECKPOINT_INTERVAL_BYTES", 100)
    monkeypatch.setattr(equal_text, "_SLACK_BYTES", 16)
    monkeypatch.setattr(equal_text, "_START_BYTES", 64)


def plain_row(number: int) -> str:
    return f"s{number:03},Ana,2015-03-{number % 28 + 1:02},bus {number % 7}"


ODD_ROWS = (
    "",
    ",,,",
    "----,----,----,----",
    HEADER,
    "\ufeff" + HEADER,
    "only,three,cells",
    "s900,Ana,2015-01-01,x,",
    "s901,Ana,2015-01-01,x,y,z",
    's902,"Ana, Maria",2015-01-01,x',
    '"s903","Ana","2015-01-01","x"',
    's904,A"na,2015-01-01,x',
    's905, "Ana",2015-01-01,x',
    's906,"Ana\nMaria",2015-01-01,x',
    's907,"Ana,2015-01-01,x',
    's908,""Ana,2015-01-01,x"',
    "s909,Ana,05/28/2015,x",
    "s910,Ana,28/05/2015,x",
    "s911,Ana,1970-01-01,x",
    "s912,Zoë,2015-01-01,x",
    "s915,Zo\udceb,2015-01-01,x",
    "\udcff\udcfe",
    "s916,Ana,2015-01-01,x\r",
    "s913,A\0na,2015-01-01,x",
    "s914,Ana,2015-01-01," + "x" * 300,
    "(3 rows affected)",
    "Total: 3",
    "\x1a",
)
"""Those with a surrogate aren't text in the encoding of the file."""

rows = st.integers(0, 60).map(plain_row)
any_rows = st.one_of(rows, rows, rows, rows, rows, st.sampled_from(ODD_ROWS))


@st.composite
def files(draw: st.DrawFn) -> list[str]:
    """Rows of a file, most of them in the order of a sequence."""
    records = [plain_row(number) for number in range(draw(st.integers(0, 40)))]
    return draw(edited(records))


@st.composite
def edited(draw: st.DrawFn, records: Sequence[str]) -> list[str]:
    """The same rows after some of them were changed, inserted, removed or moved."""
    edited = list(records)
    for _ in range(draw(st.integers(0, 5))):
        first = draw(st.integers(0, len(edited)))
        size = draw(st.sampled_from([0, 1, 1, 1, 2, 5, 15]))
        removed = edited[first : first + size]
        edited[first : first + size] = draw(st.lists(any_rows, max_size=3))
        if draw(st.sampled_from([False, False, True])):
            at = draw(st.integers(0, len(edited)))
            edited[at:at] = removed
    return edited


@st.composite
def nights(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """The rows of two files in a row."""
    first = draw(files())
    return first, draw(edited(first) | files() | st.just(first))


Form = tuple[str, str]
forms = st.tuples(st.sampled_from(LINE_ENDS), st.sampled_from(ENCODINGS))
"""How a file is written: its line end and encoding."""

two_forms = forms.map(lambda form: (form, form)) | st.tuples(forms, forms)


def write(path: Path, records: Sequence[str], end: str, encoding: str = "utf-8") -> Path:
    text = "".join(each + end for each in (HEADER, *records))
    damage = "surrogatepass" if encoding == "utf-16" else "surrogateescape"
    path.write_bytes(text.encode(encoding, damage))
    return path


def findings(scanned: FileScan) -> object:
    """Return all that a scan finds; of a file with too many rows, where these begin."""
    if any(problem.code == "too_many_rows" for problem in scanned.problems):
        return scanned.refusal
    return replace(scanned, checkpoints=())


def remember(last: Path, file: Path, limits: Limits) -> Memory:
    """Return a memory of the last file for the scan of another one, or of the same."""
    scanned = scan.scan(last, limits=limits, memory=Memory())
    is_accepted = scanned.encoding == "utf-8" and not scanned.refusal
    is_unchanged = is_accepted and last.read_bytes() == file.read_bytes()
    return Memory(last, scanned.lots, is_unchanged=is_unchanged)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lots")


@settings(max_examples=depth.examples(400))
@given(nights(), two_forms, st.booleans())
def test_a_scan_that_knows_the_last_file_finds_the_same(
    folder: Path, night: tuple[list[str], list[str]], forms: tuple[Form, Form], limited: bool
) -> None:
    limits = Limits(rows=20, row_bytes=200) if limited else Limits(row_bytes=400)
    last = write(folder / "last.csv", night[0], *forms[0])
    file = write(folder / "next.csv", night[1], *forms[1])
    memory = remember(last, file, limits)
    whole, quick = scan.scan(file, limits=limits), scan.scan(file, limits=limits, memory=memory)
    assert findings(quick) == findings(whole)
    remembered = scan.scan(file, limits=limits, memory=Memory()).lots
    if quick.lots and remembered:
        assert ends(quick.lots) == ends(remembered)
        assert sum(quick.lots.records) == sum(remembered.records)
        assert quick.lots.open_orders == remembered.open_orders


PLACES = {"first": 0, "middle": 20, "last": 40}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("odd", ODD_ROWS, ids=ascii)
def test_an_odd_row_is_found_wherever_it_is(
    folder: Path, odd: str, place: str, encoding: str
) -> None:
    """Whether it is new among rows of the last file, or was among them there already."""
    good, limits = [plain_row(number) for number in range(40)], Limits(row_bytes=200)
    with_odd = [*good[: PLACES[place]], odd, *good[PLACES[place] :]]
    for end in LINE_ENDS:
        file = write(folder / "next.csv", with_odd, end, encoding)
        whole = scan.scan(file, limits=limits)
        for last in (good, with_odd):
            earlier = write(folder / "last.csv", last, end, encoding)
            memory = remember(earlier, file, limits)
            assert findings(scan.scan(file, limits=limits, memory=memory)) == findings(whole)


def ends(all_lots: Lots) -> tuple[object, object]:
    *_, end = zip(all_lots.first_bytes(), all_lots.first_lines(), strict=True)
    return all_lots.start, end


@settings(max_examples=depth.examples(100))
@given(files(), st.sampled_from(["\n", "\r\n"]))
def test_lots_are_the_records_that_are_read_later(
    folder: Path, records: list[str], end: str
) -> None:
    file = write(folder / "one.csv", records, end)
    scanned = scan.scan(file, memory=Memory())
    if scanned.lots is None or scanned.refusal or scanned.header is None:
        return
    batches = read_records(file, encoding=scanned.encoding, header=scanned.header)
    lines = [line for batch in batches for line in batch.lines]
    assert sum(scanned.lots.records) == len(lines)
    first_lines, at = scanned.lots.first_lines(), 0
    for first_line, count in zip(first_lines, scanned.lots.records, strict=False):
        assert lines[at] == first_line
        at += count


@settings(max_examples=depth.examples(200))
@given(nights(), st.sampled_from(["\n", "\r\n", "\r"]))
def test_equal_rows_are_the_records_with_these_numbers(
    folder: Path, night: tuple[list[str], list[str]], end: str
) -> None:
    last, file = (
        write(folder / "last.csv", night[0], end),
        write(folder / "next.csv", night[1], end),
    )
    earlier = scan.scan(last, memory=Memory())
    scanned = scan.scan(file, memory=Memory(last, earlier.lots))
    if scanned.lots is None or scanned.refusal or earlier.refusal:
        return
    old, new = records_of(last, earlier), records_of(file, scanned)
    lots = scanned.lots
    for first, source, count in zip(lots.first_records(), lots.sources, lots.records, strict=False):
        if source >= 0:
            assert new[first : first + count] == old[source : source + count]


def records_of(path: Path, scanned: FileScan) -> list[bytes]:
    assert scanned.header
    batches = read_records(path, encoding=scanned.encoding, header=scanned.header)
    return [record for batch in batches for record in batch.records]


@settings(max_examples=depth.examples(100))
@given(nights())
def test_checkpoints_after_known_text_are_positions_of_records(
    folder: Path, night: tuple[list[str], list[str]]
) -> None:
    last = write(folder / "last.csv", night[0], "\n")
    memory = Memory(last, scan.scan(last, memory=Memory()).lots)
    file = write(folder / "next.csv", night[1], "\n")
    scanned = scan.scan(file, memory=memory)
    if scanned.refusal or scanned.header is None:
        return
    text = file.read_bytes()
    [*batches] = read_records(file, encoding=scanned.encoding, header=scanned.header, size=1)
    begins = {batch.lines[0] for batch in batches} | {batch.end.line for batch in batches}
    for checkpoint in scanned.checkpoints:
        assert checkpoint.line in begins
        assert text[: checkpoint.byte].count(b"\n") + 1 == checkpoint.line


@pytest.fixture
def scanned_rows(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The records that scans really looked at."""
    looked_at: list[bytes] = []
    read_lot = row_scan.RowScanner._read_lot

    def read(self: row_scan.RowScanner, records: list[bytes], block: bytes) -> None:
        looked_at.extend(records)
        read_lot(self, records, block)

    monkeypatch.setattr(row_scan.RowScanner, "_read_lot", read)
    return looked_at


def numbers(looked_at: Sequence[bytes]) -> set[int]:
    return {int(record[1:4]) for record in looked_at if record.startswith(b"s")}


def look(path: Path, records: Sequence[str], last: Memory | None = None) -> Memory:
    """Scan a file with the memory of the last one; return its own."""
    return Memory(path, scan.scan(write(path, records, "\n"), memory=last or Memory()).lots)


BASE = [plain_row(number) for number in range(80)]


@pytest.mark.parametrize(
    "night",
    [
        BASE,
        [*BASE[:41], BASE[41] + "!", *BASE[42:]],
        [*BASE[:41], BASE[41] + "!", BASE[42] + "!", *BASE[43:]],
        [*BASE[:41], BASE[41] + "!", BASE[42], BASE[43] + "!", *BASE[44:]],
        [*BASE[:41], plain_row(500), *BASE[41:]],
        [*BASE[:41], *BASE[42:]],
        [*BASE[:41], *BASE[46:]],
        [*BASE[:40], *map(plain_row, range(500, 510)), *BASE[40:]],
        [*BASE[:40], *map(plain_row, range(500, 510)), *BASE[50:]],
    ],
    ids=[
        "nothing",
        "a cell",
        "two rows",
        "every other row",
        "a row more",
        "a row less",
        "five less",
        "ten more",
        "ten others",
    ],
)
def test_only_the_rows_that_differ_are_looked_at(
    tmp_path: Path, scanned_rows: list[bytes], night: list[str]
) -> None:
    last = look(tmp_path / "base.csv", BASE)
    del scanned_rows[:]
    look(tmp_path / "night.csv", night, last)
    differing = numbers([row.encode() for row in night if row not in BASE])
    middle = {number for number in numbers(scanned_rows) if 12 <= number < 70 or number >= 500}
    assert differing <= middle
    assert len(middle - differing) <= (2 if len(night) < len(BASE) - 1 else 0)


ODD = "s950,Ana,2015-01-01,x,"  # a comma too many


def test_of_the_same_file_only_the_beginning_and_the_end_are_read(tmp_path: Path) -> None:
    file = write(tmp_path / "students.csv", [*BASE[:40], ODD, *BASE[40:]], "\n")
    lots = scan.scan(file, memory=Memory()).lots
    whole = scan.scan(file, memory=Memory(file, lots))
    text = bytearray(file.read_bytes())
    begin, odd = text.index(b"s020"), text.index(ODD.encode())
    text[begin : begin + 100] = b"?" * 100
    file.write_bytes(text)
    same = scan.scan(file, memory=Memory(file, lots, is_unchanged=True))
    assert findings(same) == replace(whole, checkpoints=())
    assert [problem.line for problem in same.problems] == [42]
    text[odd] = ord(",")
    file.write_bytes(text)
    again = scan.scan(file, memory=Memory(file, lots, is_unchanged=True))
    assert again.problems != whole.problems


def test_lots_do_not_become_more_and_more(tmp_path: Path, scanned_rows: list[bytes]) -> None:
    """Each night has as many as it has differences from the one before."""
    records = [plain_row(number) for number in range(80)]
    last = look(tmp_path / "0.csv", records)
    assert last.lots
    size = len(last.lots)
    for night in range(30):
        records[20 + night] += "x"
        last = look(tmp_path / f"{night + 1}.csv", records, last)
        assert last.lots
        assert len(last.lots) <= size + 3
    del scanned_rows[:]
    look(tmp_path / "again.csv", records, last)
    assert not {number for number in numbers(scanned_rows) if 12 <= number < 70}


def test_a_file_in_another_order_is_scanned_as_if_nothing_were_known(
    tmp_path: Path, scanned_rows: list[bytes]
) -> None:
    last = look(tmp_path / "base.csv", BASE)
    del scanned_rows[:]
    look(tmp_path / "night.csv", BASE[::-1], last)
    assert numbers(scanned_rows) == set(range(80))


def _gone(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:700])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _of_others(path: Path) -> None:
    write(path, [plain_row(number) for number in range(100, 180)], "\n")


@pytest.mark.parametrize("damage", [_gone, _cut, _empty, _of_others])
def test_without_the_last_file_everything_is_found(
    tmp_path: Path, damage: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever has become of it."""
    last = look(tmp_path / "base.csv", [*BASE[:40], ODD, *BASE[40:]])
    damage(tmp_path / "base.csv")
    of_header = Memory.of_header

    def reading(self: Memory, header: Header) -> LastText | None:
        found = of_header(self, header)
        return found and replace(found, chunks_from=partial(_or_lost, found.chunks_from))

    monkeypatch.setattr(Memory, "of_header", reading)
    file = write(tmp_path / "night.csv", [*BASE[:20], ODD, *BASE[20:]], "\n")
    assert findings(scan.scan(file, memory=last)) == findings(scan.scan(file))


def _or_lost(chunks_from: Callable[[int], Iterator[bytes]], start: int) -> Iterator[bytes]:
    try:
        yield from chunks_from(start)
    except FileNotFoundError as error:
        raise TextLost from error


@pytest.mark.parametrize("header", [HEADER + ",", "STUDENT_ID,,DOB,ADDITIONAL_INFO_1"])
def test_a_file_with_a_column_without_a_name_is_not_remembered(tmp_path: Path, header: str) -> None:
    file = tmp_path / "students.csv"
    file.write_text(header + "\n" + "s1,Ana,2015-01-01,x\n" * 20)
    assert scan.scan(file, memory=Memory()).lots is None
