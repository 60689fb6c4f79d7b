"""Compare a file with the last ones that have the same columns: shape, rows and students.

Two files a night, or a file that a person sends in between, are nothing unusual. So a file is
compared with the one of the last few that it resembles most.
"""

from array import array
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from rollbook.studentfile.columns import COLUMNS
from rollbook.studentfile.shape import Shape, column_distance, distance
from rollbook.text import count_of, format_number
from rollbook.updates.feed.findings import THRESHOLDS, Finding, Threshold
from rollbook.updates.manifest import manifest, ranges
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning.measures import ADDED_STUDENTS
from rollbook.updates.state_machine import State

FILES_COMPARED = 6
FILES_READ = 30
"""The last completed files, among which those with the same columns are looked for."""

ALIKE = 0.1
"""Of files that a file resembles nearly as much, it is compared with the newest."""

MIN_RECORDS = 100
"""Of fewer records, each is too large a share to say that a column looks different."""

PART = 0.5
"""A file with a smaller share of the last one's rows is taken for a part of it, if it says nothing
about the students that it leaves out."""

PART_HOLDS_PERCENT = 90
"""Such a file is of other students, so only a column that looks entirely different is reported."""

BEGINNING = 0.9
"""A part is the beginning of a file that was cut off if this share of its students are those with
which the last file begins."""

MAX_STUDENTS_COMPARED = 50_000
"""Of a larger file, the students of every n-th row are looked for in the last file."""

_ORDER = {column.name: number for number, column in enumerate(COLUMNS)}


@dataclass(frozen=True, slots=True)
class LastFile:
    """An earlier file with the same columns.

    Attributes:
        update: Its update.
        shape: Its shape.
        distances: How different each column looks, from 0 to 1.
    """

    update: UpdateJob
    shape: Shape
    distances: dict[str, float]

    def difference_from(self, update: UpdateJob) -> float:
        """Return how little a file resembles this one: by its worst column and its rows."""
        rows = self.update.rows, update.rows
        missing = 1 - min(rows) / max(*rows, 1)
        return max(self.distances.values(), default=0.0) + missing


def _find(update: UpdateJob, shape: Shape) -> Iterator[LastFile]:
    """Yield the files that a file can be compared with, the newest first.

    Nearly always that one is enough, so the others are only read if they are asked for.
    """
    completed = UpdateJob.objects.filter(
        district=update.district_id, state=State.COMPLETED, shape__isnull=False, corrects=None
    )
    others = completed.exclude(pk=update.pk).only("district", "number", "rows", "shape")
    earlier = others.order_by("-number")
    for each in chain.from_iterable((earlier[:1], earlier[1:FILES_READ])):
        other = Shape.from_json(each.shape or {})
        if other.columns.keys() == shape.columns.keys():
            yield LastFile(each, other, distance(shape, other))


def compare(update: UpdateJob, shape: Shape) -> Iterator[Finding]:
    """Yield what looks wrong with a file, compared with the last ones, if there are any."""
    following = islice(_find(update, shape), FILES_COMPARED)
    files = list(islice(following, 1))
    if not files:
        return
    if files[0].difference_from(update) > ALIKE:
        files += following
    differences = [each.difference_from(update) for each in files]
    last = next(each for each in files if each.difference_from(update) <= min(differences) + ALIKE)
    is_part = update.rows < PART * last.update.rows and update.mode != "sync"
    if not is_part:
        yield from _students(update, chain([last], files, following))
    if not is_part or _is_beginning(update, last.update):
        yield from _rows(update, last.update)
    yield from _shape(shape, last, is_part=is_part)


def _shape(shape: Shape, last: LastFile, *, is_part: bool) -> Iterator[Finding]:
    if min(shape.records, last.shape.records) < MIN_RECORDS:
        return
    found = [_column(name, shape, last) for name in sorted(last.distances, key=_ORDER.__getitem__)]
    threshold = THRESHOLDS["shape_changed"]
    if is_part:
        threshold = Threshold(PART_HOLDS_PERCENT, PART_HOLDS_PERCENT)
    changed = [each for each in found if threshold.is_reached(each.count, each.of)]
    shifted = _shifted(shape, last, {each.column for each in changed if each.holds})
    if shifted:
        yield shifted
        changed = [each for each in changed if each.column not in shifted.columns]
    yield from changed


def _column(name: str, shape: Shape, last: LastFile) -> Finding:
    """Return how different a column looks, whether that is much or not."""
    count, of = round(last.distances[name] * shape.records), shape.records
    return Finding(
        "shape_changed",
        count,
        of,
        name,
        holds=THRESHOLDS["shape_changed"].is_held(count, of),
        hint=_what_changed(name, shape, last),
        columns=frozenset({name}),
    )


def _shifted(shape: Shape, last: LastFile, changed: Collection[str]) -> Finding | None:
    """Return that most of the changed columns look like their neighbor on the same side did."""
    names = list(shape.columns)
    for side, word in ((-1, "before"), (1, "after")):
        neighbors = dict(zip(names[1:-1], names[1 + side :], strict=False))
        like = [name for name in changed if _is_like(shape, last, name, neighbors.get(name))]
        like.sort(key=names.index)
        if THRESHOLDS["columns_shifted"].is_reached(len(like), 1) and 2 * len(like) > len(changed):
            figure = f"{len(like)} of {count_of(len(changed), 'changed column')}"
            return Finding(
                "columns_shifted",
                len(like),
                len(names),
                like[0],
                holds=True,
                hint=f"{figure}, from {like[0]} on, look like the one {word} it did",
                columns=frozenset(changed),
            )
    return None


def _is_like(shape: Shape, last: LastFile, name: str, other: str | None) -> bool:
    """Return whether a column looks like another one did."""
    if other is None:
        return False
    share = column_distance(shape, name, last.shape, other)
    return 100 * share < THRESHOLDS["shape_changed"].warns


def _what_changed(name: str, shape: Shape, last: LastFile) -> str:
    """Return how a column looks now and looked then, by what most of its cells have in common."""
    now, then = shape.columns[name], last.shape.columns[name]
    percent = round(100 * last.distances[name])
    blank_now = round(100 * now.blank / shape.records)
    blank_then = round(100 * then.blank / last.shape.records)
    if blank_now - blank_then >= THRESHOLDS["shape_changed"].warns:
        return f"{name} is blank in {blank_now} % of the rows, and was in {blank_then} %"
    forms = [max(each.masks, key=each.masks.__getitem__, default="") for each in (now, then)]
    if all(forms) and len(set(forms)) > 1:
        return (
            f"{name} looks different in {percent} % of the rows: most are like {forms[0]}, and "
            f"were like {forms[1]}"
        )
    return f"{name} looks different in {percent} % of the rows: its values have other forms"


def _is_beginning(update: UpdateJob, last: UpdateJob) -> bool:
    """Return whether a file has the students with which another one begins, and then ends."""
    students = _in_order(update)
    if len(students) < THRESHOLDS["fewer_rows"].count:
        return False
    first = set(_in_order(last)[: len(students)])
    is_alike = len(first.intersection(students)) >= BEGINNING * len(students)
    return is_alike and not manifest.is_damaged(last)


def _rows(update: UpdateJob, last: UpdateJob) -> Iterator[Finding]:
    missing = last.rows - update.rows
    rows = count_of(update.rows, "row")
    compared = f"it has {rows}, and update {last.number} had {format_number(last.rows)}"
    fewer, more = THRESHOLDS["fewer_rows"], THRESHOLDS["more_rows"]
    if fewer.is_reached(missing, last.rows):
        holds = fewer.is_held(missing, last.rows)
        yield Finding("fewer_rows", missing, last.rows, holds=holds, hint=compared)
    elif more.is_reached(-missing, update.rows):
        holds = more.is_held(-missing, update.rows)
        columns = frozenset({ADDED_STUDENTS})
        yield Finding("more_rows", -missing, update.rows, "", holds, compared, (), columns)


def _students(update: UpdateJob, files: Iterable[LastFile]) -> Iterator[Finding]:
    """Yield that the rows are about other students than those of each of these files.

    The first one is named; the others are only read if its students are others.
    """
    found = None
    for each in files:
        compared = _other_students(update, each.update)
        if compared is None or manifest.is_damaged(each.update):
            return
        found = found or compared
    if found:
        yield found


def _other_students(update: UpdateJob, last: UpdateJob) -> Finding | None:
    """Return that the rows are about other students, beyond those who were unknown before, too.

    More rows are reported elsewhere.
    """
    named_before = _in_order(last)
    if not named_before:  # its details have expired
        return None
    named = _in_order(update)
    of_every = -(-len(named) // MAX_STUDENTS_COMPARED) or 1
    both = of_every * len(set(named[::of_every]).intersection(named_before))
    usual = min(1.0, len(named_before) / max(last.rows, 1))
    strangers, threshold = max(0, update.rows - both), THRESHOLDS["other_students"]
    unusual = round(min(update.rows, last.rows) - both / usual)
    if not threshold.is_reached(unusual, update.rows):
        return None
    rows = count_of(update.rows, "row")
    return Finding(
        "other_students",
        strangers,
        update.rows,
        holds=threshold.is_held(unusual, update.rows),
        hint=f"{format_number(strangers)} of {rows} are about no student of update {last.number}",
        columns=frozenset({ADDED_STUDENTS}),
    )


def _in_order(update: UpdateJob) -> "array[int]":
    """Return the students whom a file names; none if their IDs can't be read."""
    try:
        return ranges.students_of(update)
    except (ValueError, KeyError):
        return array("q")
