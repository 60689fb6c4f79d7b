"""What was measured, held against the goals."""

import pytest

from bench.goals import Line, lines
from bench.results import Results


def timings(
    results: Results,
    who: str,
    *seconds: float,
    rows: int,
    work: str = "nightly",
    on: str = "sqlite",
) -> None:
    for run, each in enumerate(seconds):
        results.add("timing", database=on, work=work, rows=rows, run=run, who=who, seconds=each)


def only(results: Results, work: str) -> Line:
    (line,) = (line for line in lines(results) if line.work == work)
    return line


def test_nothing_measured_is_nothing_claimed() -> None:
    assert lines(Results()) == []


@pytest.mark.parametrize(("ours", "met"), [(4.9, True), (5.1, False)])
def test_a_goal_is_met_or_lost_by_the_medians(ours: float, met: bool) -> None:
    results = Results()
    timings(results, "rollbook", ours, 0.1, 90.0, rows=1_000_000)
    timings(results, "floor", 10.0, 10.0, 10.0, rows=1_000_000)
    line = only(results, "nightly")
    assert (line.goal, line.met) == ("at most 0.5 ×", met)


def test_the_goals_of_the_databases_are_their_own() -> None:
    results = Results()
    timings(results, "rollbook", 5.5, rows=1_000_000, on="postgres")
    timings(results, "floor", 10.0, rows=1_000_000, on="postgres")
    assert only(results, "nightly").met is True


def test_a_ratio_has_the_spread_of_runs_that_followed_each_other() -> None:
    results = Results()
    timings(results, "rollbook", 2.0, 4.0, 6.0, rows=1_000_000, work="rollover")
    timings(results, "floor", 2.0, 2.0, 2.0, rows=1_000_000, work="rollover")
    line = only(results, "rollover")
    assert line.measured == "2.00 × (1.00–3.00)"
    assert line.ours == "4.00 s (2.00–6.00)"
    assert line.against == "floor 2.00 s (2.00–2.00)"


def test_at_another_size_a_comparison_is_shown_and_not_judged() -> None:
    results = Results()
    timings(results, "rollbook", 50.0, rows=10_000)
    timings(results, "floor", 1.0, rows=10_000)
    line = only(results, "nightly")
    assert (line.measured, line.goal, line.met) == ("50.0 ×", "", None)


@pytest.mark.parametrize(("theirs", "met"), [(60.0, True), (59.0, False)])
def test_a_peer_is_compared_by_rows_a_second(theirs: float, met: bool) -> None:
    results = Results()
    timings(results, "rollbook", 1.0, rows=100_000, on="postgres")
    timings(results, "best", theirs, rows=100_000, on="postgres")
    line = only(results, "nightly")
    assert (line.ours, line.goal, line.met) == ("100,000 rows/s", "at least 60 ×", met)


@pytest.mark.parametrize(
    ("large", "met_size", "met_growth"),
    [(110, True, True), (150, True, False), (201, False, False)],
)
def test_memory_has_a_limit_and_may_grow_by_16_bytes_a_row(
    large: int, met_size: bool, met_growth: bool
) -> None:
    results = Results()
    results.add("memory", database="sqlite", rows=10_000, role="worker", bytes=100 << 20)
    results.add("memory", database="sqlite", rows=1_000_000, role="worker", bytes=large << 20)
    results.add("memory", database="sqlite", rows=1_000_000, role="web", bytes=900 << 20)
    judged = {(line.work, line.met) for line in lines(results) if line.rows == 1_000_000}
    assert judged == {
        ("memory of the worker", met_size),
        ("memory of the worker, growth", met_growth),
    }


@pytest.mark.parametrize(("mib", "met"), [(35.9, True), (36.1, False)])
def test_the_upload_that_grew_most_is_judged_by_what_it_takes_beyond_a_small_one(
    mib: float, met: bool
) -> None:
    results = Results()
    for grown in (21.0, mib, 22.0):
        size = {"small_grown_bytes": 20 << 20, "grown_bytes": grown * 2**20}
        results.add("upload", database="sqlite", **size, seconds=1.0, cp_fsync_seconds=0.5)
    line = next(line for line in lines(results) if line.goal)
    assert line.met is met


def test_the_slowest_cancel_is_judged() -> None:
    results = Results()
    for seconds in (0.2, 1.2, 0.3):
        results.add("cancel", database="sqlite", rows=1_000_000, seconds=seconds)
    line = only(results, "cancel, answered")
    assert (line.measured, line.met) == ("at most 1.200 s", False)


@pytest.mark.parametrize(("slow", "met"), [(0.019, True), (0.021, False)])
def test_status_is_judged_at_the_95th_percentile_of_all_calls(slow: float, met: bool) -> None:
    results = Results()
    results.add("status", database="sqlite", rows=100_000, update="idle", seconds=[0.01] * 20)
    results.add("status", database="sqlite", rows=100_000, update="running", seconds=[0.01] * 94)
    results.add("status", database="sqlite", rows=100_000, update="running", seconds=[slow] * 6)
    assert only(results, "status while an update runs").met is met


def test_status_that_does_not_keep_up_while_idle_is_no_measure() -> None:
    results = Results()
    results.add("status", database="sqlite", rows=100_000, update="idle", seconds=[0.06] * 20)
    results.add("status", database="sqlite", rows=100_000, update="running", seconds=[0.05] * 20)
    line = only(results, "status while an update runs")
    assert (line.measured, line.met) == ("no 20 calls a second even while idle", False)


def test_calls_of_status_during_a_short_update_are_shown_and_not_judged() -> None:
    results = Results()
    for when, each in (("idle", 0.01), ("running", 0.05)):
        results.add("status", database="sqlite", rows=10_000, update=when, seconds=[each] * 20)
    line = only(results, "status while an update runs")
    assert (line.measured, line.goal, line.met) == ("5.00 ×", "", None)


@pytest.mark.parametrize(("watched", "met"), [(10.4, True), (10.6, False)])
def test_calls_of_status_may_slow_an_update_by_a_twentieth(watched: float, met: bool) -> None:
    results = Results()
    results.add("watched", database="sqlite", rows=100_000, watched=False, seconds=10.0)
    results.add("watched", database="sqlite", rows=100_000, watched=True, seconds=watched)
    assert only(results, "rollover with 20 calls of status a second").met is met


@pytest.mark.parametrize(
    ("busy", "seconds", "met"),
    [(0.5, 5.5, True), (0.5, 5.6, False), (0.8, 8.8, True), (0.8, 9.0, False), (1.0, 11.2, False)],
)
def test_more_workers_must_be_as_much_faster_as_one_leaves_room_for(
    busy: float, seconds: float, met: bool
) -> None:
    results = Results()
    results.add("workers", workers=1, seconds=10.0, busy=busy)
    results.add("workers", workers=2, seconds=seconds, busy=1.0)
    assert only(results, "20 districts × 5,000").met is met


@pytest.mark.parametrize(("power", "met"), [(1.0, True), (1.1, False)])
def test_time_must_not_grow_faster_than_rows(power: float, met: bool) -> None:
    results = Results()
    for rows in (1_000, 30_000, 1_000_000):
        timings(results, "rollbook", 1e-5 * rows**power, rows=rows)
    line = only(results, "nightly, how time grows")
    assert (line.measured, line.met) == (f"exponent {power:.3f}", met)


@pytest.mark.parametrize(("middle", "met"), [(0.19, True), (0.21, False)])
def test_a_list_of_students_is_judged_by_its_median(middle: float, met: bool) -> None:
    results = Results()
    results.add(
        "pages", database="sqlite", rows=100_000, what="last page", seconds=[0.01, middle, 9.0]
    )
    line = only(results, "list of students, last page")
    assert (line.goal, line.met) == ("under 200 ms", met)


def test_a_short_list_is_shown_and_not_judged() -> None:
    results = Results()
    results.add("pages", database="sqlite", rows=10_000, what="searched", seconds=[0.5])
    assert only(results, "list of students, searched").met is None


@pytest.mark.parametrize(("ours", "met"), [(1.14, True), (1.16, False)])
def test_encryption_may_cost_a_seventh(ours: float, met: bool) -> None:
    results = Results()
    for way, took in (("encrypted", ours), ("copied", 1.0)):
        for rows in (10_000, 100_000):
            results.add(
                "encryption",
                database="sqlite",
                work="upload over HTTPS",
                rows=rows,
                way=way,
                run=0,
                seconds=took,
                cpu_seconds=2 * took,
            )
    found = {(line.work, line.rows): line for line in lines(results)}
    assert len(found) == 4
    for work in ("upload over HTTPS, encrypted", "upload over HTTPS, encrypted, CPU"):
        assert found[work, 10_000].met is None
        line = found[work, 100_000]
        assert (line.measured, line.goal) == (f"{ours:.2f} ×", "at most 1.15 ×")
        assert line.met is met
