"""``rollbook update show``."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rollbook.accounts.models import AuditEvent
from rollbook.districts.models import District
from rollbook.updates.cancel import cancel
from rollbook.updates.models import FileChunk, UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.state_machine import Mode
from tests.cli.conftest import Rollbook
from tests.cli.files import HEADER, row
from tests.updates.night import send_bytes

pytestmark = pytest.mark.django_db(transaction=True)

ABOUT = ["_LINE_OF_UPDATE_1", "_CODE", "_MESSAGE"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "students.csv"


def rejected(rollbook: Rollbook) -> list[list[str]]:
    result = rollbook("update", "show", "maple-usd", "--rejected")
    assert (result.code, result.err) == (0, "")
    assert "canary" not in result.out
    return list(csv.reader(io.StringIO(result.out.removeprefix("\ufeff"), newline=""), strict=True))


def test_without_a_number_the_latest_update_is_shown(
    rollbook: Rollbook, maple: District, base: Path, file: Path
) -> None:
    rollbook("student", "load", "maple-usd", base)
    file.write_text("NAME\nAna\n")
    rollbook("student", "load", "maple-usd", file)
    assert rollbook("update", "show", "maple-usd").out.startswith(
        "REFUSED update 2: header_not_found: "
    )
    assert rollbook("update", "show", "maple-usd", 1).out.startswith(
        "COMPLETED update 1: 2 students"
    )


def test_a_missing_update_is_an_error(rollbook: Rollbook, maple: District) -> None:
    result = rollbook("update", "show", "maple-usd")
    assert (result.code, result.err) == (
        1,
        "ERROR no_such_update: Maple USD has not started an update yet; "
        "see `rollbook update list maple-usd`\n",
    )
    assert "Maple USD has no update 7;" in rollbook("update", "show", "maple-usd", 7).err


def test_update_numbers_of_the_neighbor_do_not_exist(
    rollbook: Rollbook, maple: District, cedar: District, base: Path
) -> None:
    rollbook("student", "load", "cedar-county", base)
    assert rollbook("update", "show", "maple-usd", 1).code == 1
    assert rollbook("update", "show", "maple-usd", 1, "--rejected").code == 1


def test_json_has_counts_state_times_and_every_problem(
    rollbook: Rollbook, maple: District, file: Path
) -> None:
    file.write_text(
        f"{HEADER}\n{row('00123', 'Ana', 'Brook')}\n{row('00124', 'Ben', 'Cole', born='x')}\n"
    )
    rollbook("student", "load", "maple-usd", file)
    report = json.loads(rollbook("update", "show", "maple-usd", "--json").out)
    expected = {
        "update": 1,
        "state": "completed",
        "rows": 2,
        "added": 1,
        "rejected": 1,
        "counts": {"bad_date": 1},
    }
    assert {name: report[name] for name in expected} == expected
    assert all(report[name] for name in ("received_at", "started_at", "ended_at"))
    assert report["problems"] == [
        {
            "line": 3,
            "column": "DOB",
            "code": "bad_date",
            "severity": "error",
            "message": '"x" isn\'t a valid date. Use mm/dd/yyyy',
        }
    ]


def test_rejected_rows_are_exported_as_sent_without_passwords(
    rollbook: Rollbook, maple: District, file: Path
) -> None:
    rows = (
        row("00123", "Ana", "Brook"),
        row("00124", "Ben ", "-Cole", born="2/30/2015", school="900"),
        row("1E+05", '"Cara, C."', "Dunn"),
    )
    file.write_text("\n".join((HEADER, *rows, "")))
    rollbook("student", "load", "maple-usd", file)
    header, first, second = rejected(rollbook)
    assert header == [*HEADER.replace("PASSWORD,", "").split(","), *ABOUT]
    assert first[:10] == ["00124", "Ben ", "'-Cole", "2/30/2015", "f", "4", "900", "n", "n", "3"]
    assert first[10].split() == ["bad_date", "unknown_school"]
    assert first[11].startswith(
        'DOB: "2/30/2015" isn\'t a valid date. Use mm/dd/yyyy | SCHOOL_ID: "900" isn\'t '
    )
    assert second[:2] == ["1E+05", "Cara, C."]
    assert second[9:11] == ["4", "excel_scientific"]


def test_rejected_rows_that_are_loaded_again_are_rejected_again(
    rollbook: Rollbook, maple: District, file: Path
) -> None:
    file.write_text(
        f"{HEADER}\n{row('00123', 'Ana', 'Brook')}\n{row('00124', 'Ben', '=Cole', born='x')}\n"
    )
    rollbook("student", "load", "maple-usd", file)
    first_rows = rejected(rollbook)
    file.write_bytes(rollbook("update", "show", "maple-usd", "--rejected").out.encode())
    assert rollbook("student", "load", "maple-usd", file).code == 3
    header, *rows = rejected(rollbook)
    assert header == ["_LINE_OF_UPDATE_2" if name == ABOUT[0] else name for name in first_rows[0]]
    assert [cells[:-3] + cells[-2:] for cells in rows] == [
        cells[:-3] + cells[-2:] for cells in first_rows[1:]
    ]


def test_fixed_rows_are_accepted(rollbook: Rollbook, maple: District, file: Path) -> None:
    rollbook("district", "set", "maple-usd", "--encoding", "cp1252")
    file.write_bytes(f"{HEADER}\n{row('00124', 'Zoë', 'Cole', born='x')}\n".encode("cp1252"))
    rollbook("student", "load", "maple-usd", file)
    text = rollbook("update", "show", "maple-usd", "--rejected").out
    file.write_text(text.replace('"x"', '"05/13/2014"'), encoding="utf-8")
    assert rollbook("student", "load", "maple-usd", file).code == 0
    assert "FIRST_NAME  Zoë\n" in rollbook("student", "show", "maple-usd", "00124").out


def test_a_row_with_too_many_cells_does_not_leak_its_password(
    rollbook: Rollbook, maple: District, file: Path
) -> None:
    rows = [row(str(number), "Ana", f"Brook{chr(97 + number)}") for number in range(20)]
    file.write_text("\n".join((HEADER, *rows, f"00124,Extra,{row('', 'Ben', 'Cole')[1:]}", "")))
    rollbook("student", "load", "maple-usd", file)
    (cells,) = rejected(rollbook)[1:]
    assert cells[:-1] == [""] * 9 + ["22", "too_many_cells"]


def test_a_column_whose_name_only_resembles_password_is_left_out_too(
    rollbook: Rollbook, maple: District, file: Path
) -> None:
    file.write_text(
        f"{HEADER.replace('PASSWORD', 'User Pass')}\n{row('00124', 'Ben', 'Cole', born='x')}\n"
    )
    rollbook("student", "load", "maple-usd", file)
    assert rejected(rollbook)[0][:2] == ["STUDENT_ID", "FIRST_NAME"]


def test_rejected_rows_of_a_file_with_the_maximum_of_columns_stay_within_it(
    rollbook: Rollbook, maple: District, file: Path
) -> None:
    extra = [f"EXTRA_{number}" for number in range(64 - len(HEADER.split(",")))]
    file.write_text(
        f"{HEADER},{','.join(extra)}\n{row('00124', 'Ben', 'Cole', born='x')}{',' * len(extra)}\n"
    )
    rollbook("student", "load", "maple-usd", file)
    assert len(rejected(rollbook)[0]) == len(HEADER.split(",")) - 1 + len(ABOUT)


def test_no_extra_column_is_a_spreadsheet_formula(
    rollbook: Rollbook, maple: District, file: Path
) -> None:
    file.write_text(f"{HEADER},=1+1,@SUM(A1)\n{row('00124', 'Ben', 'Cole', born='x')},-2,\n")
    rollbook("student", "load", "maple-usd", file)
    first, second = rejected(rollbook)
    assert first[-5:] == ["'=1+1", "'@SUM(A1)", *ABOUT]
    assert second[-5:-3] == ["'-2", ""]


def test_without_rejected_rows_only_the_header_is_exported(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    rollbook("student", "load", "maple-usd", base)
    assert rejected(rollbook) == [[*HEADER.replace("PASSWORD,", "").split(","), *ABOUT]]


def test_the_export_of_changes_has_a_line_for_each_field(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    rollbook("student", "load", "maple-usd", base)
    base.write_text(
        f"{HEADER}\n{row('00123', 'Ana', 'Brook', grade='5')}\n{row('00124', 'Ben', 'Cole')}\n"
    )
    rollbook("student", "load", "maple-usd", base)
    result = rollbook("update", "show", "maple-usd", "--changes")
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        '"LINE","STUDENT_ID","USERNAME","FIRST_NAME","LAST_NAME","FIELD","OLD","NEW","AT"\r\n'
        '"2","00123","abrook","Ana","Brook","GRADE","4","5","<time>"\r\n'
    )


def test_rows_that_were_not_processed_can_be_loaded_again(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    update = send_bytes(maple, base.read_bytes(), Mode.ADD).update
    unfinished = rollbook("update", "show", "maple-usd", "--not-processed")
    assert (unfinished.code, unfinished.out) == (1, "")
    assert unfinished.err.startswith("ERROR not_ended: update 1 has not finished, ")
    cancel(maple)
    result = rollbook("update", "show", "maple-usd", update.number, "--not-processed")
    assert (result.code, result.out.count("\r\n"), "canary" in result.out) == (0, 3, False)
    base.write_bytes(result.out.encode())
    assert rollbook("student", "load", "maple-usd", base).code == 0
    assert "corrects    update 1\n" in rollbook("update", "show", "maple-usd").out


def test_an_update_and_its_corrections_refer_to_each_other(
    rollbook: Rollbook, maple: District, file: Path
) -> None:
    file.write_text(f"{HEADER}\n{row('00124', 'Ben', 'Cole', born='x')}\n")
    rollbook("student", "load", "maple-usd", file)
    file.write_bytes(rollbook("update", "show", "maple-usd", "--rejected").out.encode())
    rollbook("student", "load", "maple-usd", file)
    assert "corrects    update 1\n" in rollbook("update", "show", "maple-usd").out
    assert "corrected by  update 2\n" in rollbook("update", "show", "maple-usd", 1).out
    reports = [
        json.loads(rollbook("update", "show", "maple-usd", number, "--json").out)
        for number in (1, 2)
    ]
    assert [(report["mends"], report["mended_by"]) for report in reports] == [(None, [2]), (1, [])]


def test_only_one_export_can_be_requested_at_a_time(rollbook: Rollbook, maple: District) -> None:
    assert rollbook("update", "show", "maple-usd", "--changes", "--rejected").code == 2


def test_each_export_is_recorded_in_the_audit_log(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    rollbook("student", "load", "maple-usd", base)
    for option in ("--rejected", "--not-processed", "--changes"):
        rollbook("update", "show", "maple-usd", option)
    written = AuditEvent.objects.filter(district=maple, detail="update 1").order_by("pk")
    assert list(written.values_list("action", flat=True))[-3:] == [
        "rejected rows",
        "rows not processed",
        "changes",
    ]


def test_a_missing_file_is_an_error(rollbook: Rollbook, maple: District, file: Path) -> None:
    file.write_text(f"{HEADER}\n{row('00124', 'Ben', 'Cole', born='x')}\n")
    rollbook("student", "load", "maple-usd", file)
    files.path_of(UpdateJob.objects.get().spool_name).unlink()
    FileChunk.objects.all().delete()
    result = rollbook("update", "show", "maple-usd", "--rejected")
    assert (result.code, result.err) == (
        1,
        "ERROR file_gone: the file of update 1 is no longer available; "
        "ask the district for its own copy\n",
    )


@pytest.mark.parametrize(
    ("column", "what"),
    [
        ("file_removed_at", "the file of update 1 was"),
        ("details_hidden_at", "the rows and problems of update 1 were"),
    ],
)
def test_a_file_removed_by_retention_is_an_error_that_says_so(
    rollbook: Rollbook, maple: District, base: Path, column: str, what: str
) -> None:
    rollbook("student", "load", "maple-usd", base)
    UpdateJob.objects.update(**{column: datetime(2026, 11, 1, 12, tzinfo=UTC)})
    result = rollbook("update", "show", "maple-usd", "--rejected")
    assert (result.code, result.err) == (
        1,
        f"ERROR not_kept: {what} removed on 2026-11-01, according to the settings of Maple USD; "
        "its counts are still available, and its changes are in the history of each student\n",
    )
