"""Test adding and editing one student: /students/new, /students/<key>/edit and buttons."""

from typing import Any

import pytest

from rollbook.accounts.models import AuditEvent, Member, Role
from rollbook.districts.models import District
from rollbook.students.models import Student, TouchedStudent
from rollbook.students.passwords import verify
from rollbook.web.pages.students.forms import CHOICES
from tests.updates.night import a_class, enroll, history, password_of, values_of
from tests.web.pages.conftest import SignedIn, Visitor, of_school
from tests.web.pages.reading import Page, read, text_of

ANA = {
    "first_name": "Ana",
    "last_name": "Brook",
    "dob": "5/13/2014",
    "gender": "f",
    "grade": "4",
    "school_id": "100",
    "ell": "n",
    "special_ed": "n",
}


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """The district manager's."""
    return visitor(manager)


@pytest.fixture
def student(maple: District) -> Student:
    enroll(maple, a_class(1, GROUPS="Band", RACE="WH"))
    return Student.objects.get(student_id="s000")


def form_of(browser: Visitor, student: Student) -> dict[str, Any]:
    """Return the values of the form without changes."""
    return dict(browser.read(f"/students/{student.pk}/edit").form_with("version").values)


def credentials(page: Page) -> list[str]:
    """Username and password."""
    return [text_of(code) for code in page.main.iter("code")]


def test_a_student_is_added_and_the_password_shown_once(browser: Visitor, maple: District) -> None:
    response = browser.post(
        "/students/new", {**ANA, "student_id": "7", "classifications": ["Autism", "Dyslexia"]}
    )
    page = read(response)
    assert (response.status_code, page.heading) == (200, "Ana Brook added")
    added = Student.objects.get(student_id="7")
    username, password = credentials(page)
    assert username == "abrook"
    assert verify(added.password, password)
    assert values_of(maple, "7", "CLASSIFICATIONS", "GROUPS") == ("Autism&Dyslexia", "Default")
    assert password not in browser.read(f"/students/{added.pk}").text
    assert AuditEvent.objects.get(action="add student").detail == f"student with key {added.pk}"
    record = browser.read(f"/students/{added.pk}")
    assert record.rows[-1][1:] == ["Student", "added", "Ana Ruiz"]


def test_errors_are_shown_at_their_fields_and_no_input_is_lost(
    browser: Visitor, maple: District
) -> None:
    enroll(maple, a_class(1))
    response = browser.post(
        "/students/new",
        {**ANA, "student_id": "s000", "dob": "2/30/2014", "additional_info_1": "bus 4"},
    )
    page = read(response)
    assert response.status_code == 422
    assert '"2/30/2014" isn\'t a valid date. Use mm/dd/yyyy.' in page.described("dob")
    assert page.form_with("dob").values["additional_info_1"] == ["bus 4"]
    page = read(browser.post("/students/new", {**ANA, "student_id": "s000"}))
    assert page.described("student_id").endswith("The STUDENT_ID is already taken. Correct the ID.")
    page = read(browser.post("/students/new", {**ANA, "grade": ""}))
    assert "This field is required." in page.described("grade")
    assert Student.objects.count() == 1


@pytest.mark.parametrize("is_new", [True, False])
def test_values_that_are_wrong_are_shown_together_with_those_that_are_missing(
    browser: Visitor, student: Student, is_new: bool
) -> None:
    wrong = {"dob": "2/30/2014", "first_name": "", "parent_email_1": "nobody"}
    if is_new:
        response = browser.post("/students/new", {**ANA, **wrong})
    else:
        fields = form_of(browser, student) | wrong
        response = browser.post(f"/students/{student.pk}/edit", fields)
    labels = [problem.partition(":")[0] for problem in read(response).problems]
    assert sorted(labels) == ["Birth date", "First name", "Parent email 1"]


def test_a_grade_is_chosen_from_all_grades_in_order(browser: Visitor, student: Student) -> None:
    expected = ("pk", "k", "t1", *map(str, range(1, 14)), "ug", "adult")
    assert CHOICES["GRADE"] == expected
    for grade in ("t1", "13", "ug"):
        browser.post(f"/students/{student.pk}/edit", form_of(browser, student) | {"grade": grade})
        student.refresh_from_db()
        assert student.grade == grade
        assert str(student.student_id) in browser.search("/students", {"grade": grade}).text


def test_saving_without_changes_changes_nothing(
    browser: Visitor, student: Student, maple: District
) -> None:
    fields = form_of(browser, student)
    assert (fields["groups"], fields["race"], fields["dob"]) == (["Band"], ["WH"], ["05/13/2012"])
    page = browser.follow(browser.post(f"/students/{student.pk}/edit", fields))
    assert page.messages == ["Nothing was changed."]
    assert len(history(maple, "s000")) == 1


def test_a_student_is_edited(
    browser: Visitor, student: Student, maple: District, manager: Member
) -> None:
    fields = form_of(browser, student) | {
        "grade": "5",
        "groups": [],
        "staff": manager.email,
        "race": "",
    }
    page = browser.follow(browser.post(f"/students/{student.pk}/edit", fields))
    assert page.messages == ["Saved: Grade, Race, Groups, Staff."]
    assert values_of(maple, "s000", "GRADE", "GROUPS", "STAFF", "RACE") == (
        "5",
        "Default",
        manager.email,
        "",
    )
    detail = f"student with key {student.pk}: GRADE, RACE, GROUPS, STAFF"
    assert AuditEvent.objects.get(action="edit student").detail == detail
    assert page.rows[0][-1] == "Ana Ruiz"


def test_the_second_of_two_simultaneous_edits_is_rejected(
    browser: Visitor, student: Student
) -> None:
    fields = form_of(browser, student)
    browser.post(f"/students/{student.pk}/edit", fields | {"grade": "5"})
    response = browser.post(f"/students/{student.pk}/edit", fields | {"grade": "6"})
    assert response.status_code == 422
    assert "The student was changed in the meantime. Open the page again" in read(response).text
    assert Student.objects.get(pk=student.pk).grade == "5"


def test_a_warning_about_an_edit_is_shown(browser: Visitor, student: Student) -> None:
    fields = form_of(browser, student) | {"dob": "05/13/1980"}
    page = browser.follow(browser.post(f"/students/{student.pk}/edit", fields))
    assert page.messages[0] == "Saved: Birth date."
    assert page.messages[1].startswith("Birth date: ")


def test_a_student_is_deactivated_and_reactivated(browser: Visitor, student: Student) -> None:
    page = browser.follow(browser.confirm(f"/students/{student.pk}/deactivate"))
    assert page.messages == ["Ann000 Lee000 deactivated. The record is kept."]
    assert f"/students/{student.pk}/reactivate" in page.actions
    page = browser.follow(browser.post(f"/students/{student.pk}/reactivate"))
    assert page.messages == ["Ann000 Lee000 reactivated."]
    assert f"/students/{student.pk}/deactivate" in page.actions
    assert TouchedStudent.objects.get(student_id=student.pk).settled_by is None


def test_a_new_password_is_shown_once(browser: Visitor, student: Student, maple: District) -> None:
    page = read(browser.confirm(f"/students/{student.pk}/password"))
    _, password = credentials(page)
    assert verify(password_of(maple, "s000"), password)
    assert [event.detail for event in AuditEvent.objects.filter(action="new password")] == [
        f"student with key {student.pk}"
    ]


def test_without_the_permission_nothing_can_be_edited(
    visitor: SignedIn, student: Student, school_manager: Member
) -> None:
    browser = visitor(school_manager)
    assert "Edit" in browser.read(f"/students/{student.pk}").links
    Role.objects.filter(pk=school_manager.role_id).update(permissions=["see students"])
    page = browser.read(f"/students/{student.pk}")
    assert "Edit" not in page.links
    assert page.actions == []
    assert browser.get(f"/students/{student.pk}/edit").status_code == 403
    assert browser.post(f"/students/{student.pk}/deactivate").status_code == 403
    assert Student.objects.get(pk=student.pk).status == "active"


def test_a_school_manager_edits_only_students_of_their_schools(
    visitor: SignedIn, student: Student, school_manager: Member
) -> None:
    browser = visitor(school_manager)
    enroll(
        student.district,
        "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID\nz,Zoe,Park,2012-05-13,200\n",
    )
    other = Student.objects.get(student_id="z")
    assert browser.get(f"/students/{other.pk}/edit").status_code == 404
    assert browser.post(f"/students/{other.pk}/password").status_code == 404
    page = browser.read("/students/new")
    assert "School 200" not in page.text
    assert browser.post("/students/new", {**ANA, "school_id": "200"}).status_code == 422


NAMESAKE = {**ANA, "first_name": "Ann000", "last_name": "Lee000", "dob": "5/13/2012"}


def test_the_form_asks_once_before_a_namesake_is_added(
    browser: Visitor, student: Student, maple: District
) -> None:
    response = browser.post("/students/new", {**NAMESAKE, "student_id": "7"})
    page = read(response)
    assert response.status_code == 422
    assert "Ann000 Lee000 (s000)" in page.text
    assert "This is another student: save anyway" in page.text
    assert Student.objects.filter(district=maple).count() == 1
    response = browser.post("/students/new", {**NAMESAKE, "student_id": "7", "is_confirmed": "on"})
    assert response.status_code == 200
    added = Student.objects.get(student_id="7")
    for one, other in ((added, student), (student, added)):
        text = browser.read(f"/students/{one.pk}").text
        assert "Another student has the same name and date of birth: " in text
        assert f"date of birth: {other.student_id}" in text


@pytest.mark.parametrize("student_id", ["S000", "00s000"])
def test_the_form_asks_once_before_a_similar_id_is_added(
    browser: Visitor, student: Student, student_id: str
) -> None:
    values = {**ANA, "student_id": student_id}
    assert "(s000)" in read(browser.post("/students/new", values)).text
    assert browser.post("/students/new", {**values, "is_confirmed": "on"}).status_code == 200
    assert Student.objects.filter(student_id=student_id).exists()


def test_the_form_asks_once_before_a_student_becomes_a_namesake(
    browser: Visitor, student: Student, maple: District
) -> None:
    enroll(maple, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\n7,Zoe,Lee000,2012-05-13")
    other = Student.objects.get(student_id="7")
    values = {**form_of(browser, other), "first_name": "ann000"}
    response = browser.post(f"/students/{other.pk}/edit", values)
    assert "Ann000 Lee000 (s000)" in read(response).text
    assert values_of(maple, "7", "FIRST_NAME") == ("Zoe",)
    browser.post(f"/students/{other.pk}/edit", {**values, "is_confirmed": "on"})
    assert values_of(maple, "7", "FIRST_NAME") == ("ann000",)
    values = {**form_of(browser, other), "grade": "7"}
    browser.post(f"/students/{other.pk}/edit", values)
    assert values_of(maple, "7", "GRADE") == ("7",)


def test_a_namesake_at_another_school_is_not_named(
    visitor: SignedIn, school_manager: Member, student: Student, maple: District
) -> None:
    Student.objects.filter(pk=student.pk).update(
        school=maple.school_set.exclude(organization_id="100").first()
    )
    browser = visitor(school_manager)
    page = read(browser.post("/students/new", {**NAMESAKE, "student_id": "7"}))
    assert "at a school that you can" in page.text
    assert "s000" not in page.text


@pytest.mark.parametrize("last_name", ["-", "."])
def test_a_student_can_have_one_name(
    browser: Visitor, student: Student, maple: District, last_name: str
) -> None:
    values = {**form_of(browser, student), "last_name": last_name}
    browser.post(f"/students/{student.pk}/edit", values)
    assert values_of(maple, "s000", "LAST_NAME") == ("-",)
    browser.post("/students/new", {**ANA, "last_name": last_name, "student_id": "8"})
    assert values_of(maple, "8", "FIRST_NAME", "LAST_NAME", "USERNAME") == ("Ana", "-", "ana")


def test_the_school_is_chosen_first_if_there_are_several(
    browser: Visitor, visitor: SignedIn, school_manager: Member, maple: District
) -> None:
    page = browser.read("/students/new")
    assert page.form().fields.keys() == {"school"}
    assert browser.read("/students/new?school=nowhere").form().fields.keys() == {"school"}
    page = browser.read("/students/new?school=200")
    assert page.form_with("first_name").values["school_id"] == ["200"]
    only = visitor(school_manager).read("/students/new")
    assert only.form_with("first_name").values["school_id"] == ["100"]
    school_manager.schools.clear()
    assert "There is no school yet" in visitor(school_manager).read("/students/new").text


def test_groups_and_staff_are_chosen_in_the_same_way_for_new_and_known_students(
    browser: Visitor, student: Student, school_manager: Member, manager: Member, maple: District
) -> None:
    teacher = of_school(maple, "far@maple.example", "instructor")
    teacher.schools.set([maple.school_set.get(organization_id="200")])
    away = of_school(maple, "away@maple.example", "instructor")
    Member.objects.filter(pk=away.pk).update(is_active=False)
    for address in ("/students/new?school=100", f"/students/{student.pk}/edit"):
        page = browser.read(address)
        boxes = [each.attrib for each in page.main.iter("input") if each.get("type") == "checkbox"]
        values = {name: [box["value"] for box in boxes if box["name"] == name] for name in NAMES}
        assert values == {
            "groups": ["Band"],
            "staff": [manager.email, school_manager.email],
        }
    sent = {**ANA, "student_id": "7", "groups": "Band", "staff": school_manager.email}
    assert browser.post("/students/new", sent).status_code == 200
    assert values_of(maple, "7", "GROUPS", "STAFF") == ("Band", school_manager.email)


def test_linked_staff_who_no_longer_work_at_the_school_stay_selected(
    browser: Visitor, student: Student, maple: District
) -> None:
    teacher = of_school(maple, "far@maple.example", "instructor")
    student.staff.add(teacher)
    teacher.schools.clear()
    assert form_of(browser, student)["staff"] == ["far@maple.example"]
    page = browser.follow(
        browser.post(f"/students/{student.pk}/edit", form_of(browser, student) | {"grade": "5"})
    )
    assert page.messages == ["Saved: Grade."]


NAMES = ("groups", "staff")
