"""Server and twin agree on every figure of every file."""

from pathlib import Path
from typing import Any

import pytest

from rollbook.cli.actions import student
from rollbook.districts import schools
from rollbook.districts.models import District
from rollbook.operations.twin import roster
from rollbook.students.manual.schools import load_schools
from rollbook.students.models import Student
from rollbook.students.passwords import NOT_KNOWN
from rollbook.students.snapshots import list_district
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving.receive import receive
from rollbook.updates.state_machine import Mode
from tests import depth
from tests.conftest import make_district
from tests.updates import night
from tests.web.field.cases import BASE, SCHOOLS, FieldCase, all_cases

pytestmark = pytest.mark.django_db

_FIGURES = (
    "state",
    "rows",
    "rows_read",
    "rows_staged",
    "rows_unchanged",
    "rows_rejected",
    "problem_counts",
    "detected_encoding",
    "rules",
    "header",
    "summary",
    "reasons",
    "plan_digest",
)


@pytest.fixture(scope="module")
def both_once(kept: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[District, District]:
    """Return a district of a server, and one that was built from its roster export."""
    district = make_district("Alder USD")
    names = schools.read(SCHOOLS.read_bytes()).names
    load_schools(district, names)
    night.finish(night.send_bytes(district, BASE.read_bytes(), Mode.ADD).update)
    # What an export can't tell: whether a password in the file is another one.
    Student.objects.filter(district=district).update(password=NOT_KNOWN)
    export = tmp_path_factory.mktemp("twin") / "export.csv"
    with export.open("w", encoding="utf-8", newline="") as file:
        student.write(district, list_district(district.pk), file)
    offline = District.objects.create(name="Offline", slug="offline", time_zone=district.time_zone)
    roster.build(offline, export, names, lambda update: None)
    return district, offline


@pytest.fixture
def both(both_once: tuple[District, District], db: None) -> tuple[District, District]:
    district, offline = both_once
    return District.objects.get(pk=district.pk), District.objects.get(pk=offline.pk)


@pytest.mark.parametrize("case", depth.sample(all_cases(), "files of the twin", daily=8), ids=str)
def test_server_and_twin_agree_on_every_figure(
    case: FieldCase, both: tuple[District, District], tmp_path: Path
) -> None:
    server, offline = both
    fields = dict(case.fields)
    mode, encoding = Mode(fields.get("mode", "update")), fields.get("encoding", "")
    sent = receive(
        server,
        night.incoming(case.content),
        file_name="students.csv",
        mode=mode,
        encoding=encoding,
        is_check=True,
    ).update
    night.finish(sent)
    path = tmp_path / "students.csv"
    path.write_bytes(case.content)
    offline.encoding = encoding or offline.encoding
    checked = roster.send(offline, path, mode, is_check=True).update
    roster.run(checked, lambda update: None)
    assert figures(checked) == figures(sent)


def figures(update: UpdateJob) -> dict[str, Any]:
    """Return what a plan says, with the place and text of each problem."""
    update.refresh_from_db()
    named = {name: getattr(update, name) for name in _FIGURES}
    return named | {"problems": night.stored_problems(update)}
