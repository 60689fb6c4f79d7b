"""Columns are mapped on the result page of a file, all of it without scripts."""

import io
from typing import Any

import pytest

from rollbook.accounts.models import AccountMail, AuditEvent, Member
from rollbook.accounts.permissions import Permission
from rollbook.districts.models import District
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.updates.mappings import store
from rollbook.updates.models import ColumnMapping, Draft, UpdateJob
from rollbook.updates.state_machine import State
from rollbook.web.pages.mapping.header_form import KEPT, MAX_SELECTS, HeaderForm, mapping_by_names
from tests.conftest import make_member
from tests.updates.night import a_class, column_of, enroll, finish, send
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.mapping.test_mapping import clerk_with
from tests.web.pages.reading import Page, read

FILE = b"STUDENT_ID,Grade,Home room\ns000,5,B1\ns001,6,B2\n"
UNKNOWN = b"Serial,Class level,Seat\ns000,5,B1\ns001,6,B2\n"


@pytest.fixture
def office(maple: District, manager: Member, visitor: SignedIn) -> Visitor:
    """The browser of the district manager, with 3 students enrolled."""
    enroll(maple, a_class(3))
    return visitor(manager)


def upload(browser: Visitor, data: bytes = FILE) -> Page:
    """Upload a file, and return its result."""
    file = io.BytesIO(data)
    file.name = "export.csv"
    browser.read("/students/update/format")
    answer = browser.post("/students/update/file", {"encoding": "", "file": file})
    return browser.follow(finished(answer))


def finished(answer: Any) -> Any:
    """Finish the check that an answer leads to."""
    if answer["Location"].startswith("/updates/"):
        finish(latest())
    return answer


def latest() -> UpdateJob:
    return UpdateJob.objects.latest("number")


def submit(browser: Visitor, page: Page, **choices: str) -> Any:
    """Send the form of the columns of a result page with other choices for some of them."""
    form = page.form_with("column-0")
    answer = browser.post(form.root.attrib["action"], {**form.values, **choices})
    return finished(answer) if answer.status_code == 302 else answer


def test_every_column_of_the_file_has_a_select(office: Visitor) -> None:
    page = upload(office)
    assert "2 columns are used, 1 ignored: Home room." in page.text
    form = page.form_with("column-0")
    assert form.values["column-0"] == ["STUDENT_ID"]
    assert form.values["column-1"] == ["GRADE"]
    assert form.values["column-2"] == [""]
    assert form.buttons == ["Check the file with these columns"]


def test_a_column_is_mapped_for_this_file_only(
    office: Visitor, maple: District, manager: Member
) -> None:
    make_member(maple, "other@maple.example")
    page = upload(office)
    before = latest()
    page = office.follow(submit(office, page, **{"column-2": "ADDITIONAL_INFO_1"}))
    assert page.messages == ["The file was read with these columns. Other files are not affected."]
    update = latest()
    assert (update.number, update.is_check) == (before.number + 1, True)
    assert "3 columns are used." in page.text
    assert "Note 1" in [row[0] for row in page.rows]
    before.refresh_from_db()
    assert (before.state, before.replaced_by) == (State.DISCARDED, update)
    assert store.find_all(maple.pk) == []
    assert not AccountMail.objects.exists()
    event = AuditEvent.objects.get(action=store.ACTION)
    assert (event.result, event.detail) == ("for one file", "this-file, version 1")

    approve(office, update)
    assert column_of(maple, "ADDITIONAL_INFO_1") == {"s000": "B1", "s001": "B2", "s002": ""}
    assert "2 columns are used, 1 ignored: Home room." in upload(office, FILE + b"s002,7,B3\n").text


def approve(browser: Visitor, update: UpdateJob) -> None:
    update.refresh_from_db()
    fields = {"plan": update.plan_digest, "which": "all"}
    browser.post(f"/updates/{update.number}/approve", fields)
    finish(update)


def test_the_columns_of_this_file_stay_if_it_is_checked_in_another_way(office: Visitor) -> None:
    page = upload(office)
    submit(office, page, **{"column-2": "ADDITIONAL_INFO_1"})
    mapped = latest()
    finished(office.post(f"/updates/{mapped.number}/again", {"mode": "add"}))
    again = latest()
    assert (again.number, again.mapping, again.mode) == (mapped.number + 1, mapped.mapping, "add")


def test_mapping_twice_in_the_same_way_keeps_one_version(office: Visitor) -> None:
    for _ in range(2):
        submit(office, upload(office), **{"column-2": "ADDITIONAL_INFO_1"})
    assert ColumnMapping.objects.exclude(document=None).count() == 1
    assert UpdateJob.objects.filter(state=State.CHECKED).count() == 1


def test_columns_are_saved_for_the_next_files(office: Visitor, maple: District) -> None:
    page = upload(office)
    answer = submit(office, page, **{"column-2": "GROUPS", "save": "on", "name": "homes"})
    page = office.follow(answer)
    assert page.messages[0].startswith("homes, version 1, is saved. It applies to each file")
    assert "3 columns are used." in upload(office, FILE + b"s002,7,B3\n").text
    saved = store.find(maple.pk, "homes")
    assert saved
    assert saved.mapping
    assert {each.column: each.names for each in saved.mapping.sources} == {
        "STUDENT_ID": ("STUDENT_ID",),
        "GRADE": ("Grade",),
        "GROUPS": ("Home room",),
    }


def test_a_file_that_is_not_understood_is_mapped_without_another_upload(office: Visitor) -> None:
    page = upload(office, UNKNOWN)
    assert "choose below what each of them is" in page.text
    assert not UpdateJob.objects.filter(source="the browser").exists()
    choices = {"column-0": "STUDENT_ID", "column-1": "GRADE", "column-2": "", "name": "ours"}
    page = office.follow(submit(office, page, **choices))
    assert page.form(f"/updates/{latest().number}/approve").buttons[0] == "Change 2"
    assert Draft.objects.get().update == latest()


def test_a_column_becomes_ignored(office: Visitor) -> None:
    page = office.follow(submit(office, upload(office), **{"column-1": ""}))
    assert "1 column is used, 2 ignored: Grade, Home room." in page.text
    assert "Nothing would be applied" in page.text


@pytest.mark.parametrize(
    ("choices", "error"),
    [
        ({"column-2": "GRADE"}, "Grade and Home room would both be Grade; ignore one of them."),
        ({"column-0": ""}, "Nothing identifies a student"),
        ({"column-2": "SHOE_SIZE"}, "not one of the available choices"),
        ({"save": "on", "name": ""}, "Enter a name."),
        ({"save": "on", "name": "Our rooms"}, "use 1 to 40 of a-z, 0-9"),
        ({"save": "on", "name": store.ONE_FILE}, "is reserved"),
    ],
)
def test_wrong_choices_are_explained_and_change_nothing(
    choices: dict[str, str], error: str, office: Visitor
) -> None:
    answer = submit(office, upload(office), **choices)
    assert answer.status_code == 422
    page = read(answer)
    assert error in page.text
    for name, value in choices.items():
        if name.startswith("column") and value != "SHOE_SIZE":
            assert page.form_with("column-0").values[name] == [value]
    assert not ColumnMapping.objects.exists()
    assert UpdateJob.objects.filter(source="the browser").count() == 1


def test_wrong_choices_for_a_file_that_is_not_understood(office: Visitor) -> None:
    page = upload(office, UNKNOWN)
    answer = submit(office, page, **{"column-0": "", "column-1": "", "column-2": ""})
    assert answer.status_code == 422
    assert "Nothing identifies a student" in read(answer).text


def test_steps_of_a_saved_mapping_are_kept(office: Visitor, maple: District) -> None:
    columns = [
        {"to": "STUDENT_ID", "from": ["Nr"], "steps": [{"step": "strip", "prefix": "x"}]},
        {"to": "GRADE", "from": ["Level"]},
    ]
    document = MappingDocument.from_json({"name": "ours", "columns": columns})
    manager = Member.objects.get(email="ops@maple.example")
    store.save(maple, document, manager, latest().received_at)
    page = upload(office, b"Nr,Level,Seat\nxs000,5,B1\n")
    assert page.form_with("column-0").values["column-0"] == [KEPT]
    office.follow(submit(office, page, **{"column-2": "ADDITIONAL_INFO_1"}))
    mapping = latest().mapping_document
    assert mapping
    assert [(each.column, len(each.steps)) for each in mapping.sources] == [
        ("STUDENT_ID", 1),
        ("GRADE", 0),
        ("ADDITIONAL_INFO_1", 0),
    ]
    assert (latest().rows_rejected, latest().rows_staged) == (0, 1)


def test_of_many_columns_the_first_can_be_mapped_and_the_others_stay() -> None:
    names = ["STUDENT_ID", *(f"Extra {n}" for n in range(MAX_SELECTS + 5)), "GRADE"]
    data = {"column-0": "STUDENT_ID", "column-1": "ADDITIONAL_INFO_1", "name": ""}
    form = HeaderForm(names, mapping_by_names(names), data)
    assert form.is_valid(), form.errors
    assert (len(form.selects), form.others) == (MAX_SELECTS, 7)
    assert {each.column for each in form.require_mapping().sources} == {
        "STUDENT_ID",
        "GRADE",
        "ADDITIONAL_INFO_1",
    }


def test_the_plan_of_a_held_update_stays_when_its_columns_are_mapped(
    maple: District, manager: Member, visitor: SignedIn
) -> None:
    enroll(maple, a_class(200))
    office = visitor(manager)
    leavers = "".join(f"s{n:03},inactive,7\n" for n in range(99))
    held = send(maple, f"STUDENT_ID,STATUS,Bus\n{leavers}")
    assert finish(held).state is State.HELD
    page = office.read(f"/updates/{held.number}")
    office.follow(submit(office, page, **{"column-2": "ADDITIONAL_INFO_1"}))
    assert latest().is_check
    held.refresh_from_db()
    assert held.state == State.HELD


def test_a_plan_that_no_longer_waits_is_not_checked_again(office: Visitor) -> None:
    page = upload(office)
    update = latest()
    form = page.form_with("column-0")
    approve(office, update)
    answer = office.post(form.root.attrib["action"], {**form.values, "column-2": "GROUPS"})
    assert office.follow(answer).messages[-1] == (
        "Nothing was changed: this plan no longer waits, or its file is gone."
    )
    assert latest() == update


def test_who_may_only_update_students_sees_the_columns(
    office: Visitor, manager: Member, visitor: SignedIn
) -> None:
    clerk = visitor(clerk_with(manager, Permission.UPDATE_STUDENTS))
    page = upload(clerk)
    assert "2 columns are used, 1 ignored: Home room." in page.text
    address = f"/updates/{latest().number}/columns"
    assert address not in page.actions
    assert clerk.post(address, {"column-2": "GROUPS"}).status_code == 403
    assert not ColumnMapping.objects.exists()


def test_others_cannot_map_the_columns(
    office: Visitor, visitor: SignedIn, neighbor: Member, instructor: Member
) -> None:
    upload(office, UNKNOWN)
    draft = f"/students/update/drafts/{Draft.objects.get().pk}/columns"
    upload(office)
    plan = f"/updates/{latest().number}/columns"
    stranger = visitor(neighbor)
    assert stranger.post(draft).status_code == 404
    assert stranger.post(plan).status_code == 404
    for address in (draft, plan):
        assert visitor(instructor).post(address).status_code == 403
    assert not ColumnMapping.objects.exists()


def test_the_page_of_a_file_with_as_many_columns_as_possible_is_small(office: Visitor) -> None:
    names = ",".join(f"A column with a long name {n}" for n in range(62))
    page = upload(office, f"STUDENT_ID,GRADE,{names}\ns000,5{',x' * 62}\n".encode())
    assert "24 more columns stay as they are." in page.text
    assert len(page.response.content) < 70_000


def test_a_plan_in_another_tab_is_not_applied_after_its_file_was_mapped(
    office: Visitor, maple: District
) -> None:
    page = upload(office)
    old = latest()
    decision = page.form(f"/updates/{old.number}/approve")
    submit(office, page, **{"column-2": "ADDITIONAL_INFO_1"})
    address = decision.root.attrib["action"]
    shown = office.follow(office.post(address, {**decision.values, "which": "all"}))
    assert shown.messages[-1] == (
        f"Update {old.number} was replaced by update {latest().number}. Upload the file again if "
        "it is still wanted."
    )
    assert column_of(maple, "GRADE") == {"s000": "4", "s001": "4", "s002": "4"}
    assert shown.links[f"Open update {latest().number}"] == f"/updates/{latest().number}"


def test_uploading_a_file_again_replaces_its_plan(
    office: Visitor, maple: District, visitor: SignedIn
) -> None:
    few = b"STUDENT_ID,GRADE\ns000,5\n"
    upload(office, few)
    first = latest()
    upload(office, b"STUDENT_ID,GRADE\ns001,5\n")
    upload(visitor(make_member(maple, "other@maple.example")), few)
    assert UpdateJob.objects.filter(state=State.CHECKED).count() == 3
    page = upload(office, few)
    first.refresh_from_db()
    assert (first.state, first.replaced_by) == (State.DISCARDED, latest())
    assert UpdateJob.objects.filter(state=State.CHECKED).count() == 3
    assert page.heading == f"Update {latest().number}"
