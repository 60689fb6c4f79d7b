"""Check GROUPS cells in which an ``&`` could be part of a name, such as Arts & Crafts.

An ``&`` separates groups, and ``&&`` is an ``&`` in a name. Where an ``&`` would create groups, it
could have been meant as part of a name, so the rows say so.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from sys import intern

from rollbook.studentfile.problems.problem import Problem, printable_excerpt
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import RawRow
from rollbook.studentfile.row_validator import ValidatedRow
from rollbook.studentfile.values.free_text import has_bare_separator, split_list
from rollbook.students.models import DEFAULT_GROUP, Group
from rollbook.students.snapshots import StudentSnapshot

_DEFAULT_KEY = DEFAULT_GROUP.casefold()


class GroupCells:
    """Compares the GROUPS of one file with the groups of the district's schools.

    The groups are loaded once, so groups that are added later aren't noticed.
    """

    def __init__(self, district_id: int, header: Header, *, may_add: bool) -> None:
        self._district_id = district_id
        self._may_add = may_add
        self._text = header.getter("GROUPS")

    def check(
        self,
        cells: Sequence[RawRow],
        rows: Sequence[ValidatedRow],
        students: Sequence[StudentSnapshot | None],
    ) -> None:
        """Report groups that would be created because of an ``&``.

        A student keeps the current groups if no school of the district has any of the groups.

        Args:
            cells: The rows as written in the file.
            rows: The same rows, validated.
            students: The student of each row, if there is one.
        """
        text = self._text
        if text is None:
            return
        for raw, row, student in zip(cells, rows, students, strict=True):
            if "&" not in row.values.get("GROUPS", "") or row.rejected:
                continue
            is_used = student or self._may_add
            if is_used and has_bare_separator(text(raw.cells)):
                row.problems += self._problems(row, student)

    def _problems(self, row: ValidatedRow, student: StudentSnapshot | None) -> Iterator[Problem]:
        stored = student.values if student else {}
        school = row.values.get("SCHOOL_ID") or stored.get("SCHOOL_ID", "")
        existing = self._keys_by_school[school]
        keys = {name.casefold(): name for name in split_list(row.values["GROUPS"])}
        new = [name for key, name in keys.items() if key not in existing]
        if student and new and self._all_keys.isdisjoint(keys):
            del row.values["GROUPS"]
            yield Problem("ambiguous_groups", row.line, "GROUPS", _excerpt(keys.values(), " & "))
        elif new:
            existing.update(keys)
            self._all_keys.update(keys)
            yield Problem("new_groups", row.line, "GROUPS", _excerpt(new, ", "))

    @cached_property
    def _keys_by_school(self) -> defaultdict[str, set[str]]:
        """Case-folded names of groups by School ID, with those that rows will add."""
        groups = Group.objects.filter(school__district_id=self._district_id)
        keys: defaultdict[str, set[str]] = defaultdict(lambda: {_DEFAULT_KEY})
        for school, key in groups.values_list("school__organization_id", "name_key"):
            keys[school].add(intern(key))
        return keys

    @cached_property
    def _all_keys(self) -> set[str]:
        return set().union(*self._keys_by_school.values())


def _excerpt(names: Iterable[str], separator: str) -> str:
    return printable_excerpt(separator.join(names))
