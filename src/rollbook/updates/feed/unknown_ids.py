"""Find IDs that are unknown as they are written, but known in another form."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from django.db import connection

from rollbook.db.json_keys import IN_JSON_TEXTS, as_json_parameter, lateral_lookup_sql
from rollbook.studentfile.fixes import Fix, FixStep
from rollbook.studentfile.reading.header import Header
from rollbook.students.models import Student
from rollbook.text import count_of, format_number
from rollbook.updates.feed import sample
from rollbook.updates.feed.findings import THRESHOLDS, Finding
from rollbook.updates.models import UpdateJob

COLUMN = "STUDENT_ID"
TRIED = 200
"""Unknown IDs with which each form is tried before the whole file is read."""

MAX_PREFIX_LENGTH = 12
MIN_SHARE = 0.5
"""The share of the unknown IDs that have to be known in another form."""

PROVEN_SHARE = 0.95
"""The share of the unknown IDs from which on the form is offered as a fix."""

_LOOKED_UP_AT_ONCE = 20_000
_SUFFIX = ".0"

_STUDENTS = lateral_lookup_sql(
    "students_student",
    "student",
    "student.district_id = %s AND student.student_id = item.value",
)
_KNOWN = f"SELECT student.student_id FROM {_STUDENTS}"
_COUNT_KNOWN = f"""
SELECT COUNT(*) FROM students_student WHERE district_id = %s AND student_id {IN_JSON_TEXTS}"""


def find(update: UpdateJob, header: Header, rows: Sequence[Sequence[str]]) -> Iterator[Finding]:
    """Yield in which form the unknown IDs of a file are known, if most of them are.

    Args:
        update: The update.
        header: The file's header.
        rows: The cells of a sample of its rows.
    """
    index = sample.header_of_cells(header).index_of(COLUMN)
    if index is None:
        return
    ids = {row[index].strip() for row in rows if index < len(row)} - {""}
    unknown_count = len(ids) - _count_known(update.district_id, ids)
    if not THRESHOLDS["ids_changed_form"].is_reached(unknown_count, len(ids)):
        return
    unknown = sorted(ids - _known(update.district_id, ids))
    fixes = _best(update.district_id, unknown[:: -(-len(unknown) // TRIED)])
    if fixes:
        yield from _of_all(update, partial(sample.all_cells, update, header, index), fixes)


def _best(district_id: int, unknown: Sequence[str]) -> tuple[Fix, ...]:
    """Return the form in which most of these IDs are known; nothing if there is none."""
    tried: dict[tuple[Fix, ...], int] = {}
    for fixes in _forms(district_id, unknown):
        fixed = {_apply(fixes, value) for value in unknown}
        tried[fixes] = len(_known(district_id, fixed))
    best = max(tried, key=tried.__getitem__, default=())
    return best if tried.get(best, 0) >= MIN_SHARE * len(unknown) else ()


def _forms(district_id: int, unknown: Sequence[str]) -> Iterator[tuple[Fix, ...]]:
    """Yield forms that are worth a try, the simple ones first."""
    suffix = [Fix(COLUMN, FixStep.STRIP_SUFFIX, _SUFFIX)]
    pads = [Fix(COLUMN, FixStep.PAD, str(width)) for width in _widths(district_id)]
    for pad in pads:
        yield (pad,)
    if any(value.endswith(_SUFFIX) for value in unknown):
        yield tuple(suffix)
        for pad in pads:
            yield (*suffix, pad)
    for case in ("upper", "lower"):
        yield (Fix(COLUMN, FixStep.CASE, case),)
    for prefix in _prefixes(unknown):
        yield (Fix(COLUMN, FixStep.STRIP_PREFIX, prefix),)


def _widths(district_id: int) -> list[int]:
    """Return the most frequent lengths of the district's IDs."""
    students = Student.objects.filter(district=district_id).exclude(student_id=None)
    widths = Counter[int]()
    for order in ("-student_id", "student_id"):
        some = students.order_by(order).values_list("student_id", flat=True)[:TRIED]
        widths.update(len(student_id or "") for student_id in some)
    return [width for width, _ in widths.most_common(2)]


def _prefixes(unknown: Sequence[str]) -> Iterator[str]:
    """Yield the beginnings that most of these IDs have in common, the shortest first."""
    for length in range(1, MAX_PREFIX_LENGTH + 1):
        beginnings = Counter(value[:length] for value in unknown if len(value) > length)
        for prefix, count in beginnings.most_common(1):
            if count >= MIN_SHARE * len(unknown):
                yield prefix


@dataclass(slots=True)
class _Tally:
    """What the IDs of a whole file are in another form.

    Attributes:
        ids: How many there are.
        unknown: How many are unknown as they are written.
        matches: The other forms of these that are known, and of how many IDs each is the form.
        is_broken: Whether a known ID would be another one.
        fixed: The IDs in the other form.
    """

    ids: int = 0
    unknown: int = 0
    is_broken: bool = False
    fixed: Counter[str] = field(default_factory=Counter)
    matches: Counter[str] = field(default_factory=Counter)

    @property
    def matched(self) -> int:
        """How many IDs are known in the other form."""
        return self.matches.total()


def _of_all(
    update: UpdateJob, read: Callable[[], Iterable[str]], fixes: tuple[Fix, ...]
) -> Iterator[Finding]:
    tally = _Tally()
    values = filter(None, read())
    while some := list(islice(values, _LOOKED_UP_AT_ONCE)):
        _add(tally, update.district_id, {value: _apply(fixes, value) for value in some})
    threshold = THRESHOLDS["ids_changed_form"]
    if threshold.is_reached(tally.matched, tally.ids):
        # Numbers that continue a sequence are other students than those whose IDs they begin with.
        for value in set(filter(tally.matches.__contains__, read())):
            del tally.matches[value]
    if not threshold.is_reached(tally.matched, tally.ids):
        return
    is_proven = tally.matched >= PROVEN_SHARE * tally.unknown and not tally.is_broken
    is_proven = is_proven and max(tally.fixed.values(), default=0) == 1
    yield Finding(
        "ids_changed_form",
        tally.matched,
        tally.ids,
        COLUMN,
        holds=threshold.is_held(tally.matched, tally.ids),
        hint=_sentence(tally, fixes),
        fixes=fixes if is_proven else (),
        columns=frozenset({COLUMN}),
    )


def _add(tally: _Tally, district_id: int, fixed: Mapping[str, str]) -> None:
    known = _known(district_id, {*fixed, *fixed.values()})
    for value, other in fixed.items():
        tally.ids += 1
        tally.fixed[other] += 1
        if value in known:
            tally.is_broken |= other != value
        else:
            tally.unknown += 1
            if other in known:
                tally.matches[other] += 1


def _sentence(tally: _Tally, fixes: Sequence[Fix]) -> str:
    """Return what has happened: ``STUDENT_ID lost its leading zeros: 1,204 of 1,210 IDs …``."""
    what = {
        FixStep.PAD: "lost its leading zeros",
        FixStep.STRIP_SUFFIX: f"ends in {_SUFFIX}",
        FixStep.STRIP_PREFIX: "has got a prefix",
        FixStep.CASE: "is in another case",
        FixStep.DATE_ORDER: "",
    }[fixes[0].step]
    matched, unknown = format_number(tally.matched), count_of(tally.unknown, "unknown ID")
    how = " and ".join(map(str, fixes))
    return f"{COLUMN} {what}: {matched} of {unknown} match when {how}"


def _apply(fixes: Iterable[Fix], value: str) -> str:
    for fix in fixes:
        value = fix.apply(value)
    return value


def _count_known(district_id: int, student_ids: Collection[str]) -> int:
    """Return how many of these IDs are known, which takes less time than to read them."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_KNOWN, [district_id, as_json_parameter(student_ids)])
        count: int = cursor.fetchone()[0]
    return count


def _known(district_id: int, student_ids: Collection[str]) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [as_json_parameter(student_ids), district_id])
        return {student_id for (student_id,) in cursor.fetchall()}
