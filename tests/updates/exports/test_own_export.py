"""For any file: uploading Rollbook's own export of what it made of the file changes nothing."""

import csv
import io
import random

import pytest

from rollbook.cli.actions.student import EXPORTED_COLUMNS, _rows
from rollbook.districts.models import District
from rollbook.studentfile import writer
from rollbook.students import snapshots
from rollbook.updates.state_machine import Mode, State
from tests import depth
from tests.studentfile.values.real_names import NAMES
from tests.updates.night import counts, dump, finish, problems, send_bytes

ROWS = 60
CELLS: dict[str, list[str]] = {
    "STUDENT_ID": [
        *("", "", "00001", "1", "A1", "a1", "007", "12.0", "1E+05", "x-y_z.9", "=1", "'00042"),
        "3f2c9a10-5b7d-4e21-9c33-0a1b2c3d4e5f",
        *(f"s{number}" for number in range(80)),
    ],
    "USERNAME": ["", "", "", "Ana", "ana", "zoë", "o'neil", "-x", *(f"u{i}" for i in range(60))],
    "FIRST_NAME": [*NAMES, "-", "FNU", "Jos?", "JosÃ©", "(null)", "=cmd", "+Ana", "null"],
    "LAST_NAME": [*NAMES, "-", ".", "LNU", "", "Pe&ntilde;a", "N/A", "@x", "'Aziz", "Null"],
    "MIDDLE_INITIAL": ["", "m", "É", "Mary", "-", "12", "<clear>"],
    "DOB": [
        *("05/13/2014", "2014-05-13", "20140513", "13/05/2014", "5/6/2013", "06/05/2013"),
        *("14-May-2014", "1900-01-01", "1950-02-03", "2/30/2015", "12/21/01", "41772", ""),
    ],
    "GENDER": ["f", "M", "x", "Nonbinary", "q"],
    "GRADE": ["k", "KG", "pk", "4", "04", "4th", "Senior", "adult", "t1", "13th", "UG", "99", "-1"],
    "SCHOOL_ID": ["100", "200", "100", "200", "0100", "999"],
    "ELL": ["y", "n", "TRUE", "0", "maybe"],
    "SPECIAL_ED": ["y", "n", "Yes"],
    "TITLE_1": ["", "y", "perhaps", "NULL", "<clear>"],
    "RACE": ["", "WH", "white", "Two or More Races", "W", "<clear>"],
    "CLASSIFICATIONS": ["", "Dyslexia", "Autism & Dyslexia", "Asperger’s Syndrome", "Gifted"],
    "PARENT_EMAIL_1": ["", "A@B.example", "none", "a@b.example;c@d.example"],
    "ADDITIONAL_INFO_1": [
        *("", "12 Elm St, Apt 4", 'a "quote"', "line\nbreak", "tab\tbed", "=SUM(A1)", "-5", "'x"),
        *(" spaces ", "NULL", "{[x]}", "a&b;c|d", "caf\u00e9", "cafe\u0301", "x\u00a0"),
    ],
    "GROUPS": [
        *("", "Blue", "Red&Blue", "R&&D", "Red;Blue", "Red | Blue", "a;b&", "Arts & Crafts"),
        *("<clear>", "Default", "blue", "3-May", "-", "=x", "Café", "&&", "O&&M&Blue"),
    ],
    "STATUS": ["", "active", "inactive", "INACTIVE", "gone"],
}


@pytest.mark.parametrize("number", range(depth.choose(daily=12, nightly=200)))
def test_our_own_export_changes_nothing(maple: District, number: int) -> None:
    chance = depth.generator(f"own export {number}")
    finish(send_bytes(maple, messy_file(chance), Mode.ADD).update)
    before = dump(maple)
    assert len(before) > 3
    update = send_bytes(maple, export(maple)).update
    result = finish(update)
    assert result.state is State.COMPLETED, result.refusal
    assert counts(result) == {"unchanged": len(before)}, problems(update)
    assert dump(maple) == before


def messy_file(chance: random.Random) -> bytes:
    """Return a file with good and bad cells; every second one has some columns only."""
    optional = [column for column in CELLS if chance.random() < 0.7 or column in _ALWAYS]
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(optional)
    for _ in range(ROWS):
        rows.writerow([_cell(column, chance) for column in optional])
    return text.getvalue().encode()


_ALWAYS = ("FIRST_NAME", "LAST_NAME", "DOB", "GENDER", "GRADE", "SCHOOL_ID", "ELL", "SPECIAL_ED")


def _cell(column: str, chance: random.Random) -> str:
    """Return a cell of the column; most are among the first, which are good."""
    cells = CELLS[column]
    if column in ("GENDER", "GRADE", "SCHOOL_ID", "ELL", "DOB") and chance.random() < 0.9:
        return chance.choice(cells[:2])
    return chance.choice(cells)


def export(district: District) -> bytes:
    text = io.StringIO(newline="")
    students = snapshots.list_district(district.pk)
    writer.write(text, EXPORTED_COLUMNS, _rows(district, students))
    return text.getvalue().encode()
