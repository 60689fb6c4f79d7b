"""Files from the field are read as the person who sends them would want."""

import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.cli import run
from rollbook.cli.update_report import report_lines
from rollbook.districts.models import District, School
from rollbook.studentfile.columns import BY_NAME
from rollbook.studentfile.problems.database_codes import DATABASE_PROBLEMS
from rollbook.students.models import Change
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import drafts
from rollbook.updates.state_machine import Mode
from tests import depth
from tests.conftest import PASSWORD, make_district, make_member
from tests.updates import night
from tests.web import curl as curling
from tests.web.curl import Curl, Part
from tests.web.field.cases import BASE, SCHOOLS, FieldCase, all_cases
from tests.web.field.checks import Aftermath, Students, failed

pytestmark = pytest.mark.django_db

_CHECKED_LATER = frozenset(
    (
        "names_swapped",
        "mass_deactivation",
        "unusual_age",
        *(problem.code for problem in DATABASE_PROBLEMS),
    )
)
"""What depends on the students: an unusual age can be worse than that of the current value."""


@pytest.fixture(scope="module")
def alder_once(kept: None) -> District:
    """Return a district with the schools and students of ``00-base.csv``."""
    district = make_district("Alder USD")
    for line in SCHOOLS.read_text(encoding="utf-8").splitlines()[1:]:
        organization_id, name = line.split(",")
        School.objects.create(district=district, organization_id=organization_id, name=name)
    receipt = night.send_bytes(district, BASE.read_bytes(), Mode.ADD)
    assert night.finish(receipt.update).rejected == 0
    return district


@pytest.fixture
def sender(alder_once: District, db: None) -> Member:
    return make_member(District.objects.get(pk=alder_once.pk), "ops@alder.example")


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_the_file_is_read_as_its_sender_wants(case: FieldCase, sender: Member) -> None:
    before = export(sender.district)
    response = send(case, sender)
    update = night.last(sender.district)
    aftermath = Aftermath(before, before, frozenset(), response, "", "")
    if update.number > 1:
        night.finish(update)
        aftermath = aftermath_of(update, before, response, sender)
    assert failed(case.checks, aftermath) == [], aftermath


@pytest.mark.parametrize(
    "case", depth.sample(all_cases(), "ways to send a file", daily=40), ids=str
)
def test_each_way_to_send_a_file_finds_the_same_problems(
    case: FieldCase, sender: Member, tmp_path: Path
) -> None:
    fields = dict(case.fields)
    receipt = night.send_bytes(sender.district, case.content, encoding=fields.get("encoding", ""))
    night.finish(receipt.update)
    in_draft = codes_of_draft(case, sender)
    assert codes_of_file_check(case, tmp_path) == in_draft
    assert {
        code: count
        for code, count in receipt.update.problem_counts.items()
        if code not in _CHECKED_LATER
    } == {code: count for code, count in in_draft.items() if code not in _CHECKED_LATER}


def send(case: FieldCase, sender: Member) -> str:
    """Send the file as curl does; return the answer."""
    password = PASSWORD.encode()
    if case.password_with_mark:
        password = b"\xef\xbb\xbf" + password + b"\r\n"
    parts: list[Part] = [("login", sender.email), ("password", password), *case.fields]
    body = curling.form(parts, end=False)
    head = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n' % (
        curling.BOUNDARY.encode(),
        case.file_name,
    )
    end = b"\r\n--%s--\r\n" % curling.BOUNDARY.encode()
    response = Curl(sender.email).raw("start", body + head + case.content + end)
    return curling.text(response)


def export(district: District) -> Students:
    """Return all students as the export writes them."""
    return {
        key: {column: BY_NAME[column].format(value) for column, value in values.items()}
        for key, values in night.students(district).items()
    }


def aftermath_of(update: UpdateJob, before: Students, answer: str, sender: Member) -> Aftermath:
    update.refresh_from_db()
    changes = Change.objects.filter(update=update, field="PASSWORD").select_related("student")
    refusal = night.report_of(update).refusal
    stored = update.stagedrow_set.rejected().values_list("line", flat=True)
    status = curling.text(Curl(sender.email).status())
    return Aftermath(
        before,
        export(update.district),
        frozenset(change.student.student_id or "" for change in changes),
        answer,
        status,
        "\n".join(report_lines(update)),
        night.problems(update),
        frozenset(stored),
        refusal.code if refusal else "",
    )


def codes_of_draft(case: FieldCase, sender: Member) -> dict[str, int]:
    """Return what the browser shows before the update, by code."""
    draft = drafts.create_draft(
        sender,
        night.incoming(case.content),
        file_name="students.csv",
        encoding=dict(case.fields).get("encoding", ""),
        now=timezone.now(),
    )
    return {group.code: group.count for group in drafts.load_preview(draft).groups}


def codes_of_file_check(case: FieldCase, folder: Path) -> dict[str, int]:
    """Return what ``rollbook file check`` prints, by code."""
    encoding = dict(case.fields).get("encoding", "utf-8")
    output = io.StringIO()
    path = folder / "students.csv"
    path.write_bytes(case.content)
    with redirect_stdout(output):
        run(["file", "check", str(path), "--json", "--encoding", encoding])
    counts: dict[str, int] = json.loads(output.getvalue())["counts"]
    return counts
