"""A row with a problem has it wherever it is among known rows, and in the next file again."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import transaction

from rollbook.districts.models import District
from rollbook.studentfile.reading import scan
from rollbook.updates.checking import check_range, parallel
from rollbook.updates.state_machine import Mode
from tests import depth
from tests.studentfile import test_column_wise
from tests.studentfile.reading.small_lots import make_lots_small
from tests.updates.checking import test_row_checker
from tests.updates.checking.test_row_checker import school
from tests.updates.night import (
    counts,
    dump,
    enroll,
    finish,
    forget,
    known,
    lift_limits,
    run,
    send_bytes,
    stored_problems,
    who_was_where,
)

__all__ = ["school"]

SIZE = 16
HEADER = [*test_column_wise.VALID]
PLACES = (0, SIZE // 2, SIZE)

GOOD = [
    test_column_wise.good_row(
        STUDENT_ID=f"k{number:03}",
        USERNAME=f"k{number:03}u",
        PASSWORD="amber1234",
        LAST_NAME=f"Known{number:03}",
        DOB="2012-05-13",
        SCHOOL_ID="100",
        GROUPS="Band",
        STAFF="",
    )
    for number in range(SIZE)
]
ODD = GOOD[3] | {"STUDENT_ID": "k900", "USERNAME": "k900u", "LAST_NAME": "Known900"}
"""The row of another student, which has the problem."""

SHAPES = {
    "too_few_cells": "k900",
    "too_many_cells": ",".join(["k900"] * 99),
    "bad_quote": 'k900,"a "b" c"' + "," * (len(HEADER) - 2),
    "nul_byte": "k900,a\0" + "," * (len(HEADER) - 2),
}
NOT_HERE = {
    "field_too_long",
    "null_date",
    "ambiguous_date",
    "header_again",
    "other_header",
    "protected_column",
}
"""Problems that these files don't have: they depend on other limits, or on the whole file."""

CODES = sorted({*test_column_wise.CAUSES, *test_row_checker.CAUSES} - NOT_HERE)


def line_of(cells: dict[str, str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([cells.get(name, "") for name in HEADER])
    return text.getvalue().removesuffix("\n")


def odd_lines(code: str) -> list[str]:
    """Return rows with this problem."""
    if code in test_row_checker.CAUSES:
        return [line_of(test_row_checker.CAUSES[code])]
    lines = [line_of(ODD | cells) for cells in test_column_wise.CAUSES[code]]
    return [SHAPES[code]] if code in SHAPES else lines


def file_of(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in (",".join(HEADER), *lines)).encode()


KNOWN = [line_of(cells) for cells in GOOD]


@pytest.fixture
def all_known(school: District, monkeypatch: pytest.MonkeyPatch) -> District:
    """Make lots small, and all of the good rows known."""
    make_lots_small(monkeypatch)
    monkeypatch.setattr(scan, "CHECKPOINT_INTERVAL_BYTES", 1000)
    monkeypatch.setattr(check_range, "MAX_UNKNOWN", 3)
    monkeypatch.setattr(parallel, "MIN_RANGES", 1_000_000)
    lift_limits(school)
    enroll(school, file_of([*KNOWN, line_of(ODD)]).decode())
    assert counts(run(school, file_of(KNOWN).decode())) == {"unchanged": SIZE}
    assert len(known(school)) == SIZE + 1
    return school


def nights(district: District, files: Sequence[bytes], mode: Mode, *, knows: bool) -> list[Any]:
    """Return all results of some files in a row, which are undone."""
    found = []
    with transaction.atomic():
        for file in files:
            if not knows:
                forget(district)
            update = send_bytes(district, file, mode).update
            report = counts(finish(update))
            problems = stored_problems(update)
            found.append((report, problems, dump(district), who_was_where(update)))
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("code", depth.sample(CODES, "problems among known rows", daily=4))
def test_a_problem_is_found_at_the_first_the_middle_and_the_last_row(
    all_known: District, code: str
) -> None:
    found = []
    for mode in (Mode.UPDATE, Mode.ADD):
        for odd in odd_lines(code):
            for place in PLACES:
                file = file_of([*KNOWN[:place], odd, *KNOWN[place:]])
                files = [file, file, file_of(KNOWN)]
                by_manifest = nights(all_known, files, mode, knows=True)
                assert by_manifest == nights(all_known, files, mode, knows=False)
                _, problems, *_ = by_manifest[0]
                found += [problem for problem in problems if problem.line == place + 2]
    assert found
