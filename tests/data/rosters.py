"""Write the files of a made-up district: those of ``bench/students.py``, and damaged rows.

dirty.csv is nightly.csv with about one row in 200 damaged; ``DirtyLine`` says which and how.
"""

import csv
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import students

VENDOR_SAMPLE = Path(__file__).with_name("vendor-sample.csv")
"""A file of 86 made-up students as another product writes it, with CRLF line ends."""

DAMAGED_SHARE = 0.005

Row = list[str]

_AT = {name: index for index, name in enumerate(students.COLUMNS)}


@dataclass(frozen=True)
class DirtyLine:
    """A line of dirty.csv that has to be rejected, and what is wrong with it."""

    line: int
    reason: str


@dataclass(frozen=True)
class Roster:
    """The files of one district. ``dirty_lines`` lists the damaged lines of dirty.csv in order."""

    files: students.Files
    dirty_lines: tuple[DirtyLine, ...]

    def __getitem__(self, name: str) -> Path:
        """Return the path of ``base``, ``nightly``, ``rollover``, ``schools`` or ``dirty``."""
        return self.files[name]


def write(parent: Path, rows: int, *, seed: int = 1) -> Roster:
    """Write the files of a district with so many students below ``parent``."""
    files = students.write(parent, rows, seed=seed)
    return Roster(files, _write_dirty(files, random.Random(f"{seed} dirty")))


def _write_dirty(files: students.Files, chance: random.Random) -> tuple[DirtyLine, ...]:
    found = []
    with (
        files["nightly"].open(encoding="utf-8", newline="") as nightly,
        files["dirty"].open("w", encoding="utf-8", newline="") as dirty,
    ):
        rows, writer = csv.reader(nightly), csv.writer(dirty, lineterminator="\n")
        writer.writerow(next(rows))
        for line, row in enumerate(rows, start=2):
            if chance.random() < DAMAGED_SHARE:
                reason = chance.choice(list(_DAMAGE))
                _DAMAGE[reason](row)
                found.append(DirtyLine(line, reason))
            writer.writerow(row)
    return tuple(found)


def _set(**values: str) -> Callable[[Row], None]:
    def damage(row: Row) -> None:
        for name, value in values.items():
            row[_AT[name]] = value

    return damage


def _make_unknown(row: Row) -> None:
    """Leave nothing by which the student could be found."""
    row[_AT["STUDENT_ID"]] = "X" + row[_AT["STUDENT_ID"]]
    row[_AT["USERNAME"]] = ""
    row[_AT["FIRST_NAME"]] = "Nobody" + row[_AT["FIRST_NAME"]]


def _cut_cell(row: Row) -> None:
    row.pop()


def _add_cell(row: Row) -> None:
    row.append("extra")


_DAMAGE: dict[str, Callable[[Row], None]] = {
    "unknown student": _make_unknown,
    "impossible date": _set(DOB="02/30/2014"),
    "unknown grade": _set(GRADE="17"),
    "unknown school": _set(SCHOOL_ID="999999"),
    "flag is neither y nor n": _set(ELL="maybe"),
    "scientific notation": _set(STUDENT_ID="1.23E+05"),
    "empty required values": _set(STUDENT_ID="", USERNAME="", FIRST_NAME=""),
    "too few cells": _cut_cell,
    "too many cells": _add_cell,
    "unknown gender": _set(GENDER="maybe"),
}
