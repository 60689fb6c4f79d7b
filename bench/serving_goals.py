"""What serving costs, held against the goals: memory, uploads, calls, pages and plans. Pure."""

from collections.abc import Callable, Iterator
from statistics import median

from bench import encryption, plans
from bench.line import MIB, MILLION, NAMES, Line, mib, seconds, short
from bench.results import Figures, Results

_UPLOADS = {"large": ("upload of 200 MB", 2.5), "commas": ("the same with quoted commas", 8.0)}
"""At most so many times the time of the plain server."""

_BEAT = 50  # ms from one call of status to the next
_MOST_FOR_STATUS = 1.5
_CALLED_ROWS = 100_000
_LISTED = 100_000  # students
_MOST_FOR_CANCEL = 0.3  # s
_MOST_FOR_ENCRYPTION = 1.15
_MOST_FOR_JUDGING = 0.05
_MOST_FOR_DECISION = 0.3  # s
_MOST_KEPT = 4.0  # bytes
_MOST_MEMORY_MIB = {"nightly": 150, "": 200}
"""At most so much of a worker: at night, and at any work."""
_FLAT = 24  # bytes a row by which a worker's memory may grow


def _memory(results: Results) -> Iterator[Line]:
    for database in NAMES:
        for work, most in _MOST_MEMORY_MIB.items():
            facts = {"work": work} if work else {}
            peaks = list(_peaks(results, database, **facts))
            name = f"memory of the worker, {work or 'any work'}"
            for rows, peak in peaks:
                goal, met = "", None
                if rows == MILLION:
                    goal, met = f"at most {most} MiB", peak <= most * MIB
                yield Line(name, NAMES[database], rows, mib(peak), "", mib(peak), goal, met)
            if work:
                yield from _flatness(database, peaks)


def _peaks(results: Results, database: str, **facts: str) -> Iterator[tuple[int, float]]:
    """Yield the numbers of rows, with the most memory that the worker needed for them."""
    found = {"database": database, "role": "worker", **facts}
    for rows in results.values("rows", "memory", **found):
        figures = results.figures("bytes", "memory", rows=rows, **found)
        if figures:
            yield rows, figures.most


def _flatness(database: str, most: list[tuple[int, float]]) -> Iterator[Line]:
    (few, low), (many, high) = most[0] if most else (0, 0.0), most[-1] if most else (0, 0.0)
    if many < 10 * few or many < 100_000:  # what every process has says more than the rows
        return
    each = (high - low) / (many - few)
    goal, met = (f"at most {_FLAT} bytes a row", each <= _FLAT) if many >= MILLION else ("", None)
    work, against = "memory of the worker, growth", f"{mib(low)} at {few:,}"
    yield Line(
        work, NAMES[database], many, mib(high), against, f"{each:.1f} bytes a row", goal, met
    )


def _upload(results: Results) -> Iterator[Line]:
    for database in NAMES:
        for file, (work, most) in _UPLOADS.items():
            small, grown, took, copied, sunk = (
                results.figures(key, "upload", database=database, file=file)
                for key in (
                    "small_grown_bytes",
                    "grown_bytes",
                    "seconds",
                    "cp_fsync_seconds",
                    "sink_seconds",
                )
            )
            if not (small and grown and took and copied and sunk):
                continue
            more = max(0.0, grown.most - small.least)
            where = (work, NAMES[database], None)
            size = f"the web process grows by {mib(grown.most)}"
            against, goal = f"a small upload {mib(small.least)}", "less than 16 MiB more"
            yield Line(*where, size, against, f"{mib(more)} more", goal, more < 16 * MIB)
            ratio = took.median / sunk.median
            against, goal = f"a plain TLS server {seconds(sunk)}", f"at most {most:g} ×"
            measured = f"{short(ratio)} ×"
            yield Line(*where, seconds(took), against, measured, goal, ratio <= most)
            measured = f"{short(took.median / copied.median)} ×"
            against = f"cp, on the disk {seconds(copied)}"
            yield Line(*where, seconds(took), against, measured, "", None)


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
                f"{short(ratio)} ×",
                goal,
                met,
            )


def _cancel(results: Results) -> Iterator[Line]:
    for database in NAMES:
        for rows in results.values("rows", "cancel", database=database):
            took = results.figures("seconds", "cancel", database=database, rows=rows)
            if took:
                goal, met = "", None
                if rows == MILLION:
                    goal = f"less than {_MOST_FOR_CANCEL:g} s"
                    met = took.most < _MOST_FOR_CANCEL
                measured = f"at most {took.most:.3f} s"
                ours = f"{len(took.values)} canceled, {seconds(took)}"
                yield Line("cancel, answered", NAMES[database], rows, ours, "", measured, goal, met)


def _status(results: Results) -> Iterator[Line]:
    work, goal = "status while an update runs", "at most 1.5 × at the 95th percentile"
    for database in NAMES:
        for rows in results.values("rows", "status", database=database):
            idle, running = (_calls(results, database, rows, when) for when in ("idle", "running"))
            if idle and running:
                ratio = running[1] / idle[1]
                measured, met = f"{ratio:.2f} ×", ratio <= _MOST_FOR_STATUS
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


COMPARISONS: tuple[Callable[[Results], Iterator[Line]], ...] = (
    _memory,
    _upload,
    _encryption,
    _cancel,
    _status,
    _watched,
    _pages,
    _plans,
)
