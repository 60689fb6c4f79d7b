"""What was measured, held against the goals: a line for each comparison, won or lost. Pure."""

from collections.abc import Callable, Iterator

from bench import fit, large, serving_goals, shapes, workers, works
from bench.line import MILLION, NAMES, Line, seconds, short, spread
from bench.peers import UPSERT, WAYS
from bench.results import Figures, Results
from rollbook.text import count_of

_SCRIPTS = {
    works.FLOOR: "floor",
    works.MERGE: "the script of a database administrator",
}
_SCRIPT_GOALS = {
    ("nightly", "floor", "sqlite"): (MILLION, 0.4),
    ("nightly", "floor", "postgres"): (MILLION, 0.65),
    ("nightly", "merge", "sqlite"): (MILLION, 0.5),
    ("nightly", "merge", "postgres"): (MILLION, 0.95),
    ("unchanged", "floor", "sqlite"): (MILLION, 0.12),
    ("unchanged", "floor", "postgres"): (MILLION, 0.3),
    ("rollover", "floor", "sqlite"): (MILLION, 1.8),
    ("rollover", "floor", "postgres"): (MILLION, 2.5),
    ("first load", "floor", "sqlite"): (100_000, 2.5),
    ("first load", "floor", "postgres"): (100_000, 4.0),
}
"""At most so many times the script's time, at so many rows."""

_PEER_GOALS = {"best": 60.0, UPSERT: 25.0}
"""At least so many times its rows a second, at 100,000 rows."""
_PEER_ROWS = 100_000

_SHAPE_GOALS = {shapes.COMMAS: 1.3, shapes.QUOTED: 1.3}
"""At most so many times the time of the plain file."""

_SMALL_GOALS = {
    ("sqlite", 500): 0.10,
    ("sqlite", 10_000): 0.15,
    ("postgres", 500): 0.20,
    ("postgres", 10_000): 0.20,
}
"""At most so many seconds from the last byte to the end."""

_MOST_FOR_LARGE = 11.0
"""At most so many times the time of a tenth of the students."""

_WORKERS = f"{workers.DISTRICTS} districts × {workers.ROWS:,}"
_LEAST_SPEEDUP, _LEAST_UPDATES_PER_S = 1.8, 20


def lines(results: Results) -> list[Line]:
    """All comparisons there are measurements for."""
    return [line for compare in _COMPARISONS for line in compare(results)]


def points(results: Results, database: str, work: str, who: str) -> list[fit.Point]:
    """Median seconds at each number of rows, ascending."""
    rows = results.values("rows", "timing", database=database, work=work, who=who)
    found = [(each, _timing(results, database, work, each, who)) for each in rows]
    return [(each, figures.median) for each, figures in found if figures]


def _scripts(results: Results) -> Iterator[Line]:
    for who in _SCRIPTS:
        for work in ("nightly", "unchanged", "rollover", "first load"):
            for database in NAMES:
                where = {"database": database, "work": work, "who": who}
                for rows in results.values("rows", "timing", **where):
                    yield from _script(results, who, work, database, rows)


def _script(results: Results, who: str, work: str, database: str, rows: int) -> Iterator[Line]:
    ours, theirs = (_timing(results, database, work, rows, each) for each in ("rollbook", who))
    if not ours or not theirs:
        return
    ratio = ours.median / theirs.median
    measured = f"{short(ratio)} ×{spread(_ratios(ours, theirs))}"
    at, most = _SCRIPT_GOALS.get((work, who, database), (0, 0.0))
    goal, met = (f"at most {most:g} ×", ratio <= most) if rows == at else ("", None)
    against = f"{_SCRIPTS[who]} {seconds(theirs)}"
    yield Line(work, NAMES[database], rows, seconds(ours), against, measured, goal, met)


def _ratios(ours: Figures, theirs: Figures) -> Figures:
    """Return the ratios of runs that followed each other."""
    pairs = zip(ours.values, theirs.values, strict=False)
    return Figures(tuple(one / other for one, other in pairs))


def _shapes(results: Results) -> Iterator[Line]:
    for database in NAMES:
        for shape in shapes.SHAPES:
            work, plain = shapes.work_name(shape), shapes.work_name(shapes.PLAIN)
            if shape == shapes.PLAIN:
                continue
            for rows in results.values("rows", "timing", database=database, work=work):
                ours, other = (
                    _timing(results, database, each, rows, "rollbook") for each in (work, plain)
                )
                if not ours or not other:
                    continue
                ratio, most = ours.median / other.median, _SHAPE_GOALS.get(shape)
                goal, met = "", None
                if most and rows >= shapes.MAX_ROWS:
                    goal, met = f"at most {most:g} ×", ratio <= most
                where, against = (work, NAMES[database], rows), f"plain {seconds(other)}"
                yield Line(*where, seconds(ours), against, f"{short(ratio)} ×", goal, met)


def _small(results: Results) -> Iterator[Line]:
    for database in NAMES:
        for record in results.find("small", database=database):
            took, rows = Figures(tuple(record["seconds"])), record["rows"]
            most = _SMALL_GOALS[database, rows]
            goal, met = f"median of at most {most:.2f} s", took.median <= most
            measured = f"median {took.median:.3f} s"
            ours = f"{len(took.values)} updates, {seconds(took)}"
            yield Line("small file", NAMES[database], rows, ours, "", measured, goal, met)


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
    spread = f" ({short(theirs.least / ours.most)}–{short(theirs.most / ours.least)})"
    least = _PEER_GOALS.get(way)
    goal, met = "", None
    if least and rows == _PEER_ROWS:
        goal, met = f"at least {least:g} ×", ratio >= least
    against = f"{name} {seconds(theirs)}, {rows / theirs.median:,.0f} rows/s"
    measured = f"{short(ratio)} × its rows/s{spread}"
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


def _workers(results: Results) -> Iterator[Line]:
    found = {record["workers"]: record for record in results.find("workers")}
    rows, goal = workers.DISTRICTS * workers.ROWS, f"at least {_LEAST_SPEEDUP:g} ×"
    where = (_WORKERS, NAMES["postgres"], rows)
    for count, record in found.items():
        took, rate = record["seconds"], workers.DISTRICTS / record["seconds"]
        ours = f"{count_of(count, 'worker')} {took:.1f} s, the cores {record['busy']:.0%} busy"
        if count == 1:
            yield Line(*where, ours, "", f"{rate:.1f} updates a second", "", None)
            continue
        least = f"at least {_LEAST_UPDATES_PER_S} a second"
        measured = f"{rate:.1f} updates a second"
        yield Line(*where, ours, "", measured, least, rate >= _LEAST_UPDATES_PER_S)
        if 1 in found:
            ratio = found[1]["seconds"] / took
            against = f"1 worker {found[1]['seconds']:.1f} s"
            yield Line(*where, ours, against, f"{ratio:.2f} ×", goal, ratio >= _LEAST_SPEEDUP)


def _large(results: Results) -> Iterator[Line]:
    for database in NAMES:
        measured = dict(points(results, database, "nightly", "rollbook"))
        for rows, took in measured.items():
            few = measured.get(rows // large.TIMES)
            if rows < large.TIMES * MILLION or not few:
                continue
            ratio, goal = took / few, f"at most {_MOST_FOR_LARGE:g} ×"
            against = f"{few:.2f} s for {rows // large.TIMES:,.0f}"
            where = ("nightly, ten times as many", NAMES[database], int(rows))
            ours, measured_ratio = f"{took:.1f} s", f"{short(ratio)} ×"
            yield Line(*where, ours, against, measured_ratio, goal, ratio <= _MOST_FOR_LARGE)


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
    _scripts,
    _shapes,
    _small,
    _peers,
    *serving_goals.COMPARISONS,
    _workers,
    _large,
    _growth,
)


def _timing(results: Results, database: str, work: str, rows: int, who: str) -> Figures | None:
    return results.figures("seconds", "timing", database=database, work=work, rows=rows, who=who)
