"""Validation of all rows of a file, and its tally."""

import logging
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rollbook.studentfile.cell_rules import CellRule
from rollbook.studentfile.file_validator import validate_file
from rollbook.studentfile.problems.problem import Problem, sort_codes
from rollbook.studentfile.problems.tally import ProblemGroup, ProblemTally
from rollbook.studentfile.reading import reader

TODAY = date(2026, 9, 1)


def validate_text(path: Path, text: str, tally: ProblemTally) -> Iterator[int]:
    """Validate a file with this text in batches of two rows."""
    path.write_text(text, encoding="utf-8")
    return validate_file(path, reader.scan(path), TODAY, tally, batch_rows=2)


def test_every_row_is_counted_batch_by_batch(tmp_path: Path) -> None:
    tally = ProblemTally()
    text = "STUDENT_ID,GRADE\n1,5\n2,99\n3,5\n\n4,98\n5,5\n"
    assert list(validate_text(tmp_path / "a.csv", text, tally))[-1] == 5
    assert (tally.rows, tally.rejected, dict(tally.counts)) == (5, 2, {"bad_value": 2})
    assert [(problem.code, problem.line) for problem in tally.problems] == [
        ("bad_value", 3),
        ("bad_value", 6),
    ]


def test_no_row_of_a_refused_file_is_validated(tmp_path: Path) -> None:
    tally = ProblemTally()
    assert list(validate_text(tmp_path / "a.csv", "FIRST_NAME\nAnn\n", tally)) == []
    assert tally.rows == 0
    assert tally.counts.total() > 0


def test_an_exception_in_a_rule_rejects_only_its_row_and_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rule = CellRule.__missing__

    def failing(self: CellRule, text: str) -> Any:
        if text == "2b":
            raise ZeroDivisionError
        return rule(self, text)

    monkeypatch.setattr(CellRule, "__missing__", failing)
    tally = ProblemTally()
    with caplog.at_level(logging.ERROR):
        assert list(
            validate_text(tmp_path / "a.csv", "STUDENT_ID,GRADE\n1,5\n2b,5\n3,5\n", tally)
        ) == [
            2,
            3,
        ]
    assert tally.rejected == 1
    assert tally.problems == [Problem("internal_error", 3)]
    assert "line 3" in caplog.text


def test_counts_are_exact_even_if_problems_are_dropped() -> None:
    problems = [
        Problem(code, line) for line in range(2, 7) for code in ("bad_date", "unknown_staff")
    ]
    per_code, in_total = ProblemTally(max_per_code=2), ProblemTally(max_kept=3)
    for tally in (per_code, in_total):
        tally.add(problems)
        assert tally.counts == {"bad_date": 5, "unknown_staff": 5}
    assert per_code.problems == problems[:4]
    assert in_total.problems == problems[:3]


def test_errors_are_sorted_before_warnings_and_the_most_frequent_first() -> None:
    counts = {"unknown_staff": 9, "bad_date": 1, "bad_value": 2}
    assert sort_codes(counts) == ["bad_value", "bad_date", "unknown_staff"]


def test_a_group_has_the_texts_of_its_code() -> None:
    group = ProblemGroup("bad_date", 1)
    problem = Problem("bad_date")
    assert (group.severity, group.title, group.fix) == (
        problem.severity,
        problem.definition.title,
        problem.definition.fix,
    )
