"""Workbooks are read as they are shown, each row of the sheet on its line."""

import csv
import io
import random
import re
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.reading.conversion import sheet_csv, workbooks
from rollbook.studentfile.reading.conversion.convert import convert
from rollbook.studentfile.reading.conversion.sheet_facts import WorkbookRefused
from tests.studentfile.reading.conversion.workbooks import (
    MAIN,
    RELATIONS,
    Cell,
    Raw,
    Sheet,
    Table,
    ods,
    xlsx,
    zipped,
)

Rows = Sequence[Sequence[Cell | Raw]]
HEADER = ("STUDENT_ID", "GRADE")
MIB = 1 << 20


def read(folder: Path, data: bytes, **limits: int) -> tuple[str, list[Problem]]:
    """Return the sheet as CSV, and the problems; in this process."""
    file = folder / "students.xlsx"
    file.write_bytes(data)
    try:
        facts, problems = sheet_csv.choose_sheet(file, Limits(**limits))
        text = b"".join(sheet_csv.csv_chunks(file, facts)).decode() if facts else ""
    except WorkbookRefused as refused:
        return "", [refused.problem]
    return text, problems


def sheet_text(folder: Path, data: bytes) -> str:
    """Return the sheet as CSV; nothing is wrong with it."""
    text, problems = read(folder, data)
    assert problems == []
    return text


def read_in_process(folder: Path, data: bytes) -> tuple[bytes, list[str]]:
    """Return the converted file and the codes of the problems, as any caller gets them."""
    file = folder / "students.csv"
    file.write_bytes(data)
    written = io.BytesIO()
    conversion = convert(file, encoding="utf-8", limits=Limits(), write=written.write)
    codes = [problem.code for problem in conversion.problems]
    return written.getvalue() if conversion.is_converted else b"", codes


def codes(problems: Sequence[Problem]) -> list[tuple[str, int | None]]:
    return [(problem.code, problem.line) for problem in problems]


@pytest.mark.parametrize("write", [xlsx, ods])
@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([["A", "B"], ["1", "2"]], "A,B\n1,2\n"),
        ([["A", "B"], [1, 2.5]], "A,B\n1,2.5\n"),
        (
            [["A"], [1.0], [1e15], [12345678901234567890], [-3], [0.1]],
            "A\n1\n1000000000000000\n12345678901234600000\n-3\n0.1\n",
        ),
        ([["A"], [True], [False]], "A\ntrue\nfalse\n"),
        ([["A"], [date(2014, 5, 13)], [date(1900, 3, 1)]], "A\n2014-05-13\n1900-03-01\n"),
        ([["A", "B"], [None, None], ["1", None], [None, "2"]], "A,B\n\n1,\n,2\n"),
        ([[], [], ["A", "B"], ["1", "2"]], "\n\nA,B\n1,2\n"),
        ([[None, "A", "B"], [None, "1", "2"]], "A,B\n1,2\n"),
        ([["A"], ["a\nb"], [" x "], ['a,"b"']], 'A\na\vb\n x \n"a,""b"""\n'),
        ([["A", "B"], ["1", "2", "3"]], "A,B,\n1,2,3\n"),
        ([["Maple Schools"], [], ["A", "B"]], "Maple Schools,\n\nA,B\n"),
        ([["A"], ["José 王 🦉 O’Neil"]], "A\nJosé 王 🦉 O’Neil\n"),
        ([["A"], ["<b>&amp;</b>"], ["00123"], ["=1+1"]], "A\n<b>&amp;</b>\n00123\n=1+1\n"),
    ],
)
def test_cells(tmp_path: Path, write: Callable[[Rows], bytes], rows: Rows, text: str) -> None:
    assert sheet_text(tmp_path, write(rows)) == text


def xlsx_cell(xml: str, **options: Any) -> bytes:
    return xlsx([["A"], [Raw(xml)]], **options)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c r="{at}" t="inlineStr"><is><t>in</t></is></c>', "in"),
        ('<c r="{at}" t="inlineStr"><is><r><t>in</t></r><r><t>line</t></r></is></c>', "inline"),
        ('<c r="{at}" t="str"><f>"a"</f><v>a</v></c>', "a"),
        ('<c r="{at}" t="str"><f>""</f><v></v></c>', ""),
        ('<c r="{at}"><f>1+1</f><v>2</v></c>', "2"),
        ('<c r="{at}" t="d"><v>2014-05-13</v></c>', "2014-05-13"),
        ('<c r="{at}" s="1"><v>41772.25</v></c>', "2014-05-13T06:00:00"),
        ('<c r="{at}" s="1"><v>0</v></c>', "00:00:00"),
        ('<c r="{at}" s="1"><v>99999999</v></c>', "99999999"),
        ('<c r="{at}" t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c r="{at}" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c r="{at}" t="e"><v>#NAME?</v></c>', "#NAME?"),
        ('<c r="{at}" t="str"><v>two_x000D_\nlines</v></c>', "two\vlines"),
        ('<c r="{at}" s="2"><v>123</v></c>', "00123"),
        ('<c r="{at}" s="2"><v>1234567</v></c>', "1234567"),
        ('<c r="{at}" s="2"><v>1.5</v></c>', "1.5"),
        ('<c r="{at}" s="2" t="inlineStr"><is><t>x</t></is></c>', "x"),
        ('<c r="{at}" s="2"><f>1</f><v>7</v></c>', "00007"),
        ('<c r="{at}" s="3"><v>123</v></c>', "S00123"),
        ('<c r="{at}" s="4"><v>123456789</v></c>', "123-45-6789"),
        ('<c r="{at}" s="5"><v>4</v></c>', "4"),
        ('<c r="{at}" s="6"><v>4</v></c>', "Grade 4"),
        ('<c r="{at}" s="7"><v>1234</v></c>', "1234"),
    ],
)
def test_a_cell_of_an_xlsx_is_read_as_shown(tmp_path: Path, cell: str, text: str) -> None:
    formats = ["00000", '"S"00000', "000-00-0000", "0.00", '"Grade "0', "#,##0"]
    result = sheet_text(tmp_path, xlsx_cell(cell, formats=formats))
    assert result == (f"A\n{text}\n" if text else "A\n\n")


def ods_cell(attributes: str, text: str) -> Raw:
    return Raw(f"<table:table-cell {attributes}>{text}</table:table-cell>")


NOTE = "<text:p>note</text:p>"
X = "<text:p>x</text:p>"
STRING = 'office:value-type="string"'


@pytest.mark.parametrize(
    ("attributes", "content", "text"),
    [
        (STRING, "<text:p>a<text:line-break/>b</text:p>", "a\vb"),
        (STRING, "<text:p>a<text:tab/>b</text:p>", "a\tb"),
        (STRING, '<text:p>a<text:s text:c="3"/>b</text:p>', "a   b"),
        (STRING, "<text:p>a<text:span>b</text:span></text:p>", "ab"),
        (STRING, f"<office:annotation>{NOTE}</office:annotation><text:p>a</text:p>", "a"),
        ("", "<text:p>untyped</text:p>", "untyped"),
        (f'{STRING} office:string-value=""', "<text:p>#N/A</text:p>", "#N/A"),
        (f'{STRING} calcext:value-type="error"', "<text:p>Err:502</text:p>", "#VALUE!"),
        ('office:value-type="float" office:value="123"', "<text:p>00123</text:p>", "00123"),
        ('office:value-type="float" office:value="123"', "<text:p>S-00123</text:p>", "S-00123"),
        ('office:value-type="float" office:value="4"', "<text:p>4.00</text:p>", "4"),
        ('office:value-type="float" office:value="1234"', "<text:p>1,234</text:p>", "1234"),
        (
            'office:value-type="float" office:value="1.2345E9"',
            "<text:p>1.23E+9</text:p>",
            "1234500000",
        ),
        ('office:value-type="percentage" office:value="0.5"', "<text:p>50%</text:p>", "0.5"),
        ('office:value-type="date" office:date-value="2014-05-13T00:00:00"', "", "2014-05-13"),
        (
            'office:value-type="date" office:date-value="2014-05-13T06:00:00"',
            "",
            "2014-05-13T06:00:00",
        ),
        (
            'office:value-type="date" office:date-value="1850-01-31"',
            "<text:p>x</text:p>",
            "1850-01-31",
        ),
    ],
)
def test_a_cell_of_an_ods_is_read_as_shown(
    tmp_path: Path, attributes: str, content: str, text: str
) -> None:
    cell = ods_cell(f'xmlns:calcext="urn:calcext" {attributes}', content)
    assert sheet_text(tmp_path, ods([["A"], [cell]])) == f"A\n{text}\n"


def rows_xml(count: int, *cells: str) -> str:
    """Return an .ods row that is repeated."""
    repeated = f'table:number-rows-repeated="{count}"'
    return f"<table:table-row {repeated}>{''.join(cells)}</table:table-row>"


def cells_xml(count: int, attributes: str = "", text: str = "") -> str:
    """Return an .ods cell that is repeated."""
    repeated = f'table:number-columns-repeated="{count}"'
    return f"<table:table-cell {repeated} {attributes}>{text}</table:table-cell>"


def test_repeated_rows_and_cells_of_an_ods(tmp_path: Path) -> None:
    number = 'office:value-type="float" office:value="7"'
    xml = "".join(
        [
            rows_xml(1, *(cells_xml(2, STRING, f"<text:p>{text}</text:p>") for text in "AB")),
            rows_xml(2, cells_xml(16000)),
            rows_xml(
                2,
                cells_xml(2, number, "<text:p>007</text:p>"),
                cells_xml(2, "", "<text:p>x</text:p>"),
            ),
            rows_xml(1_048_000, cells_xml(16000)),
        ]
    )
    expected = "A,A,B,B\n\n\n007,007,x,x\n007,007,x,x\n"
    assert sheet_text(tmp_path, ods(Table(xml=xml))) == expected


def test_dates_count_from_1904_if_the_workbook_says_so(tmp_path: Path) -> None:
    workbook = (
        f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><workbookPr date1904="1"/>'
        '<sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    data = xlsx_cell('<c r="{at}" s="1"><v>40310</v></c>', extra={"xl/workbook.xml": workbook})
    assert sheet_text(tmp_path, data) == "A\n2014-05-13\n"


def test_cells_without_references_and_prefixed_elements(tmp_path: Path) -> None:
    sheet = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row><x:c t="str"><x:v>A</x:v></x:c>'
        "<x:c><x:v>5</x:v></x:c></x:row><x:row/><x:row><x:c><x:v>7</x:v></x:c>"
        '<x:c t="e"><x:v>#REF!</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    )
    data = xlsx([["x"]], extra={"xl/worksheets/sheet1.xml": sheet})
    assert sheet_text(tmp_path, data) == "A,5\n\n7,#REF!\n"


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="{at}"><f>1+1</f></c>',
        '<c r="{at}"><f>1+1</f><v></v></c>',
        '<c r="{at}"><f>1+1</f><v/></c>',
        '<c r="{at}" s="2"><f>1+1</f></c>',
        '<c r="{at}" t="str"><f>1+1</f></c>',
    ],
)
def test_a_formula_without_a_result_is_an_error_never_a_blank(tmp_path: Path, cell: str) -> None:
    result = read(tmp_path, xlsx_cell(cell, formats=["000"]))
    assert result[0] == "A\n#CALC!\n"
    assert codes(result[1]) == [("formula_not_calculated", 2)]


def test_results_of_a_program_that_does_not_calculate_are_not_used(tmp_path: Path) -> None:
    data = xlsx_cell('<c r="{at}"><f>A1</f><v>0</v></c>', workbook='<calcPr fullCalcOnLoad="1"/>')
    text, problems = read(tmp_path, data)
    assert (text, codes(problems)) == ("A\n#CALC!\n", [("formula_not_calculated", 2)])
    data = xlsx([["A"], [1]], workbook='<calcPr fullCalcOnLoad="1"/>')
    assert sheet_text(tmp_path, data) == "A\n1\n"


def test_a_formula_of_an_ods_without_a_result_is_an_error(tmp_path: Path) -> None:
    cell = Raw('<table:table-cell table:formula="of:=1+1"/>')
    text, problems = read(tmp_path, ods([["A", "B"], ["1", "x"], ["2", cell], [cell, None]]))
    assert text == "A,B\n1,x\n2,#CALC!\n#CALC!,\n"
    assert codes(problems) == [("formula_not_calculated", 3)]


def test_only_the_first_visible_sheet_with_values_is_read(tmp_path: Path) -> None:
    rows = [["A"], ["1"]]
    sheets = [
        Sheet([["secret"]], name="Codes", state="hidden"),
        Sheet([], name="Empty"),
        Sheet(rows, name="Students"),
        Sheet([["x"]] * 3, name="Notes"),
    ]
    text, problems = read(tmp_path, xlsx(*sheets))
    assert text == "A\n1\n"
    assert [problem.message for problem in problems] == [
        'Only the sheet "Students" was read, and no other sheet. '
        'If the students are in "Codes", "Notes", move that sheet to the front'
    ]
    assert sheet_text(tmp_path, xlsx(*sheets[1:3])) == "A\n1\n"


def test_hidden_sheets_of_an_ods(tmp_path: Path) -> None:
    style = (
        '<style:style style:name="off" style:family="table">'
        '<style:table-properties table:display="false"/></style:style>'
    )
    tables = [Table([["x"]], name="Codes", style="off"), Table([["A"], ["1"]], name="Students")]
    text, problems = read(tmp_path, ods(*tables, styles=style))
    assert (text, codes(problems)) == ("A\n1\n", [("other_sheets", None)])


def test_if_all_sheets_with_values_are_hidden_the_first_is_read(tmp_path: Path) -> None:
    assert (
        sheet_text(tmp_path, xlsx(Sheet([["A"]], state="veryHidden"), Sheet([], name="b"))) == "A\n"
    )


def test_an_empty_workbook_is_an_empty_file(tmp_path: Path) -> None:
    assert sheet_text(tmp_path, xlsx([])) == ""
    assert sheet_text(tmp_path, ods([])) == ""


def test_another_sheet_may_be_of_any_size(tmp_path: Path) -> None:
    wide = Sheet([["x"] * 200], name="Wide")
    text, problems = read(tmp_path, xlsx(Sheet([["A"]]), wide))
    assert (text, codes(problems)) == ("A\n", [("other_sheets", None)])


@pytest.mark.parametrize(
    "data",
    [
        xlsx(Sheet([["A"], ["1"]], row_attributes={2: 'hidden="1"'})),
        xlsx(Sheet([["A"], ["1"]], before='<cols><col min="1" max="1" hidden="1"/></cols>')),
        ods(
            Table(
                xml='<table:table-column table:visibility="collapse"/><table:table-row>'
                '<table:table-cell office:value-type="string"><text:p>A</text:p>'
                "</table:table-cell></table:table-row><table:table-row>"
                '<table:table-cell office:value-type="string"><text:p>1</text:p>'
                "</table:table-cell></table:table-row>"
            )
        ),
        ods(
            Table(
                xml="<table:table-row><table:table-cell><text:p>A</text:p></table:table-cell>"
                '</table:table-row><table:table-row table:visibility="filter">'
                "<table:table-cell><text:p>1</text:p></table:table-cell></table:table-row>"
            )
        ),
    ],
)
def test_hidden_rows_and_columns_are_read_with_a_warning(tmp_path: Path, data: bytes) -> None:
    text, problems = read(tmp_path, data)
    assert (text, codes(problems)) == ("A\n1\n", [("hidden_cells", None)])


def test_hidden_rows_without_values_are_not_mentioned(tmp_path: Path) -> None:
    columns = '<cols><col min="5" max="9" hidden="1"/></cols>'
    sheet = Sheet([["A"], [None]], row_attributes={2: 'hidden="1"'}, before=columns)
    assert sheet_text(tmp_path, xlsx(sheet)) == "A\n"


def test_merged_cells_are_a_warning_unless_they_are_a_title(tmp_path: Path) -> None:
    rows: Rows = [["Maple Schools"], ["A", "B", "C"], ["1", "2", None]]

    def merged(*areas: str) -> bytes:
        cells = "".join(f'<mergeCell ref="{area}"/>' for area in areas)
        return xlsx(Sheet(rows, after=f"<mergeCells>{cells}</mergeCells>"))

    assert sheet_text(tmp_path, merged("A1:C1")) == "Maple Schools,,\nA,B,C\n1,2,\n"
    _, problems = read(tmp_path, merged("A1:C1", "B3:C3"))
    assert codes(problems) == [("merged_cells", 3)]
    _, problems = read(tmp_path, merged("A2:A3"))
    assert codes(problems) == [("merged_cells", 2)]


def test_formatted_cells_far_away_count_only_if_they_have_values(tmp_path: Path) -> None:
    far = Raw('<c r="XFD1048576" s="1"/>')
    assert sheet_text(tmp_path, xlsx([["A"], ["1"], [far]])) == "A\n1\n"


@pytest.mark.statement("S28")
@pytest.mark.parametrize(
    ("data", "limits", "code"),
    [
        (xlsx([["A"], [Raw('<c r="XFD1048576"><v>1</v></c>')]]), {}, "workbook_too_large"),
        (xlsx([["A"], [Raw('<c r="B2000000"><v>1</v></c>')]]), {"rows": 10}, "too_many_rows"),
        (xlsx([["A"] * 65]), {}, "too_many_columns"),
        (xlsx([["A"], [1], [2], [3]]), {"rows": 2}, "too_many_rows"),
        (ods(Table(xml=rows_xml(1_048_576, cells_xml(16384, "", X)))), {}, "workbook_too_large"),
        (
            ods(*[Table(xml=rows_xml(1_000_000, cells_xml(1, "", X)), name=n) for n in "abcde"]),
            {},
            "workbook_too_large",
        ),
        (zipped({"xl/workbook.xml": b" " * (65 * MIB)}), {}, "workbook_too_large"),
        (
            zipped({"xl/workbook.xml": b""} | {f"{n}": b"" for n in range(10_000)}),
            {},
            "workbook_too_large",
        ),
        (zipped({"xl/workbook.xml": b"<a/>"}), {}, "workbook_damaged"),
        (xlsx([["A"]], [["B"]]), {}, "workbook_damaged"),  # sheets of the same name
        (zipped({"xl/sheet.xml": b"<a/>"}), {}, "workbook_damaged"),
        (zipped({"word/document.xml": b"<a/>"}), {}, "document_not_csv"),
        (
            zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": ""}),
            {},
            "document_not_csv",
        ),
        (zipped({"xl/workbook.bin": b"<a/>"}), {}, "xls_not_supported"),
        (zipped({"Index/Document.iwa": b"x"}), {}, "xls_not_supported"),
        (zipped({"students.csv": b"A,B\n"}), {}, "archive_not_csv"),
        (
            ods([["A"]], extra={"META-INF/manifest.xml": "<encryption-data/>"}),
            {},
            "workbook_encrypted",
        ),
        (xlsx([["A"]], extra={"xl/_rels/workbook.xml.rels": "<a/>"}), {}, "workbook_damaged"),
        (
            xlsx(
                [["A"]],
                extra={"xl/worksheets/sheet1.xml": '<!DOCTYPE a [<!ENTITY b "x">]><worksheet/>'},
            ),
            {},
            "workbook_damaged",
        ),
    ],
)
def test_workbooks_that_are_not_read(
    tmp_path: Path, data: bytes, limits: dict[str, int], code: str
) -> None:
    text, problems = read(tmp_path, data, **limits)
    assert (text, [problem.code for problem in problems]) == ("", [code])
    assert problems[0].severity == "error"


def with_flag(data: bytes, flag: int) -> bytes:
    """Return a zip file in whose directory all entries have this flag."""
    return re.sub(
        rb"PK\x01\x02(.{4}).{2}",
        lambda match: b"PK\x01\x02" + match[1] + struct.pack("<H", flag),
        data,
        flags=re.DOTALL,
    )


def overlapping() -> bytes:
    """Return a workbook whose directory names the data of one part for two."""
    data = xlsx([["A"]])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        last = archive.infolist()[-1].header_offset
    directory = data.index(b"PK\x01\x02")
    return data[: directory + 42] + struct.pack("<L", last) + data[directory + 46 :]


def twice() -> bytes:
    buffer = io.BytesIO(xlsx([["A"]]))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("XL/workbook.xml", "<a/>")
    return buffer.getvalue()


@pytest.mark.statement("S28")
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (with_flag(xlsx([["A"]]), 1), "workbook_encrypted"),
        (overlapping(), "workbook_damaged"),
        (twice(), "workbook_damaged"),
    ],
)
def test_zip_files_with_an_odd_directory(tmp_path: Path, data: bytes, code: str) -> None:
    assert [problem.code for problem in read(tmp_path, data)[1]] == [code]


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (OLE + b"\0" * (1 << 17) + "Workbook".encode("utf-16-le"), "xls_not_supported"),
        (
            OLE + b"\0" * ((1 << 17) - 520) + "EncryptedPackage".encode("utf-16-le"),
            "workbook_encrypted",
        ),
        (OLE + "WordDocument".encode("utf-16-le"), "document_not_csv"),
    ],
)
def test_files_of_old_programs_and_encrypted_ones(tmp_path: Path, data: bytes, code: str) -> None:
    assert read_in_process(tmp_path, data) == (b"", [code])


@pytest.mark.process
@pytest.mark.parametrize("write", [xlsx, ods])
def test_the_content_decides_and_not_the_name(
    tmp_path: Path, write: Callable[[Rows], bytes]
) -> None:
    assert read_in_process(tmp_path, write([HEADER, [1, 4]])) == (b"STUDENT_ID,GRADE\n1,4\n", [])


@pytest.mark.process
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"PK\x03\x04 and so on", "archive_not_csv"),
        (b"PK\x03\x04 [Content_Types].xml xl/workbook.xml", "workbook_damaged"),
        (xlsx([["A"]])[:-30], "workbook_damaged"),
        (xlsx([["A"]], extra={"xl/worksheets/sheet1.xml": "<worksheet>"}), "workbook_damaged"),
        (
            xlsx([["A"]], extra={"xl/sharedStrings.xml": f'<sst xmlns="{MAIN}"/>'}),
            "workbook_damaged",
        ),
    ],
)
def test_a_damaged_workbook_is_refused(tmp_path: Path, data: bytes, code: str) -> None:
    assert read_in_process(tmp_path, data) == (b"", [code])


@pytest.mark.statement("S28")
@pytest.mark.process
@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("os.abort()", "workbook_too_large"),
        ("os.kill(os.getpid(), 24)", "workbook_too_large"),
        ("os.kill(os.getpid(), 11)", "workbook_damaged"),
        ("bytearray(2 << 30)", "workbook_too_large"),
        ("sys.exit(1)", "workbook_damaged"),
    ],
)
@pytest.mark.parametrize("begun", [False, True])
def test_a_process_that_dies_refuses_the_workbook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str, code: str, *, begun: bool
) -> None:
    place = "csv_chunks" if begun else "choose_sheet"
    module = tmp_path / "dying_worker.py"
    module.write_text(
        "import os, sys\n"
        "from rollbook.studentfile.reading.conversion import sheet_csv, worker_process\n"
        f"def die(*_):\n    yield b'A\\n' * 100_000\n    {statement}\n    yield b''\n"
        f"sheet_csv.{place} = die if {begun} else lambda *_: list(die())\n"
        "worker_process.main()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(workbooks, "WORKER", "dying_worker")
    assert read_in_process(tmp_path, xlsx([["A"]])) == (b"", [code])


@pytest.mark.process
def test_a_process_that_does_not_start_is_our_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbooks, "WORKER", "no.such.module")
    with pytest.raises(RuntimeError, match="exited with code 1"):
        read_in_process(tmp_path, xlsx([["A"]]))


@pytest.mark.process
def test_a_full_disk_ends_the_process(tmp_path: Path) -> None:
    file = tmp_path / "students.xlsx"
    file.write_bytes(xlsx([["A"] * 60] * 2000))

    def full(_: bytes) -> None:
        raise OSError("disk is full")

    with pytest.raises(OSError, match="full"):
        workbooks.read_workbook(file, Limits(), full)


MEASURE = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-m", sys.argv[1], sys.argv[2]], stdout=subprocess.DEVNULL,
               check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.process
@pytest.mark.daily_share(1 / 4)
def test_fifty_thousand_rows_of_twenty_columns_take_less_than_200_mib(tmp_path: Path) -> None:
    rows = [["STUDENT_ID", *(f"C{n}" for n in range(19))]]
    rows += [[f"{row} is a unique text {n}" for n in range(20)] for row in range(50_000)]
    file = tmp_path / "students.xlsx"
    file.write_bytes(xlsx(rows))
    command = [sys.executable, "-c", MEASURE, workbooks.WORKER, f'["{file}", {{}}]']
    kibibytes = int(subprocess.run(command, capture_output=True, check=True).stdout)
    assert kibibytes < 200 * 1024


texts = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]) | st.just("\n"), max_size=6
).map(str.strip)


@given(rows=st.lists(st.lists(texts, min_size=3, max_size=3), min_size=1, max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_texts_are_read_as_they_are(tmp_path: Path, rows: list[list[str]]) -> None:
    table = [["A", "B", "C"], *rows, ["x", "y", "z"]]
    expected = [[cell.replace("\n", "\v") for cell in row] for row in table]
    for write in (xlsx, ods):
        text = sheet_text(tmp_path, write(table))
        read_back = list(csv.reader(io.StringIO(text, newline="")))
        assert [row or [""] * 3 for row in read_back] == expected


@pytest.mark.parametrize("data", [xlsx([HEADER, [1, 4]]), ods([HEADER, [1, 4]])])
def test_damage_anywhere_never_crashes(tmp_path: Path, data: bytes) -> None:
    randomly = random.Random(13)
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(randomly.choice([1, 3, 30])):
            damaged[randomly.randrange(4, len(damaged))] = randomly.randrange(256)
        outcome(tmp_path, bytes(damaged))
        outcome(tmp_path, data[: randomly.randrange(4, len(data))])


def outcome(folder: Path, data: bytes) -> None:
    """Read a workbook as the process does; any exception means that it is damaged."""
    try:
        read(folder, data)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:
        return


END = zipped({"a": b""})[-22:]  # the record at the end of a zip file


@pytest.mark.statement("S32")
@pytest.mark.process
def test_random_bytes_always_have_an_answer(tmp_path: Path) -> None:
    randomly = random.Random(13)
    for _ in range(20):
        data = b"PK\x03\x04" + randomly.randbytes(randomly.randrange(2000)) + END
        written, found = read_in_process(tmp_path, data)
        assert written == b""
        assert found in (["archive_not_csv"], ["workbook_damaged"])


STRICT = "http://purl.oclc.org/ooxml"


def strict(data: bytes) -> bytes:
    """Return a workbook in the strict form of the standard, with other namespaces."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    return zipped(
        {
            name: part.replace(MAIN, f"{STRICT}/spreadsheetml/main").replace(
                RELATIONS, f"{STRICT}/officeDocument/relationships"
            )
            for name, part in parts.items()
        }
    )


def with_targets(data: bytes, prefix: str) -> bytes:
    """Return a workbook that refers to its sheets in another way."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    name = "xl/_rels/workbook.xml.rels"
    parts[name] = parts[name].replace('Target="', f'Target="{prefix}')
    return zipped(parts)


def with_chart_sheet() -> bytes:
    """Return a workbook whose first sheet is a chart."""
    chart = f'<chartsheet xmlns="{MAIN}"><sheetViews/></chartsheet>'
    sheets = [Sheet([], name="Chart"), Sheet([["A"], ["é"]])]
    return xlsx(*sheets, extra={"xl/worksheets/sheet1.xml": chart})


@pytest.mark.parametrize(
    "data",
    [
        strict(xlsx([["A"], ["é"]])),
        with_targets(xlsx([["A"], ["é"]]), "/xl/"),
        with_chart_sheet(),
    ],
    ids=["strict", "absolute", "chart"],
)
def test_variants_of_other_programs(tmp_path: Path, data: bytes) -> None:
    assert sheet_text(tmp_path, data) == "A\né\n"
