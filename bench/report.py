"""``python -m bench.report [RESULTS [FOLDER]]`` writes docs/speed.md and docs/speed/*.svg."""

import sys
from pathlib import Path

from bench import svg, table
from bench.goals import lines, points
from bench.line import MIB, NAMES
from bench.peers import WAYS
from bench.results import Results
from bench.svg import Bar, Curve

_ROOT = Path(__file__).resolve().parent.parent
_WHO = {"rollbook": "Rollbook", "floor": "the floor"}
_NIGHT = {"rollbook": "Rollbook", "merge": "a script of a database administrator"}
_CHART = "an-ordinary-night"
_CHART_TITLE = "An ordinary night: seconds from the last byte of the file to the end"
_WHY = (
    "Where the time goes, and what the missed goals would take: "
    "[profiles and reasons](decisions/0019-performance.md)."
)
_NOTES = (Path(__file__).parent / "how.md").read_text(encoding="utf-8")


def write(results: Results, folder: Path) -> None:
    """``speed.md`` and its pictures, in this folder."""
    pictures = folder / "speed"
    pictures.mkdir(parents=True, exist_ok=True)
    drawn = {name: picture for name, picture in _pictures(results).items() if picture}
    for name, (_, picture) in drawn.items():
        (pictures / f"{name}.svg").write_text(picture, encoding="utf-8")
    images = {name: f"![{title}](speed/{name}.svg)" for name, (title, _) in drawn.items()}
    first = _night(images.pop(_CHART)) if _CHART in images else ""
    page = _page(results, first, "\n\n".join(images.values()))
    (folder / "speed.md").write_text(page, encoding="utf-8")


def _night(image: str) -> str:
    """What a newcomer sees first."""
    return (
        "A nightly file of a district, in which one student out of a hundred has changed. The "
        "script of a database administrator copies the file into the database and merges it in "
        "one statement. It checks nothing, keeps no history and can't be canceled.\n\n"
        f"{image}\n\n"
    )


def _page(results: Results, first: str, shown: str) -> str:
    compared = lines(results)
    verdict = (
        table.verdict(compared).replace("\nNOT MET: ", "\n* Not met: ").replace("\n*", "\n\n*", 1)
    )
    return "\n\n".join(
        (
            "<!-- Written by python -m bench.report from what `make bench` measured; "
            "do not change it here. -->",
            "# How fast it is",
            first + verdict,
            _WHY,
            table.markdown(compared),
            "## Curves",
            shown,
            "## Where this was measured",
            _machine(results),
            _NOTES.rstrip() + "\n",
        )
    )


def _machine(results: Results) -> str:
    machine = results.machine
    facts = [
        f"* {machine['cores']} cores, {machine['memory_bytes'] / MIB / 1024:.0f} GiB of memory, "
        f"{machine['system']}, files on {machine['file_system']}",
        f"* Python {machine['python']}, Rollbook {machine['rollbook']}",
    ]
    for name, settings in machine["databases"].items():
        shown = ", ".join(f"{key} {value}" for key, value in settings.items() if key != "version")
        facts.append(f"* {NAMES[name]} {settings['version']}: {shown}")
    facts.append(
        f"* measured on {machine['date']}, in {machine['minutes']} minutes; "
        f"{results.plan['runs']} runs"
    )
    if note := machine.get("note"):
        facts.append(f"* {note}")
    return "\n".join(facts)


def _pictures(results: Results) -> dict[str, tuple[str, str] | None]:
    """By the file's name: title and picture, or None where there are no two points."""
    pictures: dict[str, tuple[str, str] | None] = {_CHART: _night_chart(results)}
    for database, name in NAMES.items():
        for work in ("nightly", "rollover", "first load"):
            title = f"{work.capitalize()} on {name}"
            everybody = _WHO | WAYS if work == "nightly" else _WHO
            times = [
                Curve(who, points(results, database, work, key)) for key, who in everybody.items()
            ]
            pictures[f"{work.replace(' ', '-')}-{database}"] = _picture(
                title, "rows", "seconds", times
            )
    memory = [_memory(results, key) for key in NAMES]
    pictures["memory"] = _picture("Memory of the worker at most", "rows", "MiB", memory)
    return pictures


def _night_chart(results: Results) -> tuple[str, str] | None:
    """Return bars for the largest number of students that both have processed, by database."""
    groups = []
    for database, name in NAMES.items():
        times = {who: dict(points(results, database, "nightly", who)) for who in _NIGHT}
        both = times["rollbook"].keys() & times["merge"].keys()
        if both:
            rows = max(both)
            taken = {who: times[who][rows] for who in _NIGHT}
            bars = [Bar(_NIGHT[who], taken[who], f"{taken[who]:.1f} s") for who in _NIGHT]
            groups.append((f"{name}, {rows:,.0f} students", bars))
    return (_CHART_TITLE, svg.bars(_CHART_TITLE, groups)) if groups else None


def _memory(results: Results, database: str) -> Curve:
    peaks = [
        (rows, figures.most / MIB)
        for rows in results.values("rows", "memory", database=database, role="worker")
        if (
            figures := results.figures(
                "bytes", "memory", database=database, role="worker", rows=rows
            )
        )
    ]
    return Curve(NAMES[database], peaks)


def _picture(title: str, across: str, up: str, drawn: list[Curve]) -> tuple[str, str] | None:
    some = [curve for curve in drawn if curve.points]
    if not any(len(curve.points) > 1 for curve in some):
        return None
    return title, svg.curves(title, across, up, some)


if __name__ == "__main__":
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else _ROOT / "bench" / "results.json"
    write(Results.load(source), Path(sys.argv[2]) if len(sys.argv) > 2 else _ROOT / "docs")
