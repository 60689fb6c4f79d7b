"""The operators' pages, served by the real command over a district that has been lived in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.endtoend.conftest import LOGIN, Rollbook
from tests.installations import copied, execute
from tests.patience import TIMEOUT_S
from tests.prepared import prepared, read_lines

BASE = """STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,ELL,SPECIAL_ED,PASSWORD
0001,Zuzanna,Quill,5/13/2014,f,4,100,n,n,a very secret word
"""


@dataclass
class Operators:
    """The pages that the command serves, and its secret."""

    url: str
    secret: str
    data: Path


@pytest.fixture(scope="module")
def lived_in(two_districts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Maple USD with a student, an update, an invited member and their letters."""
    rollbook = Rollbook(copied(two_districts, tmp_path_factory.mktemp("lived") / "data"))
    file = rollbook.data.parent / "base.csv"
    file.write_text(BASE, encoding="utf-8")
    rollbook.run("student", "load", "maple-usd", str(file))
    rollbook.run("district", "set", "maple-usd", "--notify", LOGIN)
    who = ("--first", "Noa", "--last", "Park", "--role", "district manager")
    rollbook.run("staff", "add", "maple-usd", "noa@maple.example", *who)
    update = execute(rollbook.data, "SELECT id FROM updates_updatejob")[0][0]
    member = execute(rollbook.data, f"SELECT id FROM accounts_member WHERE email = '{LOGIN}'")[0][0]
    execute(
        rollbook.data,
        "INSERT INTO updates_resultmail (update_id, member_id, queued_at, attempts, last_error)"
        f" VALUES ({update}, {member}, '2026-11-24 00:00:00+00:00', 1, '550 no such box')",
    )
    execute(
        rollbook.data,
        "INSERT INTO accounts_auditseal"
        " (number, events, at, digest, removed_events, remaining_digest)"
        " VALUES (1, 0, '2026-11-24 00:00:00+00:00', '', 0, '')",
    )
    return rollbook.data


@pytest.fixture
def operators(lived_in: Path, tmp_path: Path) -> Iterator[Operators]:
    data = copied(lived_in, tmp_path / "data")
    rollbook = Rollbook(data)
    output, errors = tmp_path / "stdout", tmp_path / "stderr"
    words = ("rollbook", "admin", "--port", "0")
    process = prepared().start(
        *words, environment=rollbook.environment, stdout=output, stderr=errors
    )
    try:
        lines = read_lines(process, output, 2)
        found = re.fullmatch(r".* at (https://localhost:\d+)/ until .*\n.*once: (\S+)\n", lines)
        assert found, errors.read_text()
        yield Operators(found[1], found[2], data)
        process.terminate()
        assert process.wait(TIMEOUT_S) == 0
    finally:
        process.kill()
        process.wait()
