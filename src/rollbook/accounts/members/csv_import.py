"""Many members at once, out of a staff file: whoever can be invited is, and every other line says why not."""

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
MOST_ROWS = 2000
LARGEST = 1 << 20
"""Bytes of a staff file."""


@dataclass
class ImportResult:
    """What became of a staff file; problems are line and sentence, in the order of the lines."""

    invited: list[Member] = field(default_factory=list)
    there: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)


def import_staff(data: bytes, by: Member, now: datetime) -> ImportResult:
    """Invite whom the file names; who is a member as the file says stays as he is. Raises TableRefused."""
    table = small_csv.read(data, COLUMNS)
    if len(table.rows) > MOST_ROWS:
        raise CsvRejected(
            "too_many_rows",
            table.rows[MOST_ROWS][0],
            f"is row {MOST_ROWS + 1:,}; send {MOST_ROWS:,} at most",
        )
    imported = ImportResult(problems=table.problems)
    ids = _IdsOfSchools(by)
    lines: dict[str, int] = {}
    with transaction.atomic():
        for line, cells in table.rows:
            login = fold_login(cells["EMAIL"])
            if (first := lines.setdefault(login, line)) != line and login:
                imported.problems.append(
                    (line, f"{login} stands in line {first:,} already; keep one of them")
                )
            else:
                _take(imported, line, cells, login, ids, by, now)
    imported.problems.sort()
    return imported


def _take(
    imported: ImportResult,
    line: int,
    cells: dict[str, str],
    login: str,
    ids: "_IdsOfSchools",
    by: Member,
    now: datetime,
) -> None:
    schools = tuple(ids.of(cells["SCHOOLS"]))
    member = members.visible_to(by).select_related("role").filter(email=login).first()
    if member is None:
        try:
            invited = members.invite(
                by.district, login or cells["EMAIL"], cells["FIRST_NAME"], cells["LAST_NAME"],
                cells["ASSIGNED_ROLE"], schools, by, now,
            )  # fmt: skip
        except InvalidMember as refused:
            imported.problems.append((line, "; ".join(refused.reasons)))
        else:
            imported.invited.append(invited)
    elif _is_as_wanted(member, cells, schools):
        imported.there += 1
    else:
        imported.problems.append(
            (
                line,
                f"{login} is a member already and this line says something else; change the member by hand",
            )
        )


def _is_as_wanted(member: Member, cells: dict[str, str], schools: tuple[str, ...]) -> bool:
    wanted = (
        cells["FIRST_NAME"],
        cells["LAST_NAME"],
        cells["ASSIGNED_ROLE"].casefold(),
        sorted(schools),
    )
    known = sorted(member.schools.values_list("organization_id", flat=True))
    return wanted == (member.first_name, member.last_name, member.role.name_key, known)


class _IdsOfSchools:
    """The organization IDs that a cell means; it may also name schools, where a name is that of one only."""

    def __init__(self, by: Member) -> None:
        self._by_name: dict[str, list[str]] = {}
        for key, name in School.objects.filter(district=by.district_id).values_list(
            "organization_id", "name"
        ):
            self._by_name.setdefault(name.casefold(), []).append(key)
            self._by_name[key.casefold()] = [key]

    def of(self, cell: str) -> Iterator[str]:
        for word in dict.fromkeys(part.strip() for part in cell.split("&")):
            if word:
                found = self._by_name.get(word.casefold(), [])
                yield found[0] if len(found) == 1 else word
