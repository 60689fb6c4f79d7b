"""/mappings, and the mapping of an uploaded file, all of it without scripts."""

import io
import json
from typing import Any

import pytest

from rollbook.accounts import roles
from rollbook.accounts.models import AccountMail, AuditEvent, Member
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts.models import District
from rollbook.students.models import Student
from rollbook.updates.mappings import store
from rollbook.updates.models import ColumnMapping, Draft, UpdateJob
from rollbook.updates.receiving import drafts
from rollbook.updates.receiving.files import path_of
from rollbook.updates.runner import run_steps
from rollbook.updates.state_machine import State
from tests.conftest import make_member
from tests.data.sis_files import FOLDER, SCHOOLS, SIS_FILES, roster
from tests.updates import night
from tests.updates.night import enroll, finish, lift_limits, report_of, send_bytes
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page, read

FILE = b'Nr,Pupil,Born,Room\r\n24001,"Abbot, Ava",2/22/2011,B9\r\n7,"Li, Bo",31/31/2010,B1\r\n'
DOCUMENT = {
    "name": "ours",
    "columns": [
        {"to": "STUDENT_ID", "from": ["Nr"]},
        {"to": "LAST_NAME", "from": ["Pupil"], "steps": [{"step": "split", "at": ",", "take": 1}]},
        {"to": "DOB", "from": ["Born"]},
    ],
}


@pytest.fixture
def office(maple: District, manager: Member, visitor: SignedIn) -> Visitor:
    """The browser of the district manager, with 20 students enrolled."""
    for school in SCHOOLS:
        maple.school_set.create(organization_id=school, name=school)
    lift_limits(maple)
    enroll(maple, roster(20))
    return visitor(manager)


def upload(browser: Visitor, data: bytes, name: str = "export.csv") -> Page:
    file = io.BytesIO(data)
    file.name = name
    browser.read("/students/update/format")
    fields = {"encoding": "", "file": file}
    return browser.follow(browser.post("/students/update/file", fields))


def address_of_draft() -> str:
    return f"/students/update/drafts/{Draft.objects.latest('created_at').pk}"


def more_about_columns(browser: Visitor) -> Page:
    """Open the page of the column mapping of the file that was uploaded last."""
    draft = Draft.objects.latest("created_at")
    if draft.update:
        finish(draft.update)
        return browser.follow(browser.post(f"/updates/{draft.update.number}/mapping"))
    result = browser.read(address_of_draft())
    return browser.read(result.links["More about columns"])


def clerk_with(manager: Member, *permissions: Permission) -> Member:
    """Return a member with a role that has these permissions only."""
    member = make_member(manager.district, "clerk@maple.example")
    member.role = roles.create_role(
        manager, RoleType.DISTRICT_MANAGER, "Clerk", "", [Permission.SEE_STUDENTS, *permissions]
    )
    member.save()
    return member


def send(browser: Visitor, field: str = "name", do: str = "save", **changes: Any) -> Any:
    """Send one of both forms: that of the columns, or that with the document."""
    address = f"{address_of_draft()}/mapping"
    form = browser.read(address).form_with(field)
    return browser.post(address, {**form.values, **changes, "do": do})


def send_document(browser: Visitor, document: object, do: str = "save") -> Any:
    text = document if isinstance(document, str) else json.dumps(document)
    fields = {"form": "document", "document": text, "do": do}
    return browser.post(f"{address_of_draft()}/mapping", fields)


@pytest.mark.parametrize("name", [name for name in SIS_FILES if name != "sds-v1-student.csv"])
def test_an_export_loads_with_one_click_on_the_proposed_mapping(
    office: Visitor, maple: District, name: str
) -> None:
    preset, count = SIS_FILES[name]
    upload(office, (FOLDER / name).read_bytes(), name)
    proposed = more_about_columns(office)
    assert "This looks like a file of" in proposed.text
    page = office.follow(send(office))
    assert page.messages == [
        f"{preset}, version 1, is saved. It applies to each file that has its columns, as to this "
        "one."
    ]
    assert f"{preset}, version 1" in page.text
    update = UpdateJob.objects.latest("number")
    finish(update)
    update.refresh_from_db()
    fields = {"plan": update.plan_digest, "which": "all"}
    office.follow(office.post(f"/updates/{update.number}/approve", fields))
    finish(update)
    update.refresh_from_db()
    assert (update.rows, update.rows_updated, update.rows_rejected) == (count, count, 0)
    assert not Student.objects.filter(district=maple, grade="ug").exists()
    assert "Column mapping" in office.read(f"/updates/{update.number}").text


def test_a_file_that_is_understood_can_be_mapped_too(office: Visitor) -> None:
    upload(office, (FOLDER / "sds-v1-student.csv").read_bytes())
    assert more_about_columns(office).text.count("SDS") == 0
    page = office.follow(send(office))
    assert "sds-1, version 1" in page.text
    assert "isn't recognized and was ignored" not in page.text


def test_the_first_rows_are_shown_before_and_after_with_problems(office: Visitor) -> None:
    upload(office, FILE)
    page = read(send_document(office, DOCUMENT, do="try"))
    first, second = page.rows[:2]
    assert first == ["2", "24001", "Abbot, Ava → Abbot", "2/22/2011 → 02/22/2011", ""]
    assert second[:3] == ["3", "7", "Li, Bo → Li"]
    assert "DOB" in second[4]
    assert "(DOB is Born)" in second[4]
    assert "2 rows: 1 can be applied, 1 would be rejected." in page.text
    assert "Nothing is saved yet." in page.text
    assert not ColumnMapping.objects.exists()


def test_columns_are_chosen_without_writing_a_document(office: Visitor, maple: District) -> None:
    upload(office, FILE)
    page = office.follow(send(office, name="rooms", STUDENT_ID="0", ADDITIONAL_INFO_1="3"))
    assert "rooms, version 1" in page.text
    saved = store.find(maple.pk, "rooms")
    assert saved
    assert saved.mapping
    assert {each.column: each.names for each in saved.mapping.sources} == {
        "STUDENT_ID": ("Nr",),
        "ADDITIONAL_INFO_1": ("Room",),
    }
    assert saved.mapping.ignored == ("Pupil", "Born")
    assert Draft.objects.get().mapping == saved
    assert Draft.objects.get().rows == 2


def test_a_file_with_our_own_names_is_mapped_on_request(office: Visitor) -> None:
    upload(office, b"STUDENT_ID,GRADE\r\n24001,7\r\n")
    more_about_columns(office)
    page = office.follow(send(office, name="fixed"))
    assert "need header_map=fixed" in page.messages[0]
    assert Draft.objects.latest("created_at").mapping is not None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": "Our Rooms", "STUDENT_ID": "0"}, "name: use 1 to 40 of a-z, 0-9"),
        ({"name": "", "STUDENT_ID": "0"}, "Enter a name."),
        ({"GRADE": "3"}, "nothing identifies a student"),
        ({"STUDENT_ID": "17"}, "not one of the available choices"),
    ],
)
def test_wrong_choices_are_explained(office: Visitor, changes: dict[str, str], error: str) -> None:
    upload(office, FILE)
    response = send(office, **changes)
    assert response.status_code == 422
    assert error in read(response).text
    assert not ColumnMapping.objects.exists()


def test_each_error_of_a_document_is_shown(office: Visitor) -> None:
    upload(office, FILE)
    response = send_document(office, {"name": "x", "columns": [{"to": "COLOR"}, {"to": "DOB"}]})
    assert response.status_code == 422
    text = read(response).text
    assert "columns[0]: 'COLOR' is not a column of Rollbook" in text
    assert "columns[1] (DOB): it comes from no file column" in text


def test_a_mapping_of_missing_columns_shows_which(office: Visitor) -> None:
    upload(office, FILE)
    document = {"name": "x", "columns": [{"to": "STUDENT_ID", "from": ["Serial"]}]}
    page = read(send_document(office, document, do="try"))
    assert page.text.count("It reads Serial") == 2


def test_passwords_and_confidential_cells_are_hidden(
    office: Visitor, manager: Member, visitor: SignedIn
) -> None:
    clerk = visitor(clerk_with(manager, Permission.UPDATE_STUDENTS, Permission.MANAGE_SETTINGS))
    upload(clerk, FILE)
    columns = [*DOCUMENT["columns"], {"to": "PASSWORD", "from": ["Room"]}]
    page = read(send_document(clerk, {"name": "x", "columns": columns}, do="try"))
    assert page.rows[0][:5] == ["2", "24001", "Abbot, Ava → Abbot", "(hidden)", "(hidden)"]
    assert "31/31/2010" not in page.text
    assert "B9" not in page.text


def test_the_file_of_a_refused_update_is_mapped(office: Visitor, maple: District) -> None:
    update = send_bytes(maple, (FOLDER / "powerschool-students.csv").read_bytes()).update
    page = office.read(f"/updates/{update.number}")
    form = page.form(f"/updates/{update.number}/mapping")
    assert form.buttons == ["Map the columns of this file"]
    page = office.follow(office.post(f"/updates/{update.number}/mapping"))
    assert page.heading == "Column mapping"
    page = office.follow(send(office))
    assert "powerschool, version 1" in page.text
    draft = Draft.objects.get()
    assert (draft.spool_name, draft.rows) == (update.spool_name, 20)
    office.post(f"/updates/{update.number}/mapping")
    assert Draft.objects.filter(update=None, spool_name=update.spool_name).count() == 1
    drafts.discard_draft(Draft.objects.get(update=None))
    assert path_of(update.spool_name).exists()


def test_a_fix_is_tried_and_used_from_now_on(office: Visitor, maple: District) -> None:
    update = send_bytes(maple, b"STUDENT_ID,GRADE,Bus\n4001,7,1\n", is_check=True).update
    for _ in run_steps(update.pk):
        pass
    assert report_of(update).rejected == 1
    fix = {"column": "STUDENT_ID", "step": json.dumps({"step": "pad", "width": 5, "with": "2"})}
    address = office.post(f"/updates/{update.number}/mapping", fix)["Location"]
    page = office.read(address)
    assert page.rows[0][:3] == ["2", "4001 → 24001", "7"]
    values = page.form_with("name").values
    page = read(office.post(f"{address_of_draft()}/mapping", {**values, "do": "try"}))
    assert "1 row: 1 can be applied, 0 would be rejected." in page.text
    page = office.follow(office.post(f"{address_of_draft()}/mapping", {**values, "do": "save"}))
    assert "fixed-file, version 1" in page.text
    more_about_columns(office)
    assert office.read(f"{address_of_draft()}/mapping").form_with("name").values["name"] == [
        "fixed-file"
    ]


@pytest.mark.parametrize(
    "fix",
    [
        {"column": "STUDENT_ID", "step": "{"},
        {"column": "STUDENT_ID", "step": '{"step": "eval"}'},
        {"column": "GRADE", "step": '{"step": "trim"}'},
    ],
)
def test_a_wrong_fix_is_not_added(office: Visitor, fix: dict[str, str]) -> None:
    upload(office, b"STUDENT_ID,Bus\r\n24001,7\r\n")
    more_about_columns(office)
    page = office.read(f"{address_of_draft()}/mapping", fix)
    assert page.messages == ["This fix can’t be added to the mapping of the file."]


def test_a_file_that_is_gone_cannot_be_mapped(office: Visitor, maple: District) -> None:
    update = send_bytes(maple, FILE).update
    path_of(update.spool_name).unlink()
    page = office.follow(office.post(f"/updates/{update.number}/mapping"))
    if page.heading != "Column mapping":  # PostgreSQL has a copy
        assert page.messages == ["The file of this update is no longer stored. Upload it again."]


def test_mappings_are_listed_shown_and_removed(office: Visitor, maple: District) -> None:
    upload(office, FILE)
    office.follow(send_document(office, DOCUMENT))
    page = office.read("/mappings")
    assert page.rows[0][:2] == ["ours", "1"]
    page = office.read(page.links["ours"])
    assert page.rows[1] == ["LAST_NAME", "Pupil", "split at “,” and take part 1"]
    page = office.follow(office.confirm("/mappings/ours/remove"))
    assert page.messages == ["ours was removed. It applies to no file anymore."]
    assert store.find_all(maple.pk) == []
    assert office.get("/mappings/ours").status_code == 404


def test_changes_are_audited_and_reported_to_the_other_managers(
    office: Visitor, maple: District, manager: Member
) -> None:
    other = make_member(maple, "other@maple.example")
    upload(office, FILE)
    office.follow(send_document(office, DOCUMENT))
    more_about_columns(office)
    office.follow(send_document(office, DOCUMENT))
    office.confirm("/mappings/ours/remove")
    events = AuditEvent.objects.filter(action=store.ACTION, member=manager).order_by("pk")
    assert [(event.result, event.detail) for event in events] == [
        ("saved", "ours, version 1"),
        ("unchanged", "ours, version 1"),
        ("removed", "ours"),
    ]
    assert AccountMail.objects.filter(member=other).count() == 2


def test_who_may_only_update_students_cannot_map(manager: Member, visitor: SignedIn) -> None:
    clerk = visitor(clerk_with(manager, Permission.UPDATE_STUDENTS))
    page = upload(clerk, (FOLDER / "powerschool-students.csv").read_bytes())
    assert [action.rpartition("/")[2] for action in page.actions] == ["discard"]
    assert clerk.post(f"{address_of_draft()}/columns").status_code == 403
    assert clerk.get(f"{address_of_draft()}/mapping").status_code == 403


def test_a_draft_of_another_member_is_not_mapped(
    office: Visitor, maple: District, visitor: SignedIn
) -> None:
    upload(office, FILE)
    response = visitor(make_member(maple, "other@maple.example")).get(
        f"{address_of_draft()}/mapping"
    )
    assert response.status_code == 404


def test_a_plan_offers_the_fix_that_its_finding_proves(
    office: Visitor, maple: District, manager: Member
) -> None:
    enroll(maple, night.a_class(40, STUDENT_ID="{0:05}"))
    update = night.send(maple, night.a_class(40, STUDENT_ID="{0}", GRADE="5"), is_check=True)
    assert finish(update).state is State.CHECKED
    page = office.read(f"/updates/{update.number}")
    assert "STUDENT_ID lost its leading zeros" in page.text
    form = page.form_with("step")
    assert form.buttons == ["Try with this fix"]
    page = office.follow(office.post(form.root.attrib["action"], form.values))
    assert page.messages == ["The file was read with these columns. Other files are not affected."]
    again = UpdateJob.objects.latest("number")
    finish(again)
    page = office.read(f"/updates/{again.number}")
    assert page.form(f"/updates/{again.number}/approve").buttons[0] == "Change 40"
    assert "pad to 5 with 0" in page.text
    assert again.mapping_document
    assert again.mapping_document.sources[0].steps
    update.refresh_from_db()
    assert (update.state, update.replaced_by) == (State.DISCARDED, again)
    assert store.find_all(maple.pk) == []


@pytest.mark.parametrize("step", ["{", '{"step": "eval"}', "[" * 5000])
def test_a_wrong_fix_of_a_plan_is_not_used(office: Visitor, maple: District, step: str) -> None:
    update = night.send(maple, "STUDENT_ID,GRADE\n24001,5\n", is_check=True)
    finish(update)
    fix = {"column": "STUDENT_ID", "step": step}
    page = office.follow(office.post(f"/updates/{update.number}/columns", fix))
    assert page.messages == ["This fix can’t be added to the mapping of the file."]
    assert not ColumnMapping.objects.exists()
