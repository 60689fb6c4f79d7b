"""Conflicts between rows: duplicates, contested keys, and the order of dependent rows."""

import random
from contextlib import suppress
from itertools import islice

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rollbook.db import planner_stats
from rollbook.districts.models import District
from rollbook.updates import problem_store, runner
from rollbook.updates.models import StagedRow
from rollbook.updates.resolving import conflicts
from rollbook.updates.state_machine import Mode, State
from tests import depth
from tests.updates import night
from tests.updates.night import (
    a_class,
    applying,
    column_of,
    counts,
    dump,
    enroll,
    finish,
    last,
    lift_limits,
    report_of,
    run,
    send,
    stored_problems,
    students,
    values_of,
)

pytestmark = pytest.mark.usefixtures("small_chunks")


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, a_class(4))
    enroll(maple_once, "USERNAME,FIRST_NAME,LAST_NAME,DOB\nu004,Ann004,Lee004,2012-05-13")


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    """Return a district with s000 to s004, of whom the last has no STUDENT_ID."""
    return maple


def test_without_conflicts_nothing_is_written(school: District) -> None:
    update = send(school, "STUDENT_ID,USERNAME,GRADE\ns000,new,5")
    next(runner.run_steps(update.pk))
    update.refresh_from_db()
    assert update.rows_staged == 1
    with CaptureQueriesContext(connection) as queries:
        assert list(conflicts.steps(update, str(update.run_id)))
    statements = {query["sql"].split()[0] for query in queries.captured_queries}
    assert statements.isdisjoint({"INSERT", "UPDATE", "DELETE"})


def test_of_rows_that_claim_one_username_the_first_gets_it(school: District) -> None:
    result = run(school, "STUDENT_ID,USERNAME,GRADE\ns000,new,5\ns001,new,5\ns002,NEW,5")
    assert counts(result) == {"updated": 1, "rejected": 2}
    assert night.problems(last(school)) == {3: ["username_taken"], 4: ["username_taken"]}
    assert column_of(school, "USERNAME")["s000"] == "new"
    assert values_of(school, "s001", "USERNAME", "GRADE") == ("u001", "4")


def test_a_username_that_its_holder_keeps_is_taken(school: District) -> None:
    result = run(school, "STUDENT_ID,USERNAME,GRADE\ns000,u001,5\ns001,,5\ns002,u004,5")
    assert counts(result) == {"updated": 1, "rejected": 2}
    assert night.problems(last(school)) == {2: ["username_taken"], 4: ["username_taken"]}


def test_the_problem_of_a_taken_key_does_not_name_its_holder(school: District) -> None:
    run(school, "STUDENT_ID,USERNAME\ns000,u001")
    (problem,) = stored_problems(last(school))
    assert (problem.column, problem.found, problem.hint) == ("USERNAME", "", "")


def test_of_rows_that_claim_one_student_id_the_first_gets_it(maple: District) -> None:
    enroll(maple, a_class(2, STUDENT_ID=""))
    run(maple, "STUDENT_ID,USERNAME\nnew,u000\nnew,u001")
    assert column_of(maple, "USERNAME") == {"new": "u000", "u001": "u001"}
    assert night.problems(last(maple)) == {3: ["student_id_taken"]}


SWAPS = {
    "two swap usernames": ("USERNAME", {"s000": "u001", "s001": "u000"}),
    "three pass usernames around": ("USERNAME", {"s000": "u001", "s001": "u002", "s002": "u000"}),
    "a chain of usernames, the free end last": (
        "USERNAME",
        {"s000": "u001", "s001": "u002", "s002": "free"},
    ),
    "a chain of usernames, the free end first": (
        "USERNAME",
        {"s002": "free", "s001": "u002", "s000": "u001"},
    ),
    "a cycle and a chain into it": (
        "USERNAME",
        {"s000": "u001", "s001": "u000", "s002": "u003", "s003": "free"},
    ),
    "two swap first names": (
        "FIRST_NAME,LAST_NAME",
        {"s000": "Ann001,Lee001", "s001": "Ann000,Lee000"},
    ),
    "names pass on in a chain": (
        "FIRST_NAME,LAST_NAME",
        {"s000": "Ann001,Lee001", "s001": "Ann001,Fox"},
    ),
}


@pytest.mark.parametrize("swap", SWAPS)
@pytest.mark.parametrize("chunks", range(4))
def test_keys_are_exchanged_and_every_commit_is_consistent(
    school: District, swap: str, chunks: int
) -> None:
    columns, wanted = SWAPS[swap]
    before = students(school)
    update = send(
        school,
        f"STUDENT_ID,{columns}\n" + "\n".join(f"{key},{cells}" for key, cells in wanted.items()),
    )
    work = applying(update, chunks)
    halfway = students(school)
    done = [key for key, cells in wanted.items() if halfway[key] != before[key]]
    assert len(done) == report_of(update).updated
    for key, cells in wanted.items():
        expected = (
            dict(zip(columns.split(","), cells.split(","), strict=True)) if key in done else {}
        )
        assert halfway[key] == {**before[key], **expected}
    for _ in work:
        pass
    assert counts(report_of(update)) == {"updated": len(wanted)}
    for key, cells in wanted.items():
        assert values_of(school, key, *columns.split(",")) == tuple(cells.split(","))


@pytest.mark.parametrize("shape", ["chain", "reversed chain", "cycle"])
@pytest.mark.parametrize("column", ["USERNAME", "LAST_NAME"])
def test_long_chains_and_cycles_work(
    maple: District, shape: str, column: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = depth.choose(daily=150, nightly=500)  # more than two chunks
    enroll(maple, a_class(size, FIRST_NAME="Ann"))
    lift_limits(maple)
    held = column_of(maple, column)
    keys = list(held)
    wanted = {
        key: held[following] for key, following in zip(keys, [*keys[1:], keys[0]], strict=True)
    }
    if shape != "cycle":
        wanted[keys[-1]] = "free" if column == "USERNAME" else "Free"
    rows = [f"{key},{value}" for key, value in wanted.items()]
    if shape == "reversed chain":
        rows.reverse()
    monkeypatch.setattr("rollbook.updates.applying.apply.MAX_CHUNK_ROWS", 64)
    result = run(maple, f"STUDENT_ID,{column}\n" + "\n".join(rows))
    assert counts(result) == {"updated": size}
    assert column_of(maple, column) == wanted


@pytest.mark.parametrize(("rows", "is_analyzed"), [(100, False), (101, True)])
def test_statistics_are_updated_unless_the_file_is_small(
    maple: District, rows: int, is_analyzed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without them, PostgreSQL takes over a minute for 500 rows."""
    analyzed: list[str] = []
    monkeypatch.setattr(planner_stats, "analyze", lambda *tables: analyzed.extend(tables))
    enroll(maple, a_class(rows))
    assert analyzed == (["updates_stagedrow"] if is_analyzed else [])


def test_a_cycle_of_any_size_is_applied_in_one_chunk(maple: District) -> None:
    enroll(maple, a_class(9))
    update = send(
        maple, "STUDENT_ID,USERNAME\n" + "\n".join(f"s00{n},u00{(n + 1) % 9}" for n in range(9))
    )
    applying(update, 1)
    assert report_of(update).updated == 9


@pytest.mark.parametrize("bad", ["s004,u005,15", "s004,u005,4\ns004,u005,5", "s004,taken,4"])
def test_a_cycle_with_one_rejected_row_is_rejected_completely(maple: District, bad: str) -> None:
    enroll(maple, a_class(9))
    enroll(maple, a_class(1, STUDENT_ID="other", USERNAME="taken", FIRST_NAME="Zoe"))
    before = dump(maple)
    rows = [f"s00{n},u00{(n + 1) % 8},5" for n in range(8) if n != 4]
    result = run(maple, "STUDENT_ID,USERNAME,GRADE\n" + "\n".join([*rows, bad, "s008,,6"]))
    assert counts(result) == {"updated": 1, "rejected": 7 + 1 + bad.count("\n")}
    assert values_of(maple, "s008", "GRADE") == ("6",)
    assert {key: told for key, told in dump(maple).items() if key != "s008"} == {
        key: told for key, told in before.items() if key != "s008"
    }
    codes = night.problems(last(maple))
    assert [codes[line] for line in range(2, 9) if line != 5] == [["waits_for_rejected"]] * 6


def test_rows_that_depend_on_a_rejected_row_are_rejected_and_others_are_not(
    maple: District,
) -> None:
    enroll(maple, a_class(6))
    result = run(
        maple,
        """
        STUDENT_ID,USERNAME,GRADE
        s000,u001,5
        s001,u002,5
        s002,free,15
        s003,u004,5
        s004,gone,5
        """,
    )
    assert counts(result) == {"updated": 2, "rejected": 3}
    assert night.problems(last(maple))[2] == ["waits_for_rejected"]
    assert column_of(maple, "USERNAME") == {
        "s000": "u000",
        "s001": "u001",
        "s002": "u002",
        "s003": "u004",
        "s004": "gone",
        "s005": "u005",
    }


def test_new_students_get_usernames_that_are_released(school: District) -> None:
    result = run(
        school,
        """
        STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB
        n1,u000,Zoe,Fox,2012-01-01
        n2,u001,Zed,Fox,2012-01-01
        s000,u002,,,
        s001,u003,,,
        s002,free,,,
        s003,away,,,
        """,
        Mode.ADD,
    )
    assert counts(result) == {"updated": 4, "added": 2}
    usernames = {key: name for key, name in column_of(school, "USERNAME").items() if key != "u004"}
    assert usernames == {
        "n1": "u000",
        "n2": "u001",
        "s000": "u002",
        "s001": "u003",
        "s002": "free",
        "s003": "away",
    }


def test_a_new_student_cannot_have_the_key_of_a_rejected_row(school: District) -> None:
    result = run(
        school,
        "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,GRADE\nn1,u000,Zoe,Fox,2012-01-01,4\ns000,u001,,,,5",
        Mode.ADD,
    )
    assert counts(result) == {"rejected": 2}
    assert night.problems(last(school)) == {2: ["waits_for_rejected"], 3: ["username_taken"]}


def test_keys_of_another_district_are_free(school: District, cedar: District) -> None:
    enroll(cedar, a_class(3))
    assert counts(run(cedar, "STUDENT_ID,USERNAME\ns000,u004")) == {"updated": 1}


CONFLICTS = """
    STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,GRADE
    s000,,,,,4
    s000,,,,,4
    s000,,,,,4
    s001,u002,,,,
    s002,u001,,,,
    s003,u005,,,,
    s004,,Ann005,Lee005,,
    s005,u006,,,,
    s006,u007,Ann010,Lee010,,
    s008,x,,,,
    s009,x,,,,
    s010,,,,,5
    s010,,,,,4
    s011,u012,,,,
    s012,u011,,,,15
"""


@pytest.mark.usefixtures("small_batches")
def test_resolving_can_be_interrupted_anywhere_with_the_same_result(
    maple: District, cedar: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problem_store, "MAX_WARNINGS", 1)
    for district in (maple, cedar):
        enroll(district, a_class(14))
    whole, dropped = send(maple, CONFLICTS), send(cedar, CONFLICTS)
    finish(whole)
    steps = 0
    while report_of(dropped).state in (State.RECEIVED, State.CHECKING):
        steps += 1
        for _ in islice(runner.run_steps(dropped.pk), steps):
            pass
        runner.release(dropped.pk)
    finish(dropped)
    assert steps > 6
    assert counts(report_of(dropped)) == counts(report_of(whole))
    assert report_of(dropped).groups == report_of(whole).groups
    assert night.problems(dropped) == night.problems(whole)
    assert dump(cedar) == dump(maple)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize(
    "question",
    [
        "_duplicate_students",
        "_duplicate_new_students",
        "_contested_keys",
        "_keys_in_use",
        "_blocked_rows",
        "_assign_apply_order",
    ],
)
def test_an_update_that_crashes_repeatedly_at_the_same_question_fails(
    maple: District, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    enroll(maple, a_class(14))
    before = dump(maple)
    update = send(maple, CONFLICTS)

    def crash(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(conflicts, question, crash)
    for _ in range(20):
        with suppress(MemoryError):
            finish(update)
    assert report_of(update).state is State.FAILED
    assert dump(maple) == before


def test_only_rows_in_dependencies_get_an_apply_order(school: District) -> None:
    update = send(school, "STUDENT_ID,USERNAME,GRADE\ns000,u001,\ns001,free,\ns002,,5")
    applying(update)
    apply_orders = dict(StagedRow.objects.filter(update=update).values_list("line", "apply_order"))
    assert apply_orders == {
        4: 4,
        3: conflicts.ORDER_DEPENDENT_ROWS,
        2: conflicts.ORDER_DEPENDENT_ROWS + 1,
    }


def test_the_order_of_a_large_file_does_not_matter(maple: District, cedar: District) -> None:
    held = [f"{n:03}" for n in range(60)]
    moved = random.Random(7).sample(held, len(held))
    rows = [f"s{key},u{new}" for key, new in zip(held, moved, strict=True)]
    for district in (maple, cedar):
        enroll(district, a_class(60))
        lift_limits(district)
        run(district, "STUDENT_ID,USERNAME\n" + "\n".join(rows))
        rows = random.Random(8).sample(rows, len(rows))
    assert column_of(maple, "USERNAME") == column_of(cedar, "USERNAME")
    assert column_of(maple, "USERNAME") == {
        f"s{key}": f"u{new}" for key, new in zip(held, moved, strict=True)
    }
