"""Check GROUPS cells in which an ``&`` could be part of a name, such as Arts & Crafts.

An ``&`` separates groups, and ``&&`` is an ``&`` in a name. Where an ``&`` would create groups, it
could have been meant as part of a name, so the rows say so.
"""

from collections.abc import Iterator, Sequence

from rollbook.studentfile.problems.problem import Problem, printable_excerpt
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import RawRow
from rollbook.studentfile.row_validator import ValidatedRow
from rollbook.studentfile.values.free_text import has_bare_separator, split_list
from rollbook.students.matching import Match
from rollbook.students.models import DEFAULT_GROUP, Group

_DEFAULT_KEY = DEFAULT_GROUP.casefold()


class GroupCells:
    """Compares the GROUPS of one file with the groups of the district's schools.

    It loads the groups of a school once, so it doesn't notice groups that are added later.
    """

    def __init__(self, district_id: int, header: Header) -> None:
        self._district_id = district_id
        names = [column.name if column else "" for column in header.columns]
        self._index = names.index("GROUPS") if "GROUPS" in names else None
        self._keys_by_school: dict[str, set[str]] = {}

    def check(
        self,
        cells: Sequence[RawRow],
        rows: Sequence[ValidatedRow],
        matches: Sequence[Match],
    ) -> None:
        """Report groups that would be created because of an ``&``.

        If none of a student's groups exists, the student keeps the current groups.

        Args:
            cells: The rows as written in the file.
            rows: The same rows, validated.
            matches: Which student each row means.
        """
        if self._index is None:
            return
        for raw, row, match in zip(cells, rows, matches, strict=True):
            if "&" in row.values.get("GROUPS", "") and has_bare_separator(raw.cells[self._index]):
                stored = match.student.values if match.student else {}
                school = row.values.get("SCHOOL_ID") or stored.get("SCHOOL_ID", "")
                row.problems += self._problems(row, school, is_enrolled=bool(stored))

    def _problems(self, row: ValidatedRow, school: str, *, is_enrolled: bool) -> Iterator[Problem]:
        keys = self._keys_of(school)
        names = split_list(row.values["GROUPS"])
        new = [name for name in names if name.casefold() not in keys]
        if not new:
            return
        if is_enrolled and len(new) == len(names):
            del row.values["GROUPS"]
            yield Problem("ambiguous_groups", row.line, "GROUPS", _excerpt(names, " & "))
            return
        keys.update(name.casefold() for name in new)
        yield Problem("new_groups", row.line, "GROUPS", _excerpt(new, ", "))

    def _keys_of(self, school: str) -> set[str]:
        """Return the case-folded names of a school's groups, and of those that rows will add."""
        keys = self._keys_by_school.get(school)
        if keys is None:
            groups = Group.objects.filter(
                school__district_id=self._district_id, school__organization_id=school
            )
            keys = {_DEFAULT_KEY, *groups.values_list("name_key", flat=True)}
            self._keys_by_school[school] = keys
        return keys


def _excerpt(names: Sequence[str], separator: str) -> str:
    return printable_excerpt(separator.join(names))
