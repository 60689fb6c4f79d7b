"""What was measured, held against the goals."""

import pytest

from bench.goals import lines
from bench.line import Line
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


@pytest.mark.parametrize(("ours", "met"), [(3.9, True), (4.1, False)])
def test_a_goal_is_met_or_lost_by_the_medians(ours: float, met: bool) -> None:
    results = Results()
    timings(results, "rollbook", ours, 0.1, 90.0, rows=1_000_000)
    timings(results, "floor", 10.0, 10.0, 10.0, rows=1_000_000)
    line = only(results, "nightly")
    assert (line.goal, line.met) == ("at most 0.4 ×", met)


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


@pytest.mark.parametrize(("ours", "met"), [(9.4, True), (9.6, False)])
def test_the_script_of_a_database_administrator_has_a_goal_of_its_own(
    ours: float, met: bool
) -> None:
    results = Results()
    timings(results, "rollbook", ours, rows=1_000_000, on="postgres")
    timings(results, "merge", 10.0, rows=1_000_000, on="postgres")
    line = only(results, "nightly")
    assert (line.goal, line.met) == ("at most 0.95 ×", met)


@pytest.mark.parametrize(("ours", "met"), [(1.29, True), (1.31, False)])
def test_a_file_with_quotes_is_compared_with_the_plain_one(ours: float, met: bool) -> None:
    results = Results()
    timings(results, "rollbook", 1.0, rows=100_000, work="nightly, plain")
    timings(results, "rollbook", ours, rows=100_000, work="nightly, all quoted")
    line = only(results, "nightly, all quoted")
    assert (line.goal, line.met) == ("at most 1.3 ×", met)


@pytest.mark.parametrize(("median", "met"), [(0.10, True), (0.11, False)])
def test_a_small_file_is_judged_by_its_median(median: float, met: bool) -> None:
    results = Results()
    results.add("small", database="sqlite", rows=500, seconds=[0.05, median, 3.0])
    assert only(results, "small file").met is met


@pytest.mark.parametrize(
    ("nightly", "rollover", "met_nightly", "met_any", "met_growth"),
    [
        (105, 110, True, True, True),
        (149, 150, True, True, False),
        (151, 190, False, True, False),
        (120, 201, True, False, True),
    ],
)
def test_memory_has_limits_and_may_grow_by_24_bytes_a_row(
    nightly: int, rollover: int, met_nightly: bool, met_any: bool, met_growth: bool
) -> None:
    results = Results()
    for work, mib in (("nightly", nightly), ("rollover", rollover)):
        results.add(
            "memory", database="sqlite", work=work, rows=10_000, role="worker", bytes=100 << 20
        )
        results.add(
            "memory", database="sqlite", work=work, rows=1_000_000, role="worker", bytes=mib << 20
        )
    results.add(
        "memory", database="sqlite", work="nightly", rows=1_000_000, role="web", bytes=900 << 20
    )
    judged = {(line.work, line.met) for line in lines(results) if line.rows == 1_000_000}
    assert judged == {
        ("memory of the worker, nightly", met_nightly),
        ("memory of the worker, any work", met_any),
        ("memory of the worker, growth", met_growth),
    }


@pytest.mark.parametrize(("mib", "met"), [(35.9, True), (36.1, False)])
def test_the_upload_that_grew_most_is_judged_by_what_it_takes_beyond_a_small_one(
    mib: float, met: bool
) -> None:
    results = Results()
    for grown in (21.0, mib, 22.0):
        size = {"small_grown_bytes": 20 << 20, "grown_bytes": grown * 2**20}
        times = {"seconds": 1.0, "cp_fsync_seconds": 0.5, "sink_seconds": 0.5}
        results.add("upload", database="sqlite", file="large", **size, **times)
    line = next(line for line in lines(results) if line.goal)
    assert line.met is met


@pytest.mark.parametrize(
    ("file", "seconds", "met"),
    [("large", 1.2, True), ("large", 1.3, False), ("commas", 3.9, True), ("commas", 4.1, False)],
)
def test_an_upload_is_compared_with_a_plain_server(file: str, seconds: float, met: bool) -> None:
    results = Results()
    results.add(
        "upload",
        database="sqlite",
        file=file,
        small_grown_bytes=1,
        grown_bytes=1,
        seconds=seconds,
        cp_fsync_seconds=0.1,
        sink_seconds=0.5,
    )
    assert [line.met for line in lines(results)] == [True, met, None]


def test_the_slowest_cancel_is_judged() -> None:
    results = Results()
    for seconds in (0.2, 0.31, 0.1):
        results.add("cancel", database="sqlite", rows=1_000_000, seconds=seconds)
    line = only(results, "cancel, answered")
    assert (line.measured, line.met) == ("at most 0.310 s", False)


@pytest.mark.parametrize(("slow", "met"), [(0.0149, True), (0.0151, False)])
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
    ("seconds", "met"), [(4.9, [True, True]), (5.1, [False, True]), (5.6, [False, False])]
)
def test_two_workers_are_faster_and_end_twenty_updates_a_second(
    seconds: float, met: list[bool]
) -> None:
    results = Results()
    results.add("workers", workers=1, seconds=10.0, busy=0.5)
    results.add("workers", workers=2, seconds=seconds, busy=1.0)
    assert [line.met for line in lines(results)] == [None, *met]


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


@pytest.mark.parametrize(("many", "met"), [(21.9, True), (22.1, False)])
def test_ten_times_as_many_students_take_eleven_times_as_long(many: float, met: bool) -> None:
    results = Results()
    for rows, took in ((1_000_000, 2.0), (10_000_000, many)):
        timings(results, "rollbook", took, rows=rows)
    line = only(results, "nightly, ten times as many")
    assert (line.against, line.goal, line.met) == ("2.00 s for 1,000,000", "at most 11 ×", met)
