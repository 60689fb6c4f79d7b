"""``rollbook file check``: without server, database or data folder."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rollbook.cli.actions.file import NOT_CHECKED
from tests.cli.conftest import Rollbook
from tests.cli.files import HEADER, row
from tests.installations import environment
from tests.studentfile.reading.conversion.workbooks import xlsx


def test_a_clean_file_is_ok(rollbook: Rollbook, base: Path) -> None:
    result = rollbook("file", "check", base)
    assert (result.code, result.err) == (0, "checking: 2 of 2 rows (100%)\n")
    assert result.out == f"OK {base}: 2 rows, none would be rejected\n\n{NOT_CHECKED}\n"


def test_every_row_that_would_be_rejected_is_reported(rollbook: Rollbook, base: Path) -> None:
    with base.open("a") as file:
        file.write(row("1.2E+05", "Cara", "Dunn", born="2/30/2015", school="900") + "\n")
    result = rollbook("file", "check", base)
    assert result.code == 3
    assert result.out == (
        f"WITH ERRORS {base}: 3 rows, 1 would be rejected\n"
        "\n"
        "count  severity  code              problem\n"
        "    1  error     excel_scientific  A spreadsheet rounded a number\n"
        "    1  error     bad_date          A date isn't valid\n"
        "\n"
        'line 4, STUDENT_ID: excel_scientific: "1.2E+05" is a number that a spreadsheet rounded. '
        "Format the column as text and export again\n"
        'line 4, DOB: bad_date: "2/30/2015" isn\'t a valid date. Use mm/dd/yyyy\n'
        "\n"
        f"{NOT_CHECKED}\n"
    )


def test_a_file_that_would_be_refused_is_reported_with_the_reason(
    rollbook: Rollbook, base: Path
) -> None:
    base.write_text("NAME,GRADE\nAna,4\n")
    result = rollbook("file", "check", base)
    assert result.code == 1
    assert result.out.startswith(
        f"REFUSED {base}: missing_column: No column identifies the students (line 1). "
    )
    assert NOT_CHECKED not in result.out


def test_a_file_with_another_header_in_the_middle_would_be_refused(
    rollbook: Rollbook, base: Path
) -> None:
    names = HEADER.strip().split(",")
    with base.open("a") as file:
        file.write(",".join([*names[:-2], names[-1], names[-2]]) + "\n")
    result = rollbook("file", "check", base)
    assert result.code == 1
    assert result.out.startswith(f"REFUSED {base}: second_header: ")
    assert "(line 4)" in result.out
    assert "    1  error     other_header" in result.out
    assert NOT_CHECKED not in result.out
    assert json.loads(rollbook("file", "check", base, "--json").out)["verdict"] == "REFUSED"


def test_problems_of_a_kind_are_printed_together_with_their_lines(
    rollbook: Rollbook, base: Path
) -> None:
    wrong = {2, 3, 4, 9}
    dates = ["2/30/2015" if number in wrong else "5/13/2014" for number in range(12)]
    rows = [row(str(100 + at), "Ana", "Brook", born=date) for at, date in enumerate(dates)]
    rows[6] = row("106", "Ana", "Brook", grade="99")
    base.write_text("\n".join((HEADER, *rows, "")))
    lines = rollbook("file", "check", base).out.split("\n")
    example = 'line 4, DOB: bad_date: "2/30/2015" isn\'t a valid date. Use mm/dd/yyyy'
    at = lines.index("4 x bad_date, DOB: lines 4-6, 11")
    assert lines[at + 1] == f"  such as {example}"
    assert lines[at + 2].startswith("line 8, GRADE: ")
    assert lines[at + 3] == "Use --all to list each of them."
    every = rollbook("file", "check", base, "--all").out.split("\n")
    assert [line.split(",")[0] for line in every if line.startswith("line ")] == [
        "line 4",
        "line 5",
        "line 6",
        "line 8",
        "line 11",
    ]


def test_totals_are_exact_however_many_problems_there_are(rollbook: Rollbook, base: Path) -> None:
    rows = [row(str(number), "Ana", "Brook", born="2/30/2015") for number in range(1200)]
    base.write_text("\n".join((HEADER, *rows, "")))
    lines = rollbook("file", "check", base).out.split("\n")
    assert lines[0] == f"WITH ERRORS {base}: 1,200 rows, 1,200 would be rejected"
    assert lines[3] == "1,200  error     bad_date  A date isn't valid"
    assert lines[5] == "1,200 x bad_date, DOB: lines 2-1001 and more"
    every = rollbook("file", "check", base, "--all").out.split("\n")
    assert len([line for line in every if line.startswith("line ")]) == 1200


def test_lines_that_are_too_many_to_list_are_cut(rollbook: Rollbook, base: Path) -> None:
    dates = ["2/30/2015" if number % 2 else "5/13/2014" for number in range(40)]
    rows = [row(str(100 + at), "Ana", "Brook", born=date) for at, date in enumerate(dates)]
    base.write_text("\n".join((HEADER, *rows, "")))
    lines = rollbook("file", "check", base).out.split("\n")
    first = ", ".join(str(line) for line in range(3, 27, 2))
    assert f"20 x bad_date, DOB: lines {first} and more" in lines


def test_json_has_every_problem(rollbook: Rollbook, base: Path) -> None:
    rows = [row(str(number), "Ana", "Brook", born="2/30/2015") for number in range(1200)]
    base.write_text("\n".join((HEADER, *rows, "")))
    result = rollbook("file", "check", base, "--json")
    report = json.loads(result.out)
    assert (report["verdict"], report["rows"], report["rejected"], report["counts"]) == (
        "WITH ERRORS",
        1200,
        1200,
        {"bad_date": 1200},
    )
    assert len(report["problems"]) == 1200
    assert report["problems"][0] == {
        "line": 2,
        "column": "DOB",
        "code": "bad_date",
        "severity": "error",
        "message": '"2/30/2015" isn\'t a valid date. Use mm/dd/yyyy',
    }


def test_a_password_is_never_printed(rollbook: Rollbook, base: Path) -> None:
    base.write_text(f"{HEADER}\n{row('00123', 'Ana', 'Brook').replace('canary-00123', 'abc')}\n")
    for options in ([], ["--json"]):
        result = rollbook("file", "check", base, *options)
        assert result.code == 3
        assert "abc" not in result.out.replace(str(base), "")


def test_the_encoding_is_an_option(rollbook: Rollbook, base: Path) -> None:
    base.write_bytes(f"{HEADER}\n".encode() + row("00123", "Zo\xeb", "Brook").encode("cp1252"))
    assert rollbook("file", "check", base).code == 1
    assert rollbook("file", "check", base, "--encoding", "cp1252").code == 0
    result = rollbook("file", "check", base, "--encoding", "klingon")
    assert result.err.startswith("ERROR unknown_encoding: 'klingon' is not an encoding")


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"PK\x03\x04rest", b"%PDF-1.7", b"\xff\xfe"])
def test_no_file_causes_a_traceback(rollbook: Rollbook, base: Path, content: bytes) -> None:
    base.write_bytes(content)
    result = rollbook("file", "check", base)
    assert (result.code, result.err) == (1, "")
    assert result.out.startswith("REFUSED ")


def test_another_delimiter_is_read_with_a_warning(rollbook: Rollbook, base: Path) -> None:
    base.write_text(base.read_text().replace(",", ";"))
    result = rollbook("file", "check", base)
    assert result.code == 0
    assert result.out.startswith(f"OK {base}: 2 rows, none would be rejected\n")
    assert "line 1: other_delimiter: The cells are not separated by commas" in result.out
    assert not list(base.parent.glob("rollbook-*"))


@pytest.mark.process
def test_a_workbook_is_checked_and_lines_are_rows_of_the_sheet(
    rollbook: Rollbook, base: Path
) -> None:
    header, *rows = (line.split(",") for line in base.read_text().splitlines())
    rows[1][header.index("DOB")] = "2/30/2015"
    workbook = base.with_suffix(".xlsx")
    workbook.write_bytes(xlsx([[], header, [], *rows]))
    result = rollbook("file", "check", workbook)
    assert result.code == 3
    assert result.out.startswith(f"WITH ERRORS {workbook}: 2 rows, 1 would be rejected\n")
    assert "line 5, DOB: bad_date" in result.out


def test_a_workbook_that_cannot_be_read_is_refused(rollbook: Rollbook, base: Path) -> None:
    base.write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 100)
    result = rollbook("file", "check", base)
    assert result.code == 1
    assert result.out.startswith(f"REFUSED {base}: xls_not_supported: This kind of workbook")


@pytest.mark.process
def test_it_needs_neither_django_nor_a_folder(base: Path, tmp_path: Path) -> None:
    """Run in a separate process, in which nothing else has been imported."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    script = f"""
import sys
from rollbook.cli import run
code = run(["file", "check", {str(base)!r}])
sys.exit(9 if "django" in sys.modules else code)
"""
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=elsewhere,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "checking: 2 of 2 rows (100%)\n")
    assert list(elsewhere.iterdir()) == []


def test_the_date_order_of_the_district_can_be_given(rollbook: Rollbook, base: Path) -> None:
    base.write_text("STUDENT_ID,DOB\n00101,13/05/2014\n00102,02/11/2013\n")
    result = rollbook("file", "check", base)
    assert result.code == 1
    assert result.out.startswith(f"REFUSED {base}: day_first_dates: ")
    assert "line 2, DOB: day_first_dates: " in result.out
    result = rollbook("file", "check", base, "--date-order", "dmy")
    assert (result.code, result.out.partition(":")[0]) == (0, f"OK {base}")
