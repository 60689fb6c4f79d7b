"""Build a district from a roster export and, if there is one, a schools file.

The export is added by the engine itself, like the first file of a new district. What it can't
contain is made up so that it changes no figure: passwords, of which none counts as changed, and
the staff, who work at the schools of the students they are linked with.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rollbook.accounts import roles
from rollbook.accounts.models import Member
from rollbook.accounts.permissions import RoleType
from rollbook.districts.file_rules import file_rules
from rollbook.districts.models import District, School
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.reading import reader
from rollbook.studentfile.reading.reader import FileScan
from rollbook.studentfile.values.free_text import split_list
from rollbook.students.manual.schools import load_schools
from rollbook.students.models import Student
from rollbook.students.passwords import NOT_KNOWN
from rollbook.updates import runner
from rollbook.updates.models import Manifest, UpdateJob
from rollbook.updates.problem_store import to_problem
from rollbook.updates.receiving import receive
from rollbook.updates.receiving.files import IncomingFile
from rollbook.updates.receiving.receive import Receipt
from rollbook.updates.state_machine import Mode, State

SOURCE = "rollbook"
CHUNK_BYTES = 1 << 20

Watch = Callable[[UpdateJob], None]
"""Is called after each step of an update."""


class UnusableExport(Exception):
    """The roster export can't be used.

    Attributes:
        problem: The first problem.
        rejected: How many rows were rejected; 0: the file as a whole.
    """

    def __init__(self, problem: Problem | None, rejected: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem
        self.rejected = rejected


@dataclass
class _Places:
    """What an export refers to.

    Attributes:
        schools: The SCHOOL_IDs.
        staff: The emails of staff, with the SCHOOL_IDs of their students.
    """

    schools: set[str] = field(default_factory=set)
    staff: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def build(
    district: District, export: Path | None, schools: Mapping[str, str], watch: Watch
) -> None:
    """Add schools, staff and students to a district that has none.

    Args:
        district: The district, with its encoding and date order.
        export: A roster export; None: there are no students.
        schools: SCHOOL_ID to name; those that the export names are added.
        watch: Is called after each step.

    Raises:
        UnusableExport: The export isn't a student file, or some of its rows are rejected.
    """
    places = _places(export, district) if export else _Places()
    load_schools(district, {**{name: name for name in sorted(places.schools)}, **schools})
    _add_staff(district, places.staff)
    if export:
        update = send(district, export, Mode.ADD).update
        run(update, watch)
        _require_added(update)
        Student.objects.filter(district=district).update(password=NOT_KNOWN)
        # The roster is no file that was sent before: each row is compared, and the file isn't.
        Manifest.objects.filter(district=district).delete()
        UpdateJob.objects.filter(pk=update.pk).update(shape=None)


def send(
    district: District, path: Path, mode: Mode, *, is_check: bool = False, header_map: str = ""
) -> Receipt:
    """Create an update of the district with a file.

    Raises:
        OSError: The file can't be read, or the disk is full.
    """
    incoming = IncomingFile()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                incoming.write(chunk)
        return receive.receive(
            district,
            incoming,
            file_name=path.name,
            mode=mode,
            source=SOURCE,
            is_check=is_check,
            header_map=header_map,
        )
    finally:
        incoming.discard()


def run(update: UpdateJob, watch: Watch) -> None:
    """Run an update until it has ended or its plan waits."""
    for _ in runner.run_steps(update.pk):
        update.refresh_from_db()
        watch(update)
    update.refresh_from_db()


def _places(export: Path, district: District) -> _Places:
    scan = reader.scan(export, encoding=district.encoding, rules=file_rules(district))
    places = _Places()
    if scan.refusal or scan.header is None:
        return places
    for batch in reader.read_records(export, encoding=scan.encoding, header=scan.header):
        for row in batch.rows(scan.header):
            if row.damage is None:
                _add_places(places, _values(row.cells, scan))
    return places


def _values(cells: list[str], scan: FileScan) -> Mapping[str, str]:
    columns = scan.header.columns if scan.header else ()
    return {
        column.name: cell.strip() for column, cell in zip(columns, cells, strict=False) if column
    }


def _add_places(places: _Places, values: Mapping[str, str]) -> None:
    school = values.get("SCHOOL_ID", "")
    if school:
        places.schools.add(school)
    for email in split_list(values.get("STAFF", "")):
        places.staff[email.strip().lower()].add(school)


def _add_staff(district: District, staff: Mapping[str, set[str]]) -> None:
    if not staff:
        return
    role = roles.standard(district, RoleType.INSTRUCTOR)
    schools = {each.organization_id: each for each in School.objects.filter(district=district)}
    for email in sorted(staff):
        member = Member.objects.create(
            district=district, email=email, first_name="", last_name="", role=role
        )
        member.schools.set(schools[name] for name in staff[email] if name in schools)


def _require_added(update: UpdateJob) -> None:
    if update.state == State.COMPLETED and not update.rows_rejected:
        return
    stored = update.problem_set.order_by("line", "pk")
    errors = (to_problem(each) for each in stored)
    first = next((each for each in errors if each.severity == "error"), None)
    raise UnusableExport(first, update.rows_rejected)
