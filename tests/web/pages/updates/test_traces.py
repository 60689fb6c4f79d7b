"""What people see of an update is the same however its rows were compared and applied."""

import io
import re
from contextlib import redirect_stdout

import pytest
from django.db import transaction

from rollbook.accounts.models import Member
from rollbook.cli import run
from rollbook.districts.models import District
from rollbook.studentfile.row_validator import RowValidator, ValidColumns
from rollbook.students.models import Student
from rollbook.updates.state_machine import Mode
from tests.faults.folder import HEADER, eventful_night, row
from tests.updates.night import applying, enroll, forget, lift_limits, send
from tests.web.pages.conftest import SignedIn, Visitor

STUDENTS = ("00001", "00021", "00027", "00046", "00050", "00055", "00060")
"""One for each kind of row: a grade, a transfer, two usernames, passwords, duplicates, nothing."""

PAGES = (
    "/updates",
    "/updates/2",
    *(f"/updates/2?show={tab}" for tab in ("updated", "added", "rejected", "unchanged")),
)
DOWNLOADS = ("/updates/2/changes.csv", "/updates/2/rejected.csv")
_TIME = re.compile(r"\d\d?:\d\d(:\d\d)?( [AP]M)?|\d+(\.\d+)? s(econds?)?\b|T[\d:.]+")


@pytest.fixture
def browser(maple: District, manager: Member, visitor: SignedIn) -> Visitor:
    lift_limits(maple)
    enroll(maple, HEADER + "".join(map(row, range(1, 61))))
    return visitor(manager)


def traces(browser: Visitor, district: District, *, simple: bool) -> dict[str, str]:
    """Return all that is shown of a night and of its students, without times."""
    update = send(district, eventful_night(), Mode.ADD)
    rest = applying(update)
    if not simple:
        assert update.stagedrow_set.exclude(simple_columns=None).update(simple_columns=None) > 10
    for _ in rest:
        pass
    shown = {address: browser.read(address).text for address in PAGES}
    shown |= {address: browser.get(address).getvalue().decode() for address in DOWNLOADS}
    for student_id in STUDENTS:
        student = Student.objects.get(student_id=student_id)
        shown[f"page of {student_id}"] = browser.read(f"/students/{student.pk}").text
        with redirect_stdout(io.StringIO()) as out:
            assert run(["student", "show", district.slug, student_id, "--json"]) == 0
        shown[f"student show {student_id}"] = out.getvalue()
    return {name: without_times(text) for name, text in shown.items()}


def without_times(text: str) -> str:
    return _TIME.sub("<time>", text)


@pytest.mark.usefixtures("small_chunks")
def test_simple_rows_leave_the_traces_of_rows_that_are_applied_one_by_one(
    browser: Visitor, maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction.atomic():
        simple = traces(browser, maple, simple=True)
        transaction.set_rollback(True)
    forget(maple)
    monkeypatch.setattr(RowValidator, "validate_columns", lambda *arguments: ValidColumns())
    assert simple == traces(browser, maple, simple=False)
