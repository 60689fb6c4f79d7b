"""A made-up district: schools and as many students as you like, nobody of whom exists; the same for the same seed.

python examples/made_up_district.py FOLDER [STUDENTS]    writes schools.csv and base.csv
"""

import csv
import random
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

COLUMNS = ("STUDENT_ID", "FIRST_NAME", "LAST_NAME", "DOB", "GENDER", "GRADE", "SCHOOL_ID", "ELL", "SPECIAL_ED")
SCHOOLS = {
    "100": "Maple Elementary",
    "110": "Brookside Elementary",
    "120": "Hill Street Elementary",
    "200": "Maple Middle School",
    "300": "Maple High School",
}
_ELEMENTARY = {"100", "110", "120"}
_FIRST_GRADES = {"100": 0, "110": 0, "120": 0, "200": 6, "300": 9}  # the lowest grade of each school, 0 is k
_GRADES = {"100": 6, "110": 6, "120": 6, "200": 3, "300": 4}  # how many it has


def _words(text: str) -> list[str]:
    return text.split()


_FIRST = _words(
    "Ada Amir Ana Ben Bao Cara Chidi Dana Diego Elif Emil Fatima Finn Grace Hana Hugo Ines Ivan Jade Jonas Kai Keiko "
    "Lena Luis Maya Milan Nadia Noah Olga Omar Pia Quinn Rosa Ravi Sara Sven Tara Tomas Uma Vera Viet Wanda Yara Zoe"
)
_BEGINNINGS = _words("Ash Birch Brook Clay Dale East Fern Glen Hazel Iron Lake Marsh North Oak Pine River Stone West")
_ENDINGS = _words("by bridge croft field ford gate ham hill land ley more stead ton wall ward well wood worth")


@dataclass(frozen=True)
class Student:
    """One row of a student file."""

    student_id: str
    first_name: str
    last_name: str
    born: date
    gender: str
    grade: str
    school_id: str
    ell: str
    special_ed: str
    also: dict[str, str] = field(default_factory=dict)  # cells that say something else than the fields above

    def cells(self) -> list[str]:
        """As the file writes them."""
        values = dict(
            zip(
                COLUMNS,
                (
                    self.student_id,
                    self.first_name,
                    self.last_name,
                    f"{self.born:%m/%d/%Y}",
                    self.gender,
                    self.grade,
                    self.school_id,
                    self.ell,
                    self.special_ed,
                ),
                strict=True,
            )
        )
        return list((values | self.also).values())


def students(count: int, *, first: int = 1, seed: int = 1, today: date | None = None) -> Iterator[Student]:
    """So many students, whose IDs count up from ``first``; no two have the same names and date of birth.

    Different ``first`` give different last names, so that later students never meet earlier ones.
    """
    chance = random.Random(f"{seed}/{first}")
    this_year = (today or date.today()).year  # noqa: DTZ011 - ages are about right, wherever this runs
    taken = set()
    for number in range(first, first + count):
        school = chance.choice(list(SCHOOLS))
        grade = _FIRST_GRADES[school] + chance.randrange(_GRADES[school])
        while True:
            born = date(this_year - 6 - grade, 1, 1) + timedelta(chance.randrange(365))
            name = chance.choice(_FIRST), chance.choice(_BEGINNINGS) + chance.choice(_ENDINGS)
            if (*name, born) not in taken:
                break
        taken.add((*name, born))
        last_name = name[1] if first == 1 else f"{name[1]}-{chance.choice(_BEGINNINGS)}"
        yield Student(
            f"{number:06}",
            name[0],
            last_name,
            born,
            chance.choice("ffmmx"),
            str(grade) if grade else "k",
            school,
            "y" if chance.random() < 0.1 else "n",
            "y" if chance.random() < 0.12 else "n",
        )


@dataclass(frozen=True)
class Night:
    """A nightly file, and what must become of it."""

    students: list[Student]
    updated: int
    rejected: int
    transferred: Student


def night(base: Iterable[Student], *, seed: int = 1) -> Night:
    """The next night's file: most rows are as before, some students changed, three rows are wrong."""
    tonight = list(base)
    places = random.Random(seed).sample(range(len(tonight)), 83 + 3)
    places.sort(key=lambda place: tonight[place].school_id not in _ELEMENTARY)
    transfers, others, wrong = places[:12], places[12:83], places[83:]
    for place in transfers:
        old = tonight[place]
        tonight[place] = replace(old, school_id="120" if old.school_id == "110" else "110")
    for place in others:
        old = tonight[place]
        tonight[place] = replace(old, ell="n" if old.ell == "y" else "y")
    faults = ({"DOB": "2/30/2015"}, {"SCHOOL_ID": "999"}, {"STUDENT_ID": "1.23E+05"})
    for place, fault in zip(wrong, faults, strict=True):
        tonight[place] = replace(tonight[place], also=fault)
    return Night(tonight, len(transfers) + len(others), len(wrong), tonight[transfers[0]])


def write(path: Path, rows: Iterable[Student]) -> None:
    """A student file."""
    _write(path, COLUMNS, (student.cells() for student in rows))


def write_schools(path: Path) -> None:
    """The file for ``rollbook school load``."""
    _write(path, ("SCHOOL_ID", "NAME"), ([key, name] for key, name in SCHOOLS.items()))


def _write(path: Path, header: Iterable[str], rows: Iterable[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write_schools(folder / "schools.csv")
    write(folder / "base.csv", students(int(sys.argv[2]) if len(sys.argv) > 2 else 2000))
