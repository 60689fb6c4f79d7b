"""The end state of students after kills and cancels is the same as that of a simple model.

The model computes the end state of a file in plain Python, without apply order, chunks or
dependencies.
"""

from dataclasses import dataclass
from itertools import count, islice

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from rollbook.districts.models import District
from rollbook.updates import runner
from rollbook.updates.cancel import cancel
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import UNFINISHED
from tests import depth
from tests.conftest import make_district
from tests.updates.night import a_class, counts, enroll, history, report_of, run, send, students

SIZE = 12
KEYS = ("USERNAME", "LAST_NAME")
UNIQUE = "USERNAME"
"""Last names may be shared."""
slugs = count(1)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_chunks", "small_batches")]
thorough = settings(
    max_examples=depth.examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass(frozen=True)
class Row:
    """One row: its student, the keys that it claims, by their first holder, and its validity."""

    student: int
    username: int | None
    last_name: int | None
    is_valid: bool

    def claim(self, key: str) -> str | None:
        number = self.username if key == "USERNAME" else self.last_name
        return None if number is None else f"{'u' if key == 'USERNAME' else 'Lee'}{number:03}"

    def as_row(self) -> str:
        keys = ",".join(self.claim(key) or "" for key in KEYS)
        return f"s{self.student:03},{keys},{5 if self.is_valid else 15}"


@st.composite
def row_lists(draw: st.DrawFn) -> list[Row]:
    """Draw rows of some students in any order, most of which exchange keys with each other."""
    who = draw(st.permutations(range(SIZE)))[: draw(st.integers(1, SIZE))]
    usernames, last_names = (draw(st.permutations(who)) for _ in KEYS)
    special_key = st.one_of(
        st.just(True), st.just(True), st.just(True), st.sampled_from([None, *range(SIZE + 3)])
    )

    def key(passed: int) -> int | None:
        drawn = draw(special_key)
        return passed if drawn is True else drawn

    bad = draw(st.sets(st.sampled_from(who), max_size=draw(st.sampled_from([0, 0, 2]))))
    return [
        Row(student, key(username), key(last_name), student not in bad)
        for student, username, last_name in zip(who, usernames, last_names, strict=True)
    ]


Holdings = dict[str, dict[str, str]]  # student to the values of its keys and GRADE


def expected(before: Holdings, rows: list[Row]) -> tuple[Holdings, int]:
    """Return the keys of the students after the update, and the number of rejected rows."""
    open_rows = {f"s{row.student:03}": row for row in rows if row.is_valid}
    claims = {
        (name, key): value
        for name, row in open_rows.items()
        for key in KEYS
        if (value := row.claim(key)) is not None and value != before[name][key]
    }
    claimed_before: set[str] = set()
    for name in list(open_rows):
        if (name, UNIQUE) in claims:
            if claims[name, UNIQUE] in claimed_before:
                del open_rows[name]
            claimed_before.add(claims[name, UNIQUE])
    held_by = {values[UNIQUE]: name for name, values in before.items()}
    while True:
        rejected_names = [
            name
            for name in open_rows
            if (holder := held_by.get(claims.get((name, UNIQUE), ""))) is not None
            and not (holder in open_rows and (holder, UNIQUE) in claims)
        ]
        if not rejected_names:
            break
        for name in set(rejected_names):
            del open_rows[name]
    after = {name: dict(values) for name, values in before.items()}
    for name in open_rows:
        after[name] |= {key: claims[name, key] for key in KEYS if (name, key) in claims} | {
            "GRADE": "5"
        }
    return after, len(rows) - len(open_rows)


def holdings(district: District) -> Holdings:
    return {
        name: {column: values[column] for column in (*KEYS, "GRADE")}
        for name, values in students(district).items()
    }


def a_school() -> District:
    district = make_district(f"District {next(slugs)}", "100")
    enroll(district, a_class(SIZE, FIRST_NAME="Ann"))
    return district


def file_of(rows: list[Row]) -> str:
    return "\n".join(["STUDENT_ID,USERNAME,LAST_NAME,GRADE", *(row.as_row() for row in rows)])


def run_steps(update: UpdateJob, steps: int) -> None:
    """Run this many steps, and release the update."""
    for _ in islice(runner.run_steps(update.pk), steps):
        pass
    runner.release(update.pk)


@thorough
@given(rows=row_lists(), kills=st.lists(st.integers(1, 14), max_size=6))
def test_after_any_kills_students_are_in_the_end_state_of_the_model(
    rows: list[Row], kills: list[int]
) -> None:
    district = a_school()
    before = holdings(district)
    after, rejected = expected(before, rows)
    update = send(district, file_of(rows))
    for steps in kills:
        run_steps(update, steps)
    run_steps(update, 1000)
    assert holdings(district) == after
    result = report_of(update)
    assert (result.rejected, result.not_processed) == (rejected, 0)
    assert result.updated == sum(after[name] != before[name] for name in before)
    for name in before:
        changes = {field: (old, new) for field, old, new in history(district, name)[1:]}
        assert changes == {
            column: (before[name][column], after[name][column])
            for column in before[name]
            if before[name][column] != after[name][column]
        }


@thorough
@given(rows=row_lists(), steps=st.integers(1, 30))
def test_after_a_cancel_the_counted_students_are_changed_and_the_file_can_be_repeated(
    rows: list[Row], steps: int
) -> None:
    district = a_school()
    before = holdings(district)
    after, _ = expected(before, rows)
    update = send(district, file_of(rows))
    run_steps(update, steps)
    ended = update.pk not in runner.next_updates()
    cancel(district, update.number)
    run_steps(update, 1000)
    halfway = holdings(district)
    changed = {name for name in before if halfway[name] != before[name]}
    note(f"changed before the cancel: {sorted(changed)}")
    assert report_of(update).state not in UNFINISHED
    assert report_of(update).updated == len(changed)
    assert all(halfway[name] == after[name] for name in changed)
    if ended:
        assert halfway == after
    assert len({values[UNIQUE] for values in halfway.values()}) == SIZE
    follows, rejected = expected(halfway, rows)
    result = run(district, file_of(rows))
    assert holdings(district) == follows
    assert result.rejected == rejected
    assert counts(result).get("not_processed", 0) == 0


def test_the_model_handles_a_swap_an_invalid_cycle_and_a_key_of_another_student() -> None:
    before = {
        f"s{n:03}": {"USERNAME": f"u{n:03}", "LAST_NAME": f"Lee{n:03}", "GRADE": "4"}
        for n in range(4)
    }
    swap = [Row(0, 1, None, True), Row(1, 0, None, True)]
    after, rejected = expected(before, swap)
    assert (after["s000"]["USERNAME"], after["s001"]["USERNAME"], rejected) == ("u001", "u000", 0)
    assert expected(before, [swap[0], Row(1, 0, None, False)]) == (before, 2)
    assert expected(before, [Row(0, 3, None, True)]) == (before, 1)
    after, rejected = expected(
        before, [Row(0, 9, None, True), Row(1, 9, None, True), Row(2, 0, 2, True)]
    )
    assert ([after[f"s00{n}"]["USERNAME"] for n in range(3)], rejected) == (
        ["u009", "u001", "u000"],
        1,
    )
