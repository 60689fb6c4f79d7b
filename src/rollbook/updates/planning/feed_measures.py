"""What is measured of a file as a whole; its thresholds are the same in all districts.

The figures are found by ``updates/feed``; here are their words.
"""

from collections.abc import Iterator, Mapping

from rollbook.updates.planning.limits import Reason
from rollbook.updates.planning.measures import MEASURES, Measure, Measured
from rollbook.updates.planning.summary import Counts


def _none(counts: Counts) -> Iterator[Measured]:
    """Yield nothing: a summary has no such figure."""
    return iter(())


def _measure(name: str, noun: str, text: str) -> Measure:
    return Measure(name, text, noun, _none)


FEED_MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        _measure("shape_changed", "row", "look different in {column} than in the last file"),
        _measure("columns_shifted", "column", "look like their neighbors in the last file"),
        _measure("ids_changed_form", "ID", "are unknown, but known in another form"),
        _measure(
            "dates_day_first",
            "changed date",
            "are those of the students with day and month exchanged",
        ),
        _measure("fewer_rows", "row", "are missing, compared with the last file"),
        _measure("more_rows", "row", "are more than the last file had"),
        _measure("other_students", "row", "are about no student of the last file"),
        _measure("goes_back", "change", "undo a change of the last 14 days"),
        _measure("earlier_file", "file", "is that of an earlier night, and another came since"),
    )
}
"""All of them by name."""


_AFTER_LIMITS = frozenset({"fewer_rows", "more_rows", "shape_changed"})


def comes_last(reason: Reason) -> bool:
    """Return whether what would happen to students says more, and is shown before this reason."""
    return reason.measure in _AFTER_LIMITS


def measure_of(name: str) -> Measure:
    """Return the measure of a reason."""
    return MEASURES.get(name) or FEED_MEASURES[name]


def noun_of(name: str) -> str:
    """Return what a measure counts: ``student``, ``row``, ``change`` …."""
    of = measure_of(name).of
    return {"active": "student", "rows": "row"}.get(of, of)
