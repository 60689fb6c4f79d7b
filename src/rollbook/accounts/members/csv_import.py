"""Import of members from a staff file: valid rows are invited, and all others are reported."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from rollbook.accounts.auth.sign_in import fold_login
from rollbook.accounts.members import members
from rollbook.accounts.members.validation import InvalidMember
from rollbook.accounts.models import Member
from rollbook.districts.models import School
from rollbook.studentfile import small_csv
from rollbook.studentfile.small_csv import CsvRejected

COLUMNS = ("FIRST_NAME", "LAST_NAME", "ASSIGNED_ROLE", "EMAIL", "SCHOOLS")
MAX_ROWS = 2000
MAX_FILE_BYTES = 1 << 20
"""Maximum size of a staff file in bytes."""


@dataclass
class ImportResult:
    """The result of importing a staff file.

    Attributes:
        invited: The new members.
        there: The number of rows that match an existing member.
        problems: Line number and text of each problem, sorted by line.
    """

    invited: list[Member] = field(default_factory=list)
    existing_count: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)


def import_staff(data: bytes, by: Member, now: datetime) -> ImportResult:
    """Invite the people in the file who aren't members yet; existing members don't change.

    Raises:
        CsvRejected: The file as a whole can't be used.
    """
    table = small_csv.read(data, COLUMNS)
    if len(table.rows) > MAX_ROWS:
        line, _ = table.rows[MAX_ROWS]
        raise CsvRejected(
            "too_many_rows",
            line,
            f"is row {MAX_ROWS + 1:,}; a staff file can have at most {MAX_ROWS:,}",
        )
    row_importer = _RowImporter(by, now, table.problems)
    with transaction.atomic():
        for line, cells in table.rows:
            row_importer.import_row(line, cells)
    row_importer.result.problems.sort()
    return row_importer.result


class _RowImporter:
    """Imports the rows of a staff file one by one."""

    def __init__(self, by: Member, now: datetime, problems: list[tuple[int, str]]) -> None:
        self.result = ImportResult(problems=problems)
        self._by = by
        self._now = now
        self._school_ids = _SchoolIds(by)
        self._first_lines: dict[str, int] = {}

    def import_row(self, line: int, cells: dict[str, str]) -> None:
        """Invite the person in this row, or add to the result why not."""
        login = fold_login(cells["EMAIL"])
        first_line = self._first_lines.setdefault(login, line)
        if first_line != line and login:
            self._add_problem(line, f"{login} is already in line {first_line:,}; keep one of them")
            return
        schools = tuple(self._school_ids.in_cell(cells["SCHOOLS"]))
        visible = members.visible_to(self._by)
        member = visible.select_related("role").filter(email=login).first()
        if member is None:
            self._invite(line, cells, login, schools)
        elif _is_unchanged(member, cells, schools):
            self.result.existing_count += 1
        else:
            self._add_problem(
                line, f"{login} is already a member, with other data; edit the member instead"
            )

    def _invite(
        self, line: int, cells: dict[str, str], login: str, schools: tuple[str, ...]
    ) -> None:
        try:
            member = members.invite(
                self._by.district,
                login or cells["EMAIL"],
                cells["FIRST_NAME"],
                cells["LAST_NAME"],
                cells["ASSIGNED_ROLE"],
                schools,
                self._by,
                self._now,
            )
        except InvalidMember as error:
            self._add_problem(line, "; ".join(error.reasons))
        else:
            self.result.invited.append(member)

    def _add_problem(self, line: int, text: str) -> None:
        self.result.problems.append((line, text))


def _is_unchanged(member: Member, cells: dict[str, str], schools: tuple[str, ...]) -> bool:
    """Return whether the row has the same data as the member."""
    in_file = (
        cells["FIRST_NAME"],
        cells["LAST_NAME"],
        cells["ASSIGNED_ROLE"].casefold(),
        sorted(schools),
    )
    school_ids = sorted(member.schools.values_list("organization_id", flat=True))
    return in_file == (member.first_name, member.last_name, member.role.name_key, school_ids)


class _SchoolIds:
    """The School IDs of a district, by ID and by name."""

    def __init__(self, by: Member) -> None:
        self._ids: dict[str, list[str]] = {}
        schools = School.objects.filter(district=by.district_id)
        for school_id, name in schools.values_list("organization_id", "name"):
            self._ids.setdefault(name.casefold(), []).append(school_id)
            self._ids[school_id.casefold()] = [school_id]

    def in_cell(self, cell: str) -> Iterator[str]:
        """Yield the School IDs in a cell of IDs and names, separated by ``&``.

        Words that don't identify exactly one school are yielded unchanged.
        """
        words = [word.strip() for word in cell.split("&")]
        for word in dict.fromkeys(words):
            if word:
                ids = self._ids.get(word.casefold(), [])
                yield ids[0] if len(ids) == 1 else word
