"""A data folder of its own for each fault test, and the files of one eventful night."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests import depth
from tests.installations import copied, environment, installed
from tests.prepared import prepared

HEADER = (
    "STUDENT_ID,USERNAME,PASSWORD,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,"
    "ELL,SPECIAL_ED,GROUPS\n"
)
STUDENTS = 60
INSIDE = "tests.faults.inside"
SPARE_STATEMENTS = 10


def row(number: int, **changes: str) -> str:
    values = {
        "student_id": f"{number:05d}",
        "username": f"user{number}",
        "password": f"secret{number}",
        "first_name": f"First{number}",
        "last_name": f"Last{number}",
        "dob": f"01/{number % 28 + 1:02d}/2012",
        "gender": "f",
        "grade": "5",
        "school_id": "100",
        "ell": "n",
        "special_ed": "n",
        "groups": "",
    }
    return ",".join((values | changes).values()) + "\n"


def base() -> str:
    """What is enrolled before the night."""
    return HEADER + "".join(row(number) for number in range(1, STUDENTS + 1))


def eventful_night() -> str:
    """Write a file with transfers, groups, passwords, swaps, duplicates, bad and new rows."""
    changes = {number: {"grade": "6"} for number in range(1, 21)}
    changes |= {number: {"school_id": "200", "groups": "Band&Chess"} for number in range(21, 27)}
    changes |= {27: {"username": "user28"}, 28: {"username": "user27"}}
    changes |= {
        number: {"username": f"user{number + 1 if number < 35 else 30}"} for number in range(30, 36)
    }
    changes |= {number: {"username": f"user{number + 1}"} for number in range(40, 45)} | {
        45: {"username": "freed"}
    }
    changes |= {
        46: {"username": "user47"},
        47: {"username": "user48"},
        48: {"username": "user49x", "dob": "02/30/2012"},
    }
    changes |= {
        50: {"password": "changed50"},
        51: {"grade": "17"},
        52: {"school_id": "999"},
        53: {"student_id": "1.23E+05"},
    }
    rows = [row(number, **changes.get(number, {})) for number in range(1, STUDENTS + 1)]
    rows += [row(54), row(55, grade="9"), row(56, grade="7"), row(56, grade="7")]
    rows += [row(number) for number in range(101, 111)] + [
        row(111, username=""),
        row(112, username="user45"),
    ]
    return HEADER + "".join(rows)


@dataclass
class Folder:
    """A data folder on which processes are let loose."""

    path: Path

    @property
    def environment(self) -> dict[str, str]:
        return environment(self.path, DJANGO_SETTINGS_MODULE="rollbook.settings")

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a task of ``inside.py``; check its exit code, and return what it printed."""
        done = prepared().run(INSIDE, *arguments, environment=self.environment)
        assert done.code == code, done.err
        return done.out

    def dies(self, *arguments: str) -> bool:
        """Run a task that is to die, and return whether it did instead of ending well."""
        done = prepared().run(INSIDE, *arguments, environment=self.environment)
        assert done.code in (0, 137), done.err
        return done.code == 137

    def run_and_kill(self, seconds: float, *arguments: str) -> None:
        """Run a task, and kill it after so many seconds if it still runs."""
        prepared().run(INSIDE, *arguments, environment=self.environment, kill_after_s=seconds)

    def dump(self) -> dict[str, Any]:
        dump: dict[str, Any] = json.loads(self.run("dump"))
        return dump

    def finish(self) -> dict[str, Any]:
        """Do all that is due; returns what that has left behind."""
        dump: dict[str, Any] = json.loads(self.run("finish"))
        return dump

    def copy(self, path: Path) -> "Folder":
        return Folder(copied(self.path, path))


@cache
def enrolled_once() -> Folder:
    """Return the folder of a district with the students of ``base``, to be copied and not used."""
    place = settings.DATA / "enrolled"
    place.mkdir()
    (place / "base.csv").write_text(base(), encoding="utf-8")
    folder = Folder(installed(place / "data"))
    folder.run("make", str(place / "base.csv"))
    folder.run("sweep")
    return folder


def after_deaths_of_a_worker(
    start: Folder, folder: Path, purpose: str, *, daily: int, nightly: int, skips_check: bool = True
) -> Iterator[tuple[int, Folder]]:
    """Yield sampled statements, and a copy of the folder in which a worker died at each of them.

    Args:
        start: The folder in which the worker begins.
        folder: Where to put the copies.
        purpose: What the statements are for, which chooses the samples.
        daily: How many samples a day takes.
        nightly: How many a night takes.
        skips_check: Whether the first third of the statements, the check of all rows, is left out.
    """
    statements = int(start.copy(folder / "counted").run("work_until", "1000000"))
    possible = range(statements // 3 if skips_check else 1, statements)
    for statement in depth.sample(possible, purpose, daily=daily, nightly=nightly):
        yield statement, _after_death(start, folder / str(statement), statement)


def assert_deaths_change_nothing(
    deaths: Iterator[tuple[int, Folder]], expected: dict[str, Any]
) -> None:
    """Finish what each dead worker has left, and check that all is as without its death."""
    for statement, folder in deaths:
        assert folder.finish() == expected, f"after a death at statement {statement}"


def _after_death(start: Folder, place: Path, statement: int) -> Folder:
    """Return a copy of a folder in which a worker died at a statement, or a little before it.

    What is done every few seconds takes statements, too, so a run may have fewer of them than the
    one in which they were counted.
    """
    place.mkdir()
    for reached in range(statement, statement - SPARE_STATEMENTS, -1):
        died = start.copy(place / str(reached))
        if died.dies("work_until", str(reached)):
            return died
    pytest.fail(f"no run of a worker had {statement - SPARE_STATEMENTS} statements")
