"""/schools: list, add, rename and close schools, and load them from a CSV file."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts.models import District, School
from tests.updates.night import a_class, enroll, send
from tests.web.pages.conftest import SignedIn, Visitor, of_school
from tests.web.pages.reading import Page, read


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """Return the browser of the district manager."""
    return visitor(manager)


def id_of_school(organization_id: str) -> int:
    return School.objects.get(organization_id=organization_id, district__slug="maple-usd").pk


def test_every_school_is_listed_with_its_students(
    browser: Visitor, maple: District, cedar: District
) -> None:
    enroll(maple, a_class(3))
    page = browser.read("/schools")
    assert page.rows == [["School 100", "100", "3", "0"], ["School 200", "200", "0", "0"]]


def test_a_school_is_added(browser: Visitor) -> None:
    page = browser.follow(browser.post("/schools/new", {"organization_id": "300", "name": "Hill"}))
    assert page.messages == ["School added: Hill."]
    assert ["Hill", "300", "0", "0"] in page.rows
    assert (
        AuditEvent.objects.get(action="add school").detail == f"school {id_of_school('300')}, 300"
    )


def test_an_invalid_school_is_reported_and_the_form_keeps_its_values(browser: Visitor) -> None:
    response = browser.post("/schools/new", {"organization_id": "100", "name": "Again"})
    assert response.status_code == 422
    page = read(response)
    assert "School ID 100 is already in use; choose another one." in page.text
    assert page.form_with("name").values["name"] == ["Again"]


def test_a_school_is_renamed(browser: Visitor) -> None:
    page = browser.follow(browser.post(f"/schools/{id_of_school('100')}", {"name": "Maple High"}))
    assert page.messages == ["School renamed: School 100 is now Maple High."]
    assert browser.post(f"/schools/{id_of_school('100')}", {"name": "x" * 201}).status_code == 422


def test_an_empty_school_is_closed_and_one_with_students_is_not(
    browser: Visitor, maple: District
) -> None:
    enroll(maple, a_class(1))
    page = browser.follow(browser.post(f"/schools/{id_of_school('100')}/close"))
    assert page.messages == [
        "School 100 wasn’t closed: School 100 has 1 student, active or inactive; "
        "move them to another school first."
    ]
    page = browser.follow(browser.confirm(f"/schools/{id_of_school('200')}/close"))
    assert page.messages == ["School closed: School 200."]
    assert [row[1] for row in page.rows] == ["100"]


def test_who_loses_a_school_is_shown_before_it_is_closed(browser: Visitor, maple: District) -> None:
    both = of_school(maple, "both@maple.example", "school manager")
    only = of_school(maple, "only@maple.example", "instructor")
    for member in (both, only):
        member.schools.add(School.objects.get(pk=id_of_school("200")))
    only.schools.remove(School.objects.get(pk=id_of_school("100")))
    page = read(browser.post(f"/schools/{id_of_school('200')}/close"))
    assert page.heading == "Close School 200?"
    assert "2 staff members will no longer be assigned to it." in page.text
    assert "Ana Ruiz (both@maple.example), also at 1 other school" in page.text
    assert "Ana Ruiz (only@maple.example), at no other school" in page.text
    assert School.objects.filter(district=maple).count() == 2


def test_no_school_is_closed_while_an_update_is_queued(browser: Visitor, maple: District) -> None:
    send(maple, a_class(1))
    page = browser.follow(browser.confirm(f"/schools/{id_of_school('200')}/close"))
    assert "an update that may refer to it is running or queued" in page.messages[0]
    assert School.objects.filter(district=maple).count() == 2


def load(browser: Visitor, text: str) -> Page:
    browser.read("/schools/import")
    response = browser.post(
        "/schools/import/file", {"file": SimpleUploadedFile("schools.csv", text.encode())}
    )
    return browser.follow(response) if response.status_code == 302 else read(response)


def test_schools_are_loaded_from_a_file(browser: Visitor) -> None:
    page = load(browser, "SCHOOL_ID,NAME\n100,Maple High\n300,Hill\n")
    assert page.messages == ["Schools loaded: 1 added, 1 renamed, 0 unchanged."]
    assert [row[0] for row in page.rows] == ["Hill", "Maple High", "School 200"]


def test_a_file_with_problems_loads_nothing(browser: Visitor) -> None:
    page = load(browser, "SCHOOL_ID,NAME\n300,Hill\n300,Again\n")
    assert page.rows == [["3", "SCHOOL_ID 300 is already in line 2; keep one of them"]]
    assert School.objects.count() == 2
    assert "No school was loaded: line 1 must be SCHOOL_ID,NAME" in load(browser, "ID\n1\n").text
