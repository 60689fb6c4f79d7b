"""What was measured, held against the goals: a line for each comparison, won or lost. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from bench import encryption, fit, plans
from bench.peers import WAYS
from bench.results import Figures, Results

MIB = 1 << 20
NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
MILLION = 1_000_000

_FLOOR_GOALS = {
    ("nightly", "postgres"): (MILLION, 0.6),
    ("nightly", "sqlite"): (MILLION, 0.5),
    ("rollover", "postgres"): (MILLION, 2.0),
    ("rollover", "sqlite"): (MILLION, 3.5),
    ("first load", "postgres"): (100_000, 4.0),
    ("first load", "sqlite"): (100_000, 4.0),
}
"""At most so many times the floor's time, at so many rows."""

_PEER_GOAL = (100_000, "postgres", "best", 60.0)
_WORKERS, _LINEAR = "20 districts × 5,000", "linear until the cores are used"
_BEAT = 50  # ms from one call of status to the next
_CALLED_ROWS = 100_000
_LISTED = 100_000  # students
_MOST_FOR_ENCRYPTION = 1.15
_MOST_FOR_JUDGING = 0.05
_MOST_FOR_DECISION = 0.3  # s
_MOST_KEPT = 4.0  # bytes
_FLAT = 16  # bytes a row by which a worker's memory may grow


@dataclass(frozen=True)
class Line:
    """One comparison, in words; ``met`` is None if there is no goal for it at this size."""

    work: str
    database: str
    rows: int | None
    ours: str
    against: str
    measured: str
    goal: str
    met: bool | None


def lines(results: Results) -> list[Line]:
    """All comparisons there are measurements for."""
    return [line for compare in _COMPARISONS for line in compare(results)]


def points(results: Results, database: str, work: str, who: str) -> list[fit.Point]:
    """Median seconds at each number of rows, ascending."""
    rows = results.values("rows", "timing", database=database, work=work, who=who)
    found = [(each, _timing(results, database, work, each, who)) for each in rows]
    return [(each, figures.median) for each, figures in found if figures]


def seconds(figures: Figures) -> str:
    """Median and spread, such as ``2.31 s (2.20–2.52)``."""
    return f"{_short(figures.median)} s{_spread(figures)}"


def _floors(results: Results) -> Iterator[Line]:
    for work in ("nightly", "rollover", "first load"):
        for database in NAMES:
            for rows in results.values("rows", "timing", database=database, work=work, who="floor"):
                yield from _floor(results, work, database, rows)


def _floor(results: Results, work: str, database: str, rows: int) -> Iterator[Line]:
    ours, floor = (_timing(results, database, work, rows, who) for who in ("rollbook", "floor"))
    if not ours or not floor:
        return
    ratios = Figures(
        tuple(one / other for one, other in zip(ours.values, floor.values, strict=False))
    )
    ratio = ours.median / floor.median
    measured = f"{_short(ratio)} ×{_spread(ratios)}"
    at, most = _FLOOR_GOALS[work, database]
    goal = f"at most {most:g} ×" if rows == at else ""
    met = ratio <= most if rows == at else None
    yield Line(
        work, NAMES[database], rows, seconds(ours), f"floor {seconds(floor)}", measured, goal, met
    )


def _peers(results: Results) -> Iterator[Line]:
    for way, name in WAYS.items():
        for database in NAMES:
            for rows in results.values(
                "rows", "timing", database=database, work="nightly", who=way
            ):
                yield from _peer(results, database, rows, way, name)


def _peer(results: Results, database: str, rows: int, way: str, name: str) -> Iterator[Line]:
    ours, theirs = (_timing(results, database, "nightly", rows, who) for who in ("rollbook", way))
    if not ours or not theirs:
        return
    ratio = theirs.median / ours.median
    spread = f" ({_short(theirs.least / ours.most)}–{_short(theirs.most / ours.least)})"
    at, on, judged, least = _PEER_GOAL
    has_goal = (rows, database, way) == (at, on, judged)
    goal, met = (f"at least {least:g} ×", ratio >= least) if has_goal else ("", None)
    against = f"{name} {seconds(theirs)}, {rows / theirs.median:,.0f} rows/s"
    measured = f"{_short(ratio)} × its rows/s{spread}"
    yield Line(
        "nightly",
        NAMES[database],
        rows,
        f"{rows / ours.median:,.0f} rows/s",
        against,
        measured,
        goal,
        met,
    )


def _memory(results: Results) -> Iterator[Line]:
    for database in NAMES:
        peaks = {
            rows: results.figures("bytes", "memory", database=database, role="worker", rows=rows)
            for rows in results.values("rows", "memory", database=database, role="worker")
        }
        most = [(rows, figures.most) for rows, figures in peaks.items() if figures]
        for rows, peak in most:
            goal, met = ("at most 200 MiB", peak <= 200 * MIB) if rows == MILLION else ("", None)
            yield Line(
                "memory of the worker", NAMES[database], rows, _mib(peak), "", _mib(peak), goal, met
            )
        yield from _flatness(database, most)


def _flatness(database: str, most: list[tuple[int, float]]) -> Iterator[Line]:
    (few, low), (many, high) = most[0] if most else (0, 0.0), most[-1] if most else (0, 0.0)
    if many < 10 * few or many < 100_000:  # what every process has says more than the rows
        return
    each = (high - low) / (many - few)
    goal, met = (f"at most {_FLAT} bytes a row", each <= _FLAT) if many >= MILLION else ("", None)
    work, against = "memory of the worker, growth", f"{_mib(low)} at {few:,}"
    yield Line(
        work, NAMES[database], many, _mib(high), against, f"{each:.1f} bytes a row", goal, met
    )


def _upload(results: Results) -> Iterator[Line]:
    work = "upload of 200 MB"
    for database in NAMES:
        small, grown, took, copied = (
            results.figures(key, "upload", database=database)
            for key in ("small_grown_bytes", "grown_bytes", "seconds", "cp_fsync_seconds")
        )
        if not (small and grown and took and copied):
            continue
        more = max(0.0, grown.most - small.least)
        ours, against = (
            f"the web process grows by {_mib(grown.most)}",
            f"a small upload {_mib(small.least)}",
        )
        yield Line(
            work,
            NAMES[database],
            None,
            ours,
            against,
            f"{_mib(more)} more",
            "less than 16 MiB more",
            more < 16 * MIB,
        )
        ratio, against = (
            f"{_short(took.median / copied.median)} ×",
            f"cp, on the disk {seconds(copied)}",
        )
        yield Line(work, NAMES[database], None, seconds(took), against, ratio, "", None)


def _encryption(results: Results) -> Iterator[Line]:
    for database in NAMES:
        for work in (encryption.UPLOAD, encryption.NIGHTLY):
            found = {"database": database, "work": work}
            for rows in results.values("rows", "encryption", **found):
                yield from _encrypted(results, rows, work, database)


def _encrypted(results: Results, rows: int, work: str, database: str) -> Iterator[Line]:
    found = {"database": database, "work": work, "rows": rows}
    for key, of in (("seconds", ""), ("cpu_seconds", ", CPU")):
        ours, copied = (
            results.figures(key, "encryption", way=way, **found)
            for way in (encryption.ENCRYPTED, encryption.COPIED)
        )
        if ours and copied:
            ratio = ours.median / copied.median
            goal, met = "", None
            if rows >= encryption.ROWS:
                goal, met = f"at most {_MOST_FOR_ENCRYPTION:g} ×", ratio <= _MOST_FOR_ENCRYPTION
            against = f"without encryption {seconds(copied)}"
            name = f"{work}, encrypted{of}"
            yield Line(
                name,
                NAMES[database],
                rows,
                seconds(ours),
                against,
                f"{_short(ratio)} ×",
                goal,
                met,
            )


def _cancel(results: Results) -> Iterator[Line]:
    for database in NAMES:
        for rows in results.values("rows", "cancel", database=database):
            took = results.figures("seconds", "cancel", database=database, rows=rows)
            if took:
                goal, met = ("less than 1 s", took.most < 1) if rows == MILLION else ("", None)
                measured = f"at most {took.most:.3f} s"
                ours = f"{len(took.values)} canceled, {seconds(took)}"
                yield Line("cancel, answered", NAMES[database], rows, ours, "", measured, goal, met)


def _status(results: Results) -> Iterator[Line]:
    work, goal = "status while an update runs", "at most 2 × at the 95th percentile"
    for database in NAMES:
        for rows in results.values("rows", "status", database=database):
            idle, running = (_calls(results, database, rows, when) for when in ("idle", "running"))
            if idle and running:
                ratio = running[1] / idle[1]
                measured, met = f"{ratio:.2f} ×", ratio <= 2
                if (
                    idle[0] > _BEAT
                ):  # then a call waits for those before it, and the ratio says nothing
                    measured, met = "no 20 calls a second even while idle", False
                ours = f"median {running[0]:.0f} ms, 95th percentile {running[1]:.0f} ms"
                against = f"idle {idle[0]:.0f} ms, {idle[1]:.0f} ms"
                yield Line(
                    work, NAMES[database], rows, ours, against, measured, *_judged(rows, goal, met)
                )


def _pages(results: Results) -> Iterator[Line]:
    for database in NAMES:
        for record in results.find("pages", database=database):
            took = Figures(tuple(record["seconds"]))
            goal, met = (
                ("under 200 ms", took.median < 0.2) if record["rows"] >= _LISTED else ("", None)
            )
            work, measured = (
                f"list of students, {record['what']}",
                f"median {took.median * 1000:.0f} ms",
            )
            ours = f"{len(took.values)} calls, {seconds(took)}"
            yield Line(work, NAMES[database], record["rows"], ours, "", measured, goal, met)


def _plans(results: Results) -> Iterator[Line]:
    for database in NAMES:
        for rows in results.values("rows", "plans", database=database):
            yield from _decisions(results, database, rows)
            yield from _judging(results, database, rows)


def _decisions(results: Results, database: str, rows: int) -> Iterator[Line]:
    for what in (plans.PAGE, plans.APPROVE, plans.DISCARD):
        took = results.figures("seconds", "plans", database=database, rows=rows, what=what)
        if took:
            judged = _judged(rows, "under 300 ms", took.median < _MOST_FOR_DECISION)
            measured = f"median {took.median * 1000:.0f} ms"
            where = (f"a plan: {what}", NAMES[database], rows)
            yield Line(*where, seconds(took), "", measured, *judged)


def _judging(results: Results, database: str, rows: int) -> Iterator[Line]:
    found = results.find("plans", database=database, rows=rows, what=plans.JUDGE)
    if not found:
        return
    took = Figures(tuple(each["seconds"] for each in found))
    share = median(each["seconds"] / each["check_seconds"] for each in found)
    judged = _judged(rows, "at most 5 % of the check", share <= _MOST_FOR_JUDGING)
    where = ("a plan: summary and limits", NAMES[database], rows)
    yield Line(*where, seconds(took), "", f"{share:.1%} of the check", *judged)
    kept = max(each["bytes_a_row"] for each in found)
    judged = _judged(rows, "at most 4", kept <= _MOST_KEPT)
    where = ("bytes kept a row", NAMES[database], rows)
    yield Line(*where, f"{kept:.2f}", "", f"{kept:.2f}", *judged)


def _watched(results: Results) -> Iterator[Line]:
    work, goal = "rollover with 20 calls of status a second", "slowed by less than 5 %"
    for database in NAMES:
        for rows in results.values("rows", "watched", database=database):
            found = {"kind": "watched", "database": database, "rows": rows}
            alone, watched = (
                results.figures("seconds", **found, watched=each) for each in (False, True)
            )
            if alone and watched:
                slower = watched.median / alone.median - 1
                each = [
                    after / before - 1
                    for before, after in zip(alone.values, watched.values, strict=False)
                ]
                measured = f"{slower:+.1%} ({min(each):+.1%} to {max(each):+.1%})"
                against, judged = f"alone {seconds(alone)}", _judged(rows, goal, slower < 0.05)
                yield Line(
                    work, NAMES[database], rows, seconds(watched), against, measured, *judged
                )


def _judged(rows: int, goal: str, met: bool) -> tuple[str, bool | None]:
    """Goal and verdict of calls of status; an update of fewer rows is over too soon for either."""
    return (goal, met) if rows >= _CALLED_ROWS else ("", None)


def _calls(results: Results, database: str, rows: int, when: str) -> tuple[float, float] | None:
    """Median and 95th percentile of all calls, in ms."""
    found = results.find("status", database=database, rows=rows, update=when)
    every = sorted(each for record in found for each in record["seconds"])
    if not every:
        return None
    return 1000 * Figures(tuple(every)).median, 1000 * every[
        min(len(every) - 1, len(every) * 95 // 100)
    ]


def _workers(results: Results) -> Iterator[Line]:
    found = {record["workers"]: record for record in results.find("workers")}
    if 1 not in found:
        return
    for workers, record in found.items():
        if workers > 1:
            ratio = found[1]["seconds"] / record["seconds"]
            ours = (
                f"{workers} workers {record['seconds']:.1f} s, the cores {record['busy']:.0%} busy"
            )
            against = f"1 worker {found[1]['seconds']:.1f} s, {found[1]['busy']:.0%} busy"
            room = min(workers, 1 / found[1]["busy"])  # what one worker leaves of the cores
            measured = f"{ratio:.2f} × as fast, room for {room:.2f} ×"
            yield Line(
                _WORKERS,
                NAMES["postgres"],
                200_000,
                ours,
                against,
                measured,
                _LINEAR,
                ratio >= 0.9 * room,
            )


def _growth(results: Results) -> Iterator[Line]:
    for database in NAMES:
        measured = points(results, database, "nightly", "rollbook")
        if len(measured) < 3:
            continue
        slope, line = fit.exponent(measured), fit.line(measured)
        rows = int(measured[-1][0])
        goal, met = ("exponent at most 1.05", slope <= 1.05) if rows >= MILLION else ("", None)
        ours = f"{measured[0][0]:,} to {rows:,} rows"
        fixed = f"fixed {line.fixed:.2f} s, then {line.each * 1e6:.2f} s a million rows"
        yield Line(
            "nightly, how time grows",
            NAMES[database],
            rows,
            ours,
            fixed,
            f"exponent {slope:.3f}",
            goal,
            met,
        )


_COMPARISONS: tuple[Callable[[Results], Iterator[Line]], ...] = (
    _floors,
    _peers,
    _memory,
    _upload,
    _encryption,
    _cancel,
    _status,
    _watched,
    _pages,
    _plans,
    _workers,
    _growth,
)


def _timing(results: Results, database: str, work: str, rows: int, who: str) -> Figures | None:
    return results.figures("seconds", "timing", database=database, work=work, rows=rows, who=who)


def _spread(figures: Figures) -> str:
    return f" ({_short(figures.least)}–{_short(figures.most)})" if len(figures.values) > 1 else ""


def _short(number: float) -> str:
    """Three digits that count."""
    return (
        f"{number:,.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"
    )


def _mib(size: float) -> str:
    return f"{size / MIB:.1f} MiB"
