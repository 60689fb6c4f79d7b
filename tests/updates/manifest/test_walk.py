"""The walk along two files finds what a dict would find, whatever is changed, moved or repeated."""

import random
from array import array
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.updates.manifest import walk
from rollbook.updates.manifest.student_arrays import NO_STUDENT
from rollbook.updates.manifest.walk import WINDOW, Walk

SMALLEST, LARGEST = -(1 << 63), (1 << 63) - 1

few = st.integers(0, 12) | st.sampled_from([SMALLEST, -1, LARGEST])
files = st.lists(few, max_size=40) | st.lists(st.integers(SMALLEST, LARGEST), max_size=40)
batch_sizes = st.integers(1, 50)


@pytest.fixture(params=[2, 3, WINDOW], autouse=True)
def window(request: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """Use small windows, so that small files leave them."""
    size: int = request.param
    monkeypatch.setattr(walk, "WINDOW", size)
    return size


def find(old: Sequence[int], new: Sequence[int], batch: int = 10_000) -> list[int]:
    """Return the student of each record of the new file; the student of the first old one is 1."""
    walking = Walk(array("q", old), array("q", range(1, len(old) + 1)))
    found: list[int] = []
    for first in range(0, len(new), batch):
        part = array("q", new[first : first + batch])
        students = walking.find(part)
        assert len(students) == len(part)
        found += students
    return found


def expected(old: Sequence[int], new: Sequence[int]) -> list[set[int]]:
    """Return the students whom each record of the new file may have, by a dict."""
    students: dict[int, set[int]] = {}
    for student, fingerprint in enumerate(old, start=1):
        students.setdefault(fingerprint, set()).add(student)
    return [students.get(fingerprint, {NO_STUDENT}) for fingerprint in new]


@pytest.mark.usefixtures("window")
@given(files, files, batch_sizes)
def test_whatever_is_found_is_what_a_dict_finds(old: list[int], new: list[int], batch: int) -> None:
    for found, allowed in zip(find(old, new, batch), expected(old, new), strict=True):
        assert found in allowed | {NO_STUDENT}


@given(st.data(), st.lists(st.integers(SMALLEST, LARGEST), unique=True, max_size=60))
def test_rows_that_stay_in_order_are_found(data: st.DataObject, old: list[int]) -> None:
    """But for the last ones of a batch, where a window doesn't show yet where they are."""
    edits = st.sampled_from(["same", "same", "same", "changed", "removed", "inserted before"])
    new: list[int] = []
    for fingerprint in old:
        edit = data.draw(edits)
        if edit == "inserted before":
            new.append(fingerprint ^ 1)
        if edit != "removed":
            new.append(fingerprint ^ 2 if edit == "changed" else fingerprint)
    known = set(old)
    missing = [
        fingerprint
        for fingerprint, student in zip(new, find(old, new), strict=True)
        if student == NO_STUDENT and fingerprint in known
    ]
    assert len(missing) < walk.WINDOW


def numbers(count: int, seed: int = 1) -> list[int]:
    spread = random.Random(seed)
    return [spread.randrange(SMALLEST, LARGEST) for _ in range(count)]


OLD = numbers(2000)
ORDERS = {
    "the same": (OLD, 0),
    "empty": ([], 0),
    "one changed": ([*OLD[:700], 5, *OLD[701:]], 1),
    "the first changed": ([5, *OLD[1:]], 1),
    "the last changed": ([*OLD[:-1], 5], 1),
    "one inserted": ([*OLD[:700], 5, *OLD[700:]], 1),
    "one removed": ([*OLD[:700], *OLD[701:]], 0),
    "many inserted": ([*OLD[:700], *numbers(500, 2), *OLD[700:]], 500),
    "many removed": ([*OLD[:300], *OLD[1300:]], 0),
    "many appended": ([*OLD, *numbers(500, 2)], 500),
    "the second half first": ([*OLD[1000:], *OLD[:1000]], 0),
    "repeated": ([*OLD, *OLD], 2000),
    "another file": (numbers(3000, 3), 3000),
    "neighbors exchanged": (
        [each for first in range(0, 2000, 2) for each in (OLD[first + 1], OLD[first])],
        0,
    ),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("batch", [10_000, 999])
def test_usual_files_are_found_whole(order: str, batch: int, window: int) -> None:
    new, unknown = ORDERS[order]
    found = find(OLD, new, batch)
    batches = -(-len(new) // batch) if new else 0
    assert unknown <= found.count(NO_STUDENT) <= unknown + batches * (window - 1)


def test_rows_in_another_order_are_found() -> None:
    """But for some before it is noticed that the order is another one."""
    old = numbers(20_000)
    new = old[:]
    random.Random(4).shuffle(new)
    found = find(old, new)
    assert found.count(NO_STUDENT) <= 1000
    assert all(old[student - 1] == new[at] for at, student in enumerate(found) if student)


def test_records_that_must_not_be_known_are_not() -> None:
    students = array("q", [1, NO_STUDENT, 3])
    walking = Walk(array("q", [10, 20, 30]), students)
    assert list(walking.find(array("q", [10, 20, 30]))) == [1, NO_STUDENT, 3]


def test_nothing_is_found_in_nothing() -> None:
    walking = Walk(array("q"), array("q"))
    assert list(walking.find(array("q"))) == []
    assert list(walking.find(array("q", range(200)))) == [NO_STUDENT] * 200
