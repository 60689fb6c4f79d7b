"""Test that what can't be undone asks first, and that only the answer does it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from rollbook.accounts import roles
from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.models import Member, Role, Token
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts.models import School
from rollbook.students.manual import groups, transfers
from rollbook.students.models import Group, Student, Transfer
from tests.conftest import make_member
from tests.updates.night import a_class, enroll
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import read


class Everything:
    """One of everything in Maple USD that can be ended, closed or removed."""

    def __init__(self, manager: Member) -> None:
        self.manager = manager
        district = manager.district
        enroll(district, a_class(2))
        self.student, self.moved = Student.objects.filter(district=district).order_by("pk")
        self.school = School.objects.create(
            district=district, organization_id="900", name="Old School"
        )
        self.group = groups.create(self.student.school, "Band")
        self.ben = make_member(district, "ben@maple.example")
        self.token, _ = api_tokens.create(manager, "Night", tuple(Scope), timezone.now())
        api_tokens.create(self.ben, "Ben's night", tuple(Scope), timezone.now())
        self.role = roles.create_role(
            manager, RoleType.INSTRUCTOR, "Helper", "", [Permission.SEE_STUDENTS]
        )
        selection = transfers.select_student(manager, self.moved.pk)
        target = School.objects.get(district=district, organization_id="200")
        assert selection
        self.transfer = transfers.move(manager, selection, target, timezone.now())

    def state(self) -> list[tuple[Any, ...]]:
        """Return what the questions are about."""
        models = (Student, School, Group, Member, Token, Role, Transfer)
        rows: list[tuple[Any, ...]] = []
        for model in models:
            rows += model._default_manager.order_by("pk").values_list()
        return rows


ASKING: dict[str, tuple[Callable[[Everything], str], str]] = {
    "a student deactivated": (
        lambda all_: f"/students/{all_.student.pk}/deactivate",
        "Deactivate Ann000 Lee000?",
    ),
    "a password of a student": (
        lambda all_: f"/students/{all_.student.pk}/password",
        "Set a new password for Ann000 Lee000?",
    ),
    "a school": (lambda all_: f"/schools/{all_.school.pk}/close", "Close Old School?"),
    "a group": (lambda all_: f"/groups/{all_.group.pk}/remove", "Delete Band?"),
    "a member": (lambda all_: f"/staff/{all_.ben.pk}/deactivate", "Deactivate Ana Ruiz?"),
    "tokens of a member": (
        lambda all_: f"/staff/{all_.ben.pk}/revoke-tokens",
        "Revoke all tokens of Ana Ruiz?",
    ),
    "tokens of the district": (lambda _: "/staff/tokens/revoke", "Revoke 2 tokens?"),
    "a token": (lambda all_: f"/account/tokens/{all_.token.pk}/revoke", "Revoke Night?"),
    "a role": (lambda all_: f"/roles/{all_.role.pk}/remove", "Remove Helper?"),
    "a transfer": (
        lambda all_: f"/transfers/{all_.transfer.pk}/back",
        "Move 1 student back to School 100?",
    ),
}


@pytest.fixture
def everything(manager: Member) -> Everything:
    return Everything(manager)


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """The district manager's."""
    return visitor(manager)


@pytest.mark.parametrize("name", ASKING)
def test_it_is_done_only_after_the_answer(
    everything: Everything, browser: Visitor, name: str
) -> None:
    to_address, title = ASKING[name]
    address = to_address(everything)
    before = everything.state()
    for _ in range(2):
        asked = browser.post(address)
        page = read(asked)
        assert (asked.status_code, page.heading) == (200, title)
        assert everything.state() == before
    assert browser.get(page.links["Cancel"]).status_code == 200
    answered = browser.post(address, page.form(address).values)
    assert answered.status_code in {200, 302}
    assert everything.state() != before


@pytest.mark.parametrize("name", ASKING)
def test_an_answer_that_is_submitted_twice_is_no_failure(
    everything: Everything, browser: Visitor, name: str
) -> None:
    address = ASKING[name][0](everything)
    answer = read(browser.post(address)).form(address).values
    browser.post(address, answer)
    after = everything.state()
    again = browser.post(address, answer)
    assert again.status_code in {302, 404}
    assert everything.state() == after


@pytest.mark.parametrize("answer", ["", "no", "YES", "yes yes"])
def test_another_answer_asks_again(everything: Everything, browser: Visitor, answer: str) -> None:
    before = everything.state()
    page = read(browser.post(f"/schools/{everything.school.pk}/close", {"sure": answer}))
    assert page.heading == "Close Old School?"
    assert everything.state() == before


def test_fields_of_the_form_are_kept_in_the_question(
    everything: Everything, browser: Visitor
) -> None:
    address = f"/roles/{everything.role.pk}/remove"
    page = read(browser.post(address, {"note": ["<b>", "x"]}))
    assert page.form(address).values["note"] == ["<b>", "x"]
