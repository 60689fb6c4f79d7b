"""Random updates are undone, and all is as before; what has changed since stays as it is."""

from random import Random

import pytest

from rollbook.districts.models import District
from rollbook.updates.state_machine import Mode
from tests import depth
from tests.updates.night import Values, a_class, column_of, enroll, lift_limits, run, students
from tests.updates.undoing.undoing import undo

SIZE, DAILY, NIGHTLY = 12, 3, 60
CHOICES = {
    "LAST_NAME": ("", "Smith", "Jones", "Núñez"),
    "GRADE": ("3", "4", "5"),
    "RACE": ("", "a", "b", "<clear>"),
    "MIDDLE_INITIAL": ("", "Q", "X", "<clear>"),
    "CLASSIFICATIONS": ("", "gifted", "artist&gifted", "<clear>"),
    "PARENT_EMAIL_1": ("", "pat@example.org", "kim@example.org"),
    "STATUS": ("", "active", "inactive"),
}
LINKS = {
    "SCHOOL_ID": ("", "100", "200"),
    "GROUPS": ("", "Band", "Art&Band", "Default"),
}
NUMBERS = depth.sample(range(NIGHTLY), "random updates", daily=DAILY, nightly=NIGHTLY)


def file_of(district: District, chance: Random, choices: dict[str, tuple[str, ...]]) -> str:
    """Return a file that changes values of some students, who exchange their usernames."""
    known = column_of(district, "USERNAME")
    keys = chance.sample(sorted(known), chance.randint(1, SIZE))
    usernames = [known[key] for key in keys]
    chance.shuffle(usernames)
    rows = []
    for key, username in zip(keys, usernames, strict=True):
        cells = [chance.choice(values) for values in choices.values()]
        rows.append(",".join([key, username, *cells]))
    return "\n".join([",".join(["STUDENT_ID", "USERNAME", *choices]), *rows])


@pytest.fixture
def district(maple: District) -> District:
    """Return a district with students, without limits."""
    lift_limits(maple)
    enroll(maple, a_class(SIZE))
    return maple


@pytest.mark.parametrize("number", NUMBERS)
def test_a_random_update_and_its_undo_change_nothing(district: District, number: int) -> None:
    chance = Random(f"{depth.SEED} {number}")
    run(district, file_of(district, chance, CHOICES | LINKS))
    before = students(district)
    if chance.random() < 0.5:
        run(district, file_of(district, chance, CHOICES | LINKS | {"GRADE": ("7",)}))
    else:
        run(district, a_class(SIZE + 2, GRADE="7", SCHOOL_ID="200"), Mode.ADD)
    after = students(district)
    done = undo(district, 3)
    assert done.rejected == 0, done.groups
    undone = students(district)
    for key in undone.keys() - before.keys():
        assert undone.pop(key)["STATUS"] == "inactive"
    assert undone == before
    assert undo(district, 4).rejected == 0
    assert students(district) == after


@pytest.mark.parametrize("number", NUMBERS)
def test_what_has_changed_since_stays(district: District, number: int) -> None:
    chance = Random(f"{depth.SEED} since {number}")
    states = [students(district)]
    for _ in range(2):
        run(district, file_of(district, chance, CHOICES).replace("USERNAME", "OLD_USERNAME"))
        states.append(students(district))
    undo(district, 2)
    old, new, now = states
    expected = {key: _expected(old[key], new[key], now[key]) for key in now}
    assert students(district) == expected


def _expected(old: Values, new: Values, now: Values) -> Values:
    """Return what a student is after the undo of what made the new values of the old ones."""
    expected = dict(now)
    for column in old.keys() | new.keys():
        was, became = old.get(column, ""), new.get(column, "")
        if was != became and now.get(column, "") == became:
            expected[column] = was
    return {column: value for column, value in expected.items() if value}
