"""Every upload of the catalog that is about the file itself has the expected result."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rollbook.studentfile.problems.problem import Problem, Severity
from rollbook.studentfile.reading.conversion.convert import convert
from rollbook.studentfile.reading.file_type import is_zip
from rollbook.studentfile.reading.reader import (
    FileScan,
    Limits,
    normalize_encoding_name,
    read_records,
    scan,
)
from rollbook.studentfile.row_validator import RowValidator, ValidatedRow
from tests.cases.loading import Case, all_cases

TODAY = date(2026, 9, 1)


def _parameters() -> list[Any]:
    """Return all cases; a process reads zip files, which may be workbooks."""
    return [
        pytest.param(case, marks=[pytest.mark.process] if is_zip(case.content) else [])
        for case in all_cases()
    ]


@pytest.mark.parametrize("case", _parameters(), ids=str)
def test_the_upload_has_the_expected_result(case: Case, tmp_path: Path) -> None:
    file = tmp_path / "students.csv"
    file.write_bytes(case.content)
    limits = Limits(**case.limits)
    file, result = _convert_and_scan(file, normalize_encoding_name(case.encoding), limits)
    if result.refusal or case.refused:
        refusal = result.refusal or Problem("internal_error")
        assert (refusal.code, refusal.definition.status, refusal.line) == (
            case.refused,
            case.status,
            case.line,
        )
        return
    rows = _validate(file, result, limits)
    assert len(rows) == result.rows
    problems = [problem for row in rows for problem in row.problems]
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    warnings = [problem for problem in (*result.problems, *problems) if problem not in errors]
    assert [row.line for row in rows if not row.rejected] == list(case.accepted)
    assert _lines_and_codes(errors) == sorted(case.rejected)
    assert _lines_and_codes(warnings) == sorted(case.warnings)


def _convert_and_scan(file: Path, encoding: str, limits: Limits) -> tuple[Path, FileScan]:
    """Return the file to be read and its scan."""
    converted = file.with_suffix(".converted")
    with converted.open("wb") as output:
        conversion = convert(file, encoding=encoding, limits=limits, write=output.write)
    if conversion.refusal:
        return file, FileScan(encoding, None, 0, conversion.problems)
    if conversion.is_converted:
        file, encoding = converted, "utf-8"
    return file, conversion.add_to(scan(file, encoding=encoding, limits=limits))


def _validate(file: Path, result: FileScan, limits: Limits) -> list[ValidatedRow]:
    assert result.header
    validator = RowValidator(result.header, TODAY, limits, result.rules)
    batches = read_records(file, encoding=result.encoding, header=result.header)
    return [validator.validate(row) for batch in batches for row in batch.rows(result.header)]


def _lines_and_codes(problems: list[Problem]) -> list[tuple[int, str]]:
    return sorted((problem.line or 0, problem.code) for problem in problems)
