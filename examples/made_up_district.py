"""Generate a fictional district: schools and any number of students, the same for the same seed.

``python examples/made_up_district.py FOLDER [STUDENTS]`` writes schools.csv and base.csv.
"""

import csv
import random
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

COLUMNS = (
    "STUDENT_ID",
    "FIRST_NAME",
    "LAST_NAME",
    "DOB",
    "GENDER",
    "GRADE",
    "SCHOOL_ID",
    "ELL",
    "SPECIAL_ED",
)
SCHOOLS = {
    "100": "Maple Elementary",
    "110": "Brookside Elementary",
    "120": "Hill Street Elementary",
    "200": "Maple Middle School",
    "300": "Maple High School",
}
DEFAULT_STUDENTS = 2_000

_ELEMENTARY = {"100", "110", "120"}
_LOWEST_GRADE = {"100": 0, "110": 0, "120": 0, "200": 6, "300": 9}  # by school; 0 is k
_GRADE_COUNT = {"100": 6, "110": 6, "120": 6, "200": 3, "300": 4}
_TRANSFERRED, _CHANGED, _INVALID = 12, 71, 3  # rows of a nightly file


def _words(*lines: str) -> list[str]:
    return " ".join(lines).split()


_FIRST_NAMES = _words(
    "Ada Amir Ana Ben Bao Cara Chidi Dana Diego Elif Emil Fatima Finn Grace Hana Hugo Ines Ivan",
    "Jade Jonas Kai Keiko Lena Luis Maya Milan Nadia Noah Olga Omar Pia Quinn Rosa Ravi Sara Sven",
    "Tara Tomas Uma Vera Viet Wanda Yara Zoe",
)
_NAME_PREFIXES = _words(
    "Ash Birch Brook Clay Dale East Fern Glen Hazel Iron Lake Marsh North Oak Pine River Stone West"
)
_NAME_SUFFIXES = _words(
    "by bridge croft field ford gate ham hill land ley more stead ton wall ward well wood worth"
)


@dataclass(frozen=True)
class Student:
    """One row of a student file."""

    student_id: str
    first_name: str
    last_name: str
    dob: date
    gender: str
    grade: str
    school_id: str
    ell: str
    special_ed: str
    overrides: dict[str, str] = field(default_factory=dict)
    """Cells by column that replace the values above, to make a row invalid."""

    def cells(self) -> list[str]:
        """Return the cells in the order of ``COLUMNS``."""
        values = (
            self.student_id,
            self.first_name,
            self.last_name,
            f"{self.dob:%m/%d/%Y}",
            self.gender,
            self.grade,
            self.school_id,
            self.ell,
            self.special_ed,
        )
        by_column = dict(zip(COLUMNS, values, strict=True))
        return list((by_column | self.overrides).values())


def students(
    count: int, *, first: int = 1, seed: int = 1, today: date | None = None
) -> Iterator[Student]:
    """Generate students with consecutive IDs; no two share names and date of birth.

    Args:
        count: How many.
        first: The first ID. Each value has last names of its own, so that students of a later call
            are never mistaken for earlier ones.
        seed: Same seed, same students.
        today: The date that ages are based on; the current one if omitted.
    """
    rng = random.Random(f"{seed}/{first}")
    this_year = (today or date.today()).year  # noqa: DTZ011 - any zone will do
    taken: set[tuple[str, str, date]] = set()
    for number in range(first, first + count):
        school_id = rng.choice(list(SCHOOLS))
        grade = _LOWEST_GRADE[school_id] + rng.randrange(_GRADE_COUNT[school_id])
        first_name, last_name, dob = _unused_identity(rng, this_year - 6 - grade, taken)
        if first != 1:
            last_name = f"{last_name}-{rng.choice(_NAME_PREFIXES)}"
        yield Student(
            student_id=f"{number:06}",
            first_name=first_name,
            last_name=last_name,
            dob=dob,
            gender=rng.choice("ffmmx"),
            grade=str(grade or "k"),
            school_id=school_id,
            ell=_yes_or_no(rng, 0.1),
            special_ed=_yes_or_no(rng, 0.12),
        )


@dataclass(frozen=True)
class Night:
    """A nightly student file and the expected results of its update."""

    students: list[Student]
    updated: int
    rejected: int
    transferred: Student


def night(base: Iterable[Student], *, seed: int = 1) -> Night:
    """Return the next night's file: most rows are unchanged, some changed, three are invalid."""
    tonight = list(base)
    count = _TRANSFERRED + _CHANGED + _INVALID
    rows = random.Random(seed).sample(range(len(tonight)), count)
    rows.sort(key=lambda row: tonight[row].school_id not in _ELEMENTARY)
    transferred, rest = rows[:_TRANSFERRED], rows[_TRANSFERRED:]
    changed, invalid = rest[:_CHANGED], rest[_CHANGED:]
    for row in transferred:
        tonight[row] = replace(tonight[row], school_id=_other_elementary(tonight[row].school_id))
    for row in changed:
        tonight[row] = replace(tonight[row], ell=_opposite(tonight[row].ell))
    errors = ({"DOB": "2/30/2015"}, {"SCHOOL_ID": "999"}, {"STUDENT_ID": "1.23E+05"})
    for row, error in zip(invalid, errors, strict=True):
        tonight[row] = replace(tonight[row], overrides=error)
    return Night(
        students=tonight,
        updated=_TRANSFERRED + _CHANGED,
        rejected=_INVALID,
        transferred=tonight[transferred[0]],
    )


def write(path: Path, rows: Iterable[Student]) -> None:
    """Write a student file."""
    _write(path, COLUMNS, (student.cells() for student in rows))


def write_schools(path: Path) -> None:
    """Write a file for ``rollbook school load``."""
    _write(path, ("SCHOOL_ID", "NAME"), (list(school) for school in SCHOOLS.items()))


def main() -> None:
    """Write schools.csv and base.csv into the folder named on the command line."""
    folder = Path(sys.argv[1])
    count = DEFAULT_STUDENTS
    if len(sys.argv) > 2:
        count = int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    write_schools(folder / "schools.csv")
    write(folder / "base.csv", students(count))


def _unused_identity(
    rng: random.Random, birth_year: int, taken: set[tuple[str, str, date]]
) -> tuple[str, str, date]:
    """Return first name, last name and date of birth that are not in ``taken``, and add them."""
    while True:
        dob = date(birth_year, 1, 1) + timedelta(rng.randrange(365))
        first_name = rng.choice(_FIRST_NAMES)
        last_name = rng.choice(_NAME_PREFIXES) + rng.choice(_NAME_SUFFIXES)
        if (first_name, last_name, dob) not in taken:
            taken.add((first_name, last_name, dob))
            return first_name, last_name, dob


def _yes_or_no(rng: random.Random, probability: float) -> str:
    return "y" if rng.random() < probability else "n"


def _other_elementary(school_id: str) -> str:
    return "120" if school_id == "110" else "110"


def _opposite(flag: str) -> str:
    return "n" if flag == "y" else "y"


def _write(path: Path, header: Iterable[str], rows: Iterable[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
