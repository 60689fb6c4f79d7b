"""Test /transfers: transferring students, and requesting that from the district."""

import pytest

from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts.models import District, School
from rollbook.students.models import Group, Student, Transfer
from tests.updates.night import a_class, column_of, enroll
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import read


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """The district manager's."""
    return visitor(manager)


@pytest.fixture(autouse=True)
def enrolled(maple: District) -> None:
    enroll(maple, a_class(3, GROUPS="Band"))


def school(key: str) -> int:
    return School.objects.get(organization_id=key, district__slug="maple-usd").pk


def test_a_student_is_transferred(browser: Visitor, maple: District) -> None:
    student = Student.objects.get(student_id="s001")
    address = browser.read(f"/students/{student.pk}").links["Transfer"]
    page = browser.follow(browser.post(address, {"target": "200"}))
    assert page.messages == ["1 student transferred from School 100 to School 200."]
    assert column_of(maple, "SCHOOL_ID") == {"s000": "100", "s001": "200", "s002": "100"}
    assert page.rows == [["Lee001, Ann001", "s001", "School 200", "✓ active"]]


def test_a_group_and_a_school_are_transferred(browser: Visitor, maple: District) -> None:
    group = Group.objects.get(name="Band")
    page = browser.read(f"/transfers/new/group/{group.pk}")
    assert "3 students at School 100, including inactive students" in page.text
    browser.post(f"/transfers/new/group/{group.pk}", {"target": "200"})
    assert set(column_of(maple, "SCHOOL_ID").values()) == {"200"}
    address = browser.read(f"/schools/{school('200')}").links["Transfer students"]
    page = browser.follow(browser.post(address, {"target": "100"}))
    assert page.messages == ["3 students transferred from School 200 to School 100."]


def test_a_transfer_is_reversed_by_another_one(browser: Visitor, maple: District) -> None:
    browser.follow(browser.post(f"/transfers/new/school/{school('100')}", {"target": "200"}))
    first = Transfer.objects.get()
    page = browser.follow(browser.confirm(f"/transfers/{first.pk}/back"))
    assert page.messages == ["3 students transferred from School 200 to School 100."]
    assert set(column_of(maple, "SCHOOL_ID").values()) == {"100"}
    page = browser.follow(browser.confirm(f"/transfers/{first.pk}/back"))
    assert page.messages == ["No students were transferred: none of them is at School 200."]
    assert [row[1:4] for row in browser.read("/transfers").rows] == [
        ["3", "School 200", "School 100"],
        ["3", "School 100", "School 200"],
    ]


@pytest.mark.parametrize("target", ["", "100", "999", "?"])
def test_an_invalid_school_is_rejected(browser: Visitor, maple: District, target: str) -> None:
    assert (
        browser.post(f"/transfers/new/school/{school('100')}", {"target": target}).status_code
        == 422
    )
    assert not Transfer.objects.exists()


def test_an_empty_school_has_no_students_to_transfer(browser: Visitor) -> None:
    response = browser.post(f"/transfers/new/school/{school('200')}", {"target": "100"})
    assert response.status_code == 422
    assert "None of them is at School 200." in read(response).text


def test_a_school_manager_requests_a_transfer_and_the_district_completes_it(
    visitor: SignedIn, school_manager: Member, manager: Member, maple: District
) -> None:
    theirs = visitor(school_manager)
    address = f"/transfers/new/group/{Group.objects.get(name='Band').pk}"
    response = theirs.post(address, {"target": "?", "note": ""})
    assert response.status_code == 422
    assert "Say in up to 200 characters where they should go." in read(response).text
    page = theirs.follow(theirs.post(address, {"target": "?", "note": "To School 200"}))
    assert page.messages == [
        "Transfer of 3 students requested. "
        "They stay at their school until the district chooses the new one."
    ]
    transfer = Transfer.objects.get()
    assert page.actions == [f"/transfers/{transfer.pk}/withdraw"]
    assert theirs.post(f"/transfers/{transfer.pk}/finish", {"target": "200"}).status_code == 422
    ours = visitor(manager)
    home = ours.read("/")
    assert "Complete 1 transfer It is waiting for a school." in home.text
    assert home.links["Complete 1 transfer"] == "/transfers"
    page = ours.follow(ours.post(f"/transfers/{transfer.pk}/finish", {"target": "200"}))
    assert page.messages == ["3 students transferred to School 200."]
    assert "To School 200" in page.text
    assert set(column_of(maple, "SCHOOL_ID").values()) == {"200"}
    assert "Complete 1 transfer" not in ours.read("/").text
    assert (
        AuditEvent.objects.get(action="finish transfer").detail
        == f"transfer {transfer.pk}: 3 to 200"
    )
    assert theirs.read(f"/transfers/{transfer.pk}").rows == []


def test_a_requested_transfer_is_withdrawn(visitor: SignedIn, school_manager: Member) -> None:
    browser = visitor(school_manager)
    student = Student.objects.get(student_id="s001")
    asked = browser.post(
        f"/transfers/new/student/{student.pk}", {"target": "?", "note": "To School 200"}
    )
    assert browser.follow(asked).messages == [
        "Transfer of 1 student requested. "
        "They stay at their school until the district chooses the new one."
    ]
    key = Transfer.objects.get().pk
    assert browser.follow(browser.post(f"/transfers/{key}/withdraw")).messages == [
        "Transfer withdrawn. The students stay at their school."
    ]
    page = browser.follow(browser.post(f"/transfers/{key}/withdraw"))
    assert page.messages == ["Nothing was changed: it's no longer pending."]


@pytest.mark.parametrize(
    "address", ["/transfers/new/nothing/1", "/transfers/new/school/0", "/transfers/0"]
)
def test_unknown_transfers_are_not_found(browser: Visitor, address: str) -> None:
    assert browser.get(address).status_code == 404
