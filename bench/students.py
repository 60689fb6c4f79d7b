"""Generates fictional students as an SIS exports them, the same for the same rows and seed.

Each district has three student files, sorted by STUDENT_ID or by school: base.csv with the enrolled
students; nightly.csv, the same with one cell changed in one percent of the rows; rollover.csv, the
same with another GRADE in every row.
"""

import csv
import random
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import _csv


def _words(text: str) -> list[str]:
    return text.split()


COLUMNS = _words(
    "STUDENT_ID USERNAME PASSWORD FIRST_NAME MIDDLE_INITIAL LAST_NAME DOB GENDER GRADE SCHOOL_ID "
    "ELL SPECIAL_ED TITLE_1 MIGRANT RACE PARENT_EMAIL_1 ADDITIONAL_INFO_1 GROUPS"
)
CHANGING = (
    "GRADE",
    "SCHOOL_ID",
    "LAST_NAME",
    "USERNAME",
    "PASSWORD",
    "ELL",
    "ADDITIONAL_INFO_1",
    "GROUPS",
)
"""What a night changes; each of its changed rows has another value in one of these."""

Row = list[str]

_FIRST_NAMES = _words(
    "Ada Amir Ana André Bao Ben Cara Chidi Dana Diego Elif Emil Fatima Finn Grace Hana Hugo Inés "
    "Ivan Jade Jonas Kai Keiko Lena Luis Maya Milan Nadia Noah Olga Omar Pia Quinn Ravi Rosa Sara "
    "Sofía Sven Tara Tomas Uma Vera Viet Wanda Yara Zoe Zoë"
)
_BEGINNINGS = _words(
    "Ash Birch Brook Clay Dale East Fern Glen Hazel Iron Juniper King Lake Marsh North Oak Pine "
    "Quarry River Stone Thorn Under Vale West Yew"
)
_ENDINGS = _words(
    "bridge brook by croft dale field ford gate grove ham hill hurst land ley mead more ridge shaw "
    "side stead ton wall ward well wick wood worth"
)
_LAST_NAMES = [
    "O'Brien",
    "Smith, Jr.",
    "Muñoz",
    *(begin + end for begin in _BEGINNINGS for end in _ENDINGS),
]
_GRADES = ("pk", "k", *(str(grade) for grade in range(1, 13)), "adult")
_RACES = ("AB", "AI", "AS", "BL", "HI", "PI", "OT", "WH")
_SECRETS = _words(
    "amber birch cedar delta ember fjord glade heron ivory juno koala lemon maple north olive pearl"
)
_CLUBS = ("Band", "Chess", "Choir", "Robotics")
_SCHOOL_YEAR = 2025
_STUDENTS_A_SCHOOL = 600
_STEP = 7  # student IDs are not dense
_STRIDE = 1_000_003  # a prime: walking through all names and birth dates by it meets each once
_SCATTER = (
    2_654_435_761  # a prime: the same with the places of the IDs, far from one row to the next
)
_AT = {name: index for index, name in enumerate(COLUMNS)}


@dataclass(frozen=True)
class Files:
    """A district's files: ``base``, ``nightly``, ``rollover`` and ``schools``."""

    folder: Path
    rows: int

    def __getitem__(self, name: str) -> Path:
        """The path of one of them."""
        return self.folder / f"{name}.csv"

    def differing(self, one: str, other: str) -> int:
        """How many rows differ between two of the student files. No cell has a line break in it."""
        if one == other:
            return 0
        with self[one].open("rb") as these, self[other].open("rb") as those:
            return sum(this != that for this, that in zip(these, those, strict=True))


def write(parent: Path, rows: int, *, seed: int = 1, order: str = "id") -> Files:
    """Write the files of this many students below ``parent``, or reuse those of an earlier call."""
    folder = parent / f"students-{rows}-{seed}-by-{order}"

    def write_files(begun: Path) -> None:
        _write_schools(begun / "schools.csv", rows)
        _write_students(begun, rows, seed, order)

    write_once(folder, write_files)
    return Files(folder, rows)


def write_once(folder: Path, write_files: Callable[[Path], None]) -> None:
    """Write the files of a folder, unless an earlier call has; a folder is complete or isn't there.

    Args:
        folder: The folder.
        write_files: Writes all of its files into the folder that it's called with.
    """
    if not folder.exists():
        begun = folder.with_suffix(".begun")
        begun.mkdir(parents=True, exist_ok=True)
        write_files(begun)
        begun.rename(folder)


def schools(rows: int) -> list[str]:
    """The organization IDs of a district with so many students."""
    return [str(100_000 + 37 * number) for number in range(max(3, rows // _STUDENTS_A_SCHOOL))]


def students(rows: int, seed: int = 1, order: str = "id") -> Iterator[Row]:
    """The rows of base.csv. No two have the same ID, username, or names with date of birth.

    In the order ``id`` the IDs ascend; in the order ``school`` only the schools do.
    """
    chance = random.Random(seed)
    places = schools(rows)
    slugs = [_ascii(name) for name in _LAST_NAMES]
    days = [date(_SCHOOL_YEAR - 18, 9, 1) + timedelta(day) for day in range(14 * 365)]
    births = [f"{day:%m/%d/%Y}" for day in days]
    people = len(_FIRST_NAMES) * len(_LAST_NAMES) * len(births)
    who = chance.randrange(people)
    for number in range(rows):
        who = (who + _STRIDE) % people
        rest, day = divmod(who, len(births))
        last, first = divmod(rest, len(_FIRST_NAMES))
        luck = chance.getrandbits(64)
        enrolled = number * _SCATTER % rows if order == "school" else number
        place = number * len(places) // rows if order == "school" else luck >> 27 & 0xFFFF
        key = 10_000 + enrolled * _STEP + luck % _STEP
        yield [
            f"{key:08}",
            f"{slugs[last]}{key}",
            f"{_SECRETS[luck >> 3 & 15]}{luck >> 7 & 8191:04}",
            _FIRST_NAMES[first],
            "ABCDEFGHJKLMNPRS"[luck >> 20 & 15] if luck >> 24 & 3 == 0 else "",
            _LAST_NAMES[last],
            births[day],
            "fm"[luck >> 26 & 1],
            _GRADES[13 - day // 365],
            places[place % len(places)],
            "ny"[luck >> 43 & 7 == 0],
            "ny"[luck >> 46 & 7 == 0],
            "ny"[luck >> 49 & 3 == 0],
            "n",
            _RACES[luck >> 51 & 7],
            f"parent{key}@mail.example.com",
            f"bus {luck >> 54 & 63}",
            f"Homeroom {(luck >> 60) + 1}"
            if luck & 8
            else f"Homeroom {(luck >> 60) + 1}&{_CLUBS[luck >> 60 & 3]}",
        ]


def next_night(row: Row, column: str, places: list[str]) -> Row:
    """The row with another value in this one of the changing columns."""
    changed = list(row)
    at = _AT[column]
    changed[at] = _NIGHT[column](row[at], places)
    return changed


def next_year(row: Row) -> Row:
    """The row with the next grade."""
    changed = list(row)
    at = _AT["GRADE"]
    changed[at] = _GRADES[_GRADES.index(row[at]) + 1]
    return changed


_NIGHT: dict[str, Callable[[str, list[str]], str]] = {
    "GRADE": lambda value, places: _GRADES[_GRADES.index(value) + 1],
    "SCHOOL_ID": lambda value, places: places[(places.index(value) + 1) % len(places)],
    "LAST_NAME": lambda value, places: f"{value}-Lindqvist",
    "USERNAME": lambda value, places: f"{value}x",
    "PASSWORD": lambda value, places: f"{value}q",
    "ELL": lambda value, places: "n" if value == "y" else "y",
    "ADDITIONAL_INFO_1": lambda value, places: f"{value} east",
    "GROUPS": lambda value, places: f"{value}&Tutoring",
}


def _write_students(folder: Path, rows: int, seed: int, order: str) -> None:
    places = schools(rows)
    tonight = set(random.Random(f"{seed} tonight").sample(range(rows), max(1, rows // 100)))
    with ExitStack() as stack:
        base, nightly, rollover = (
            _writer(stack, folder / f"{name}.csv") for name in ("base", "nightly", "rollover")
        )
        for number, row in enumerate(students(rows, seed, order)):
            base.writerow(row)
            rollover.writerow(next_year(row))
            nightly.writerow(
                next_night(row, CHANGING[number % len(CHANGING)], places)
                if number in tonight
                else row
            )


def _writer(stack: ExitStack, path: Path) -> "_csv.Writer":
    writer = csv.writer(
        stack.enter_context(path.open("w", encoding="utf-8", newline="")), lineterminator="\n"
    )
    writer.writerow(COLUMNS)
    return writer


def _write_schools(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("SCHOOL_ID", "NAME"))
        writer.writerows((key, f"School {key}") for key in schools(rows))


def _ascii(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name.lower())
    return "".join(letter for letter in folded if letter.isascii() and letter.isalpha())
