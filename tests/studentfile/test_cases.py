"""Every odd upload of the catalogue that is about the file itself gets the answer the catalogue names."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from rollbook.studentfile.problems.problem import Problem, Severity
from rollbook.studentfile.reading.reader import (
    FileScan,
    Limits,
    normalize_encoding_name,
    read_batches,
    scan,
)
from rollbook.studentfile.row_validator import RowValidator
from tests.cases.loading import Case, all_cases

TODAY = date(2026, 9, 1)


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_the_upload_gets_its_answer(case: Case, tmp_path: Path) -> None:
    file = tmp_path / "students.csv"
    file.write_bytes(case.content)
    seen = scan(file, encoding=normalize_encoding_name(case.encoding), limits=Limits(**case.limits))
    if seen.refusal or case.refused:
        refusal = seen.refusal or Problem("internal_error")
        assert (refusal.code, refusal.definition.status, refusal.line) == (
            case.refused,
            case.status,
            case.line,
        )
        return
    accepted, problems = _checked(file, seen, Limits(**case.limits))
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    warnings = [problem for problem in (*seen.problems, *problems) if problem not in errors]
    assert accepted == list(case.accepted)
    assert _findings(errors) == sorted(case.rejected)
    assert _findings(warnings) == sorted(case.warnings)


def _checked(file: Path, seen: FileScan, limits: Limits) -> tuple[list[int], list[Problem]]:
    rows = list(_rows(file, seen, limits))
    assert len(rows) == seen.rows
    return [line for line, rejected, _ in rows if not rejected], [
        found for *_, problems in rows for found in problems
    ]


def _rows(file: Path, seen: FileScan, limits: Limits) -> Iterator[tuple[int, bool, list[Problem]]]:
    assert seen.header
    checker = RowValidator(seen.header, TODAY, limits)
    for batch in read_batches(file, encoding=seen.encoding, header=seen.header):
        for row in batch.rows:
            checked = checker.validate(row)
            yield checked.line, checked.rejected, checked.problems


def _findings(problems: list[Problem]) -> list[tuple[int, str]]:
    return sorted((problem.line or 0, problem.code) for problem in problems)
