"""List the rows of an update that changed nothing, page by page, from its checked ranges."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rollbook.pagination import Page, get_page
from rollbook.students.models import Student
from rollbook.updates.manifest import ranges
from rollbook.updates.models import CheckedRange, StagedRow, UpdateJob
from rollbook.updates.reporting.rows import RowView, views_of_unchanged


@dataclass(frozen=True)
class _Stretch:
    """The unchanged rows of one checked range.

    Attributes:
        key: The primary key of the range.
        count: How many there are.
    """

    key: int
    count: int


def page_of(update: UpdateJob, number: int, size: int) -> Page[RowView]:
    """Return one page of the unchanged rows in file order, without those of deleted students.

    Args:
        update: The update.
        number: The number of the page, from 1.
        size: The number of rows on a page.
    """
    other_lines = _other_lines(update)
    stretches = list(_stretches(update, other_lines))
    total = sum(stretch.count for stretch in stretches)

    def rows(first: int, last: int) -> Sequence[RowView]:
        return _views(update, dict(_between(stretches, other_lines, first, last)))

    return get_page(total, number, size, rows)


def _other_lines(update: UpdateJob) -> "array[int]":
    """Return the lines of all rows that changed something, were rejected, or wait, ascending."""
    staged = StagedRow.objects.filter(update=update).with_outcome(update).except_unchanged()
    return array("q", staged.order_by("line").values_list("line", flat=True).iterator())


def _stretches(update: UpdateJob, other_lines: Sequence[int]) -> Iterator[_Stretch]:
    stored = update.checkedrange_set.defer("fingerprints", "student_ids").order_by("end_line")
    for checked in stored.iterator():
        yield _Stretch(checked.pk, len(_unchanged_positions(checked, other_lines)))


def _unchanged_positions(checked: CheckedRange, other_lines: Sequence[int]) -> Sequence[int]:
    """Return the positions of a range's records that changed nothing."""
    lines = ranges.lines_of(checked)
    if not lines:
        return ()
    first, last = bisect_left(other_lines, lines[0]), bisect_left(other_lines, lines[-1] + 1)
    if first == last:
        return range(len(lines))
    others = set(other_lines[first:last])
    numbered = enumerate(lines)
    return [position for position, line in filter(lambda pair: pair[1] not in others, numbered)]


def _between(
    stretches: Sequence[_Stretch], other_lines: Sequence[int], first: int, last: int
) -> Iterator[tuple[int, int]]:
    """Yield line and student of the unchanged rows from one position to another."""
    begin = 0
    for stretch in stretches:
        end = begin + stretch.count
        if begin < last and end > first:
            checked = CheckedRange.objects.defer("fingerprints").get(pk=stretch.key)
            lines, students = ranges.lines_of(checked), ranges.students_in(checked)
            positions = _unchanged_positions(checked, other_lines)
            for position in positions[max(first - begin, 0) : last - begin]:
                yield lines[position], abs(students[position])
        begin = end


def _views(update: UpdateJob, students_by_line: Mapping[int, int]) -> list[RowView]:
    found = Student.objects.filter(district=update.district_id)
    students = found.in_bulk(list(students_by_line.values()))
    kept: dict[int, Student] = {}
    for line, key in students_by_line.items():
        if student := students.get(key):
            kept[line] = student
    return views_of_unchanged(update, kept)
