"""Cells of rejected rows are edited in the browser, and the edited rows are applied again."""

from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.utils import timezone

from rollbook.accounts import roles
from rollbook.accounts.audit import student_sets
from rollbook.accounts.models import AuditEvent, Member
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts.models import District
from rollbook.studentfile.columns import COLUMNS
from rollbook.students.models import Student
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import file_chunks, files
from rollbook.web.pages.updates import fix_views
from tests.conftest import make_member
from tests.updates.night import a_class, enroll, finish, send, stored_text
from tests.web.pages.conftest import SignedIn, Visitor

pytestmark = pytest.mark.django_db

BAD = "STUDENT_ID,GRADE,DOB,PASSWORD\ns000,9,,\ns001,99,,topsecret1\ns002,8,2/30/2015,\n"
FIX = "/updates/2/fix"


@pytest.fixture
def rejected(maple: District) -> UpdateJob:
    """Update 2, of which lines 3 and 4 were rejected."""
    enroll(maple, a_class(4, GRADE="4"))
    update = send(maple, BAD)
    finish(update)
    return update


@pytest.fixture
def browser(rejected: UpdateJob, manager: Member, visitor: SignedIn) -> Visitor:
    return visitor(manager)


def latest() -> UpdateJob:
    return UpdateJob.objects.order_by("-number")[0]


def test_wrong_cells_come_first_with_what_is_wrong(browser: Visitor) -> None:
    address = browser.read("/updates/2").links["Fix these rows here"]
    page = browser.read(address)
    assert page.heading == "Fix rejected rows"
    fields = page.form(FIX).fields
    wrong = {name: field["value"] for name, field in fields.items() if "aria-invalid" in field}
    assert wrong == {"3.1": "99", "4.2": "2/30/2015"}
    assert "isn't a grade we recognize" in page.described("3.1")
    assert "topsecret1" not in page.text
    assert not any(field.get("value") == "topsecret1" for field in fields.values())


def test_only_edited_rows_are_applied_in_the_same_mode(
    browser: Visitor, maple: District, manager: Member
) -> None:
    values = browser.read(FIX).form(FIX).values
    values["3.1"] = ["10"]
    page = browser.follow(browser.post(FIX, values))
    assert page.messages == ["Update 3 started with 1 edited row of update 2."]
    update = latest()
    assert (update.number, update.mode, update.member) == (3, "update", manager)
    assert update.corrects == UpdateJob.objects.get(number=2)
    finish(update)
    update.refresh_from_db()
    assert (update.rows, update.rows_updated) == (1, 1)
    assert Student.objects.get(student_id="s001").grade == "10"
    assert "1 of 2 rejected rows fixed in update 3." in browser.read("/updates/2").text
    assert b"topsecret1" not in stored_text(update.spool_name)
    event = AuditEvent.objects.get(action="fix rows", result="started")
    assert event.detail == "update 2 as update 3, 1 row"


def test_without_an_edited_cell_nothing_is_started(browser: Visitor) -> None:
    page = browser.follow(browser.post(FIX, browser.read(FIX).form(FIX).values))
    assert page.messages == ["Nothing was started: no cell was changed. Edit a cell first."]
    assert latest().number == 2


def test_rows_that_were_not_rejected_are_never_applied(browser: Visitor) -> None:
    browser.post(FIX, {"2.1": "12", "999.1": "12", "3.77": "12", "x.1": "12", "3.x": "1"})
    assert latest().number == 2


def test_an_edited_cell_is_still_text_and_never_a_formula(browser: Visitor) -> None:
    browser.post(FIX, {"3.1": '=HYPERLINK("x")'})
    text = stored_text(latest().spool_name).decode()
    assert '''"'=HYPERLINK(""x"")"''' in text
    finish(latest())
    assert latest().rows_rejected == 1


def test_who_may_not_see_confidential_columns_neither_sees_nor_edits_them(
    rejected: UpdateJob, maple: District, manager: Member, visitor: SignedIn
) -> None:
    allowed = [Permission.SEE_STUDENTS, Permission.UPDATE_STUDENTS]
    role = roles.create_role(manager, RoleType.DISTRICT_MANAGER, "Clerk", "", allowed)
    clerk = make_member(maple, "clerk@maple.example")
    Member.objects.filter(pk=clerk.pk).update(role=role)
    browser = visitor(clerk)
    page = browser.read(FIX)
    assert "2/30/2015" not in page.response.content.decode()
    assert "4.2" not in page.form(FIX).fields
    browser.post(FIX, {"4.2": "1/30/2015"})
    assert latest().number == 2
    browser.post(FIX, {"4.1": "9"})
    assert "2/30/2015" in stored_text(latest().spool_name).decode()
    assert not AuditEvent.objects.filter(action="confidential fields").exists()


def test_what_is_shown_is_recorded(browser: Visitor) -> None:
    browser.get(FIX)
    shown = set(
        Student.objects.filter(student_id__in=["s001", "s002"]).values_list("pk", flat=True)
    )
    for action in ("fix rows", "confidential fields"):
        event = AuditEvent.objects.get(action=action)
        assert set(student_sets.decode(event.students)) == shown


def test_without_its_file_nothing_can_be_edited(browser: Visitor, rejected: UpdateJob) -> None:
    file_chunks.remove([rejected.spool_name])
    files.remove([rejected.spool_name])
    page = browser.follow(browser.get(FIX))
    assert page.messages == ["The rejected rows of update 2 can’t be edited here."]
    UpdateJob.objects.filter(number=2).update(file_removed_at=timezone.now())
    assert "Fix these rows here" not in browser.read("/updates/2").links


def test_an_update_of_another_district_is_not_found(browser: Visitor, cedar: District) -> None:
    enroll(cedar, a_class(1))
    for _ in range(2):
        finish(send(cedar, "STUDENT_ID,GRADE\ns000,99\n"))
    assert browser.get("/updates/3/fix").status_code == 404
    assert browser.post("/updates/3/fix", {"2.1": "5"}).status_code == 404


def test_no_page_of_a_file_with_all_columns_transfers_100_kb(browser: Visitor) -> None:
    names = [column.name for column in COLUMNS]
    rows = [",".join(["s001", *["?"] * (len(names) - 1)]) for _ in range(20)]
    finish(send(latest().district, "\n".join([",".join(names), *rows])))
    page = browser.get("/updates/3/fix")
    assert page.content.count(b"<fieldset") == fix_views.MIN_PAGE_SIZE
    files_of_all_pages = ("rollbook/style.css", "django_htmx/htmx-2.min.js")
    sizes = [Path(finders.find(name) or "").stat().st_size for name in files_of_all_pages]
    for address in ("/updates/3/fix", "/updates/2", "/students/update", "/"):
        assert len(browser.get(address).content) + sum(sizes) < 100_000, address
