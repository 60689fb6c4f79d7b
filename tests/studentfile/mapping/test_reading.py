"""Read a file through a mapping: header, rows, problems, and rows that are skipped."""

import random
from datetime import date
from pathlib import Path

import pytest

from rollbook.studentfile.file_validator import validate_file
from rollbook.studentfile.mapping.choice import RequestedMapping, StandingMappings, has_own_names
from rollbook.studentfile.mapping.edit import add_step, of_header, with_fix
from rollbook.studentfile.mapping.errors import InvalidMapping
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.studentfile.mapping.steps import Pad
from rollbook.studentfile.problems.tally import ProblemTally
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import FileScan, read_records, scan
from rollbook.studentfile.row_validator import RowValidator, ValidatedRow
from rollbook.studentfile.rules import DateOrder

TODAY = date(2026, 11, 2)
SPLIT = {"step": "split", "at": ","}
MAPPING = MappingDocument.from_json(
    {
        "name": "sis",
        "columns": [
            {"to": "STUDENT_ID", "from": ["Nr"], "steps": [{"step": "pad", "width": 5}]},
            {"to": "FIRST_NAME", "from": ["Name"], "steps": [{**SPLIT, "take": 2}]},
            {"to": "LAST_NAME", "from": ["Name"], "steps": [{**SPLIT, "take": 1}]},
            {"to": "DOB", "from": ["Born"], "steps": [{"step": "trim"}]},
            {"to": "PASSWORD", "from": ["Code"]},
            {"to": "SCHOOL_ID", "from": [], "steps": [{"step": "constant", "value": "H1"}]},
        ],
        "keep": [{"column": "Type", "is": ["student"]}],
        "ignore": ["Bus"],
    }
)
HEADER = "Nr,Name,Born,Code,Type,Bus\n"


def scanned(tmp_path: Path, text: str, mapping: MappingDocument = MAPPING) -> tuple[Path, FileScan]:
    path = tmp_path / "file.csv"
    path.write_text(text, encoding="utf-8")
    return path, scan(path, mappings=RequestedMapping(mapping))


def rows_of(path: Path, file: FileScan) -> list[ValidatedRow]:
    assert file.header is not None
    validator = RowValidator(file.header, TODAY, rules=file.rules)
    batches = read_records(path, encoding=file.encoding, header=file.header)
    return [validator.validate(row) for batch in batches for row in batch.rows(file.header)]


def test_a_file_is_read_through_a_mapping(tmp_path: Path) -> None:
    text = f'{HEADER}12,"Klein, Ora",5/6/2013,abcd1,student,7\n13,"Li, Bo",,,Student,\n'
    path, file = scanned(tmp_path, text)
    assert file.problems == ()
    assert file.rows == 2
    first, second = rows_of(path, file)
    assert first.values == {
        "STUDENT_ID": "00012",
        "FIRST_NAME": "Ora",
        "LAST_NAME": "Klein",
        "DOB": "2013-05-06",
        "PASSWORD": "abcd1",
        "SCHOOL_ID": "H1",
    }
    assert (second.line, second.values["STUDENT_ID"]) == (3, "00013")


def test_columns_and_rows_are_validated_alike(tmp_path: Path) -> None:
    shuffled = random.Random(7)
    cells = ["1", " 2 ", "x y", "", '"A, B"', '"A,B,C"', "5/6/2013", "student", "abc'd"]
    lines = [",".join(shuffled.choice(cells) for _ in range(4)) + ",student," for _ in range(300)]
    path, file = scanned(tmp_path, HEADER + "\n".join(lines) + "\n")
    assert file.header
    batches = read_records(path, encoding=file.encoding, header=file.header)
    rows = [row for batch in batches for row in batch.rows(file.header)]
    validator = RowValidator(file.header, TODAY)
    columns = validator.validate_columns(rows)
    by_column = validator.valid_rows(rows, columns, {*range(len(rows))})
    by_row = [RowValidator(file.header, TODAY).validate(row) for row in rows]
    assert by_column
    assert by_column == {position: by_row[position] for position in by_column}


def test_rows_that_are_not_kept_are_counted_and_said(tmp_path: Path) -> None:
    text = (
        f"{HEADER}1,A,,,student,\n2,B,,,teacher,\n\n3,C,,,,\n4,D\n5,E,,,parent,\n6,F,,,student,\n"
    )
    path, file = scanned(tmp_path, text + "7,G,,,student,\n8,H,,,student,\n9,I,,,student,\n")
    assert file.rows == 6
    (problem,) = (each for each in file.problems if each.code == "rows_not_kept")
    assert problem.message.endswith(
        "3 of 9 rows were skipped: the column mapping only keeps rows in which Type is student"
    )
    assert [row.line for row in rows_of(path, file)] == [2, 6, 8, 9, 10, 11]
    assert rows_of(path, file)[1].problems[0].code == "too_few_cells"


def test_a_file_without_a_row_to_keep_is_refused(tmp_path: Path) -> None:
    _, file = scanned(tmp_path, f"{HEADER}1,A,,,teacher,\n")
    assert file.refusal
    assert file.refusal.code == "no_rows"
    assert "1 of 1 rows were skipped" in file.refusal.message


def test_a_damaged_row_is_kept_and_rejected(tmp_path: Path) -> None:
    path, file = scanned(tmp_path, f'{HEADER}1,A,,,student,\n2,"B"x,,,teacher,\n3,C,,,student,\n')
    assert [row.line for row in rows_of(path, file)] == [2, 3, 4]
    damaged = rows_of(path, file)[1]
    assert damaged.problems[0].code == "bad_quote"
    assert damaged.values == {"STUDENT_ID": "00002"}


def test_a_problem_names_the_columns_and_the_cells_of_the_file(tmp_path: Path) -> None:
    path, file = scanned(tmp_path, f'{HEADER}a b,"Klein, Ora",31/31/2013,x,student,\n')
    tally = ProblemTally()
    assert list(validate_file(path, file, TODAY, tally)) == [1]
    found = {each.column: each for each in tally.problems}
    assert found["STUDENT_ID"].found == "a b"
    assert found["STUDENT_ID"].message.endswith("(STUDENT_ID is Nr)")
    assert found["DOB"].found == "31/31/2013"
    assert found["PASSWORD"].found == ""
    assert {each.line for each in tally.problems} == {2}


def test_columns_that_are_neither_mapped_nor_ignored_are_reported(tmp_path: Path) -> None:
    _, file = scanned(tmp_path, f"Locker,_Note,,{HEADER}9,,,1,A,,,student,\n")
    (problem,) = (each for each in file.problems if each.code == "unknown_column")
    assert (problem.found, problem.line) == ("Locker", 1)


@pytest.mark.parametrize("header", ["Nr,Name,Born,Code\n", "Nr,Name,Born,Code,Type,Nr\n"])
def test_a_file_that_lacks_a_column_of_its_mapping_is_refused(tmp_path: Path, header: str) -> None:
    _, file = scanned(tmp_path, f"{header}1,A,,\n")
    assert file.refusal
    assert file.refusal.code == "mapping_columns"


def test_the_header_is_found_below_titles(tmp_path: Path) -> None:
    path, file = scanned(tmp_path, f"Export of Monday\n\n{HEADER}1,A,,,student,\n")
    assert [each.code for each in file.problems] == ["title_skipped"]
    assert [row.line for row in rows_of(path, file)] == [4]


@pytest.mark.parametrize(
    ("steps", "order", "codes"),
    [
        ([], DateOrder.MONTH_FIRST, ["day_first_dates"]),
        ([{"step": "trim"}], DateOrder.MONTH_FIRST, ["day_first_dates"]),
        ([{"step": "date", "order": "dmy"}], DateOrder.MONTH_FIRST, []),
    ],
)
def test_the_order_of_mapped_dates_is_decided(
    tmp_path: Path, steps: list[dict[str, object]], order: DateOrder, codes: list[str]
) -> None:
    columns = [
        {"to": "STUDENT_ID", "from": ["id"]},
        {"to": "DOB", "from": ["when"], "steps": steps},
    ]
    mapping = MappingDocument.from_json({"name": "x", "columns": columns})
    _, file = scanned(tmp_path, 'id,when\n1,25/12/2013\n2,"24/12/2013"\n', mapping)
    assert [each.code for each in file.problems] == codes
    assert file.rules.date_order is order


def test_the_mapping_that_reads_most_of_a_header_applies() -> None:
    small = MappingDocument.from_json({"name": "s", "columns": [{"to": "USERNAME", "from": "Nr"}]})
    standing = StandingMappings([small, MAPPING])
    assert standing.fitting(["nr", "NAME", "Born", "Code", "Type"]) is MAPPING
    assert standing.fitting(["Nr", "Name"]) is small
    assert standing.fitting(["Name"]) is None


def test_a_file_with_our_own_columns_is_never_mapped() -> None:
    names = ["STUDENT_ID", "dob", "_LINE_OF_UPDATE_7", ""]
    mapping = MappingDocument.from_json(
        {"name": "x", "columns": [{"to": "STUDENT_ID", "from": "STUDENT_ID"}]}
    )
    assert has_own_names(names)
    assert StandingMappings([mapping]).fitting(names) is None
    assert StandingMappings([mapping]).fitting([*names, "Locker"]) is mapping


def test_a_step_is_added_to_a_column() -> None:
    changed = add_step(MAPPING, "STUDENT_ID", Pad(8))
    assert [str(step) for step in changed.sources[0].steps] == [
        "pad to 5 with 0",
        "pad to 8 with 0",
    ]
    assert MAPPING.sources[0].steps == (Pad(5),)
    with pytest.raises(InvalidMapping, match="doesn't read GRADE"):
        add_step(MAPPING, "GRADE", Pad(2))


def test_a_step_is_added_to_a_file_that_has_no_mapping() -> None:
    names = ["Student ID", "First Name", "Last Name", "Locker", ""]
    mapping = add_step(of_header("fixed", names), "STUDENT_ID", Pad(6))
    header, problems = Header.parse(names, mapping)
    assert not problems
    assert header.known == Header.parse(names)[0].known
    assert header.reading
    assert header.reading.row(["12", "Ora", "Klein", "", ""])[0] == "000012"


def test_a_fix_is_a_step_of_a_document() -> None:
    names = ["STUDENT_ID", "GRADE"]
    fixed = with_fix(None, names, "STUDENT_ID", {"step": "pad", "width": 6})
    assert (fixed.name, fixed.version) == ("fixed-file", 0)
    again = with_fix(fixed, names, "GRADE", {"step": "trim"})
    assert [len(each.steps) for each in again.sources] == [1, 1]
    with pytest.raises(InvalidMapping, match="the step"):
        with_fix(fixed, names, "GRADE", {"step": "eval"})
