"""Test everything that can go wrong with a form, with all forms: one table, one test for each way.

A form is empty, too long or has control characters, is submitted twice, after the session has
ended, from an old tab, or without its token. Nothing that was typed is lost where the form is shown
again, no page fails, and no password is in an answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db.models import Model

from rollbook.accounts import roles
from rollbook.accounts.models import Member, Role
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts.models import School
from rollbook.students.manual import groups
from rollbook.students.models import Group, Student, Transfer
from tests.conftest import PASSWORD, make_member
from tests.updates.night import a_class, enroll
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page, read, text_of
from tests.web.pages.students.test_edit_views import ANA

STUDENT = ANA | {"student_id": "77"}
MEMBER = {
    "first_name": "Ida",
    "last_name": "Stone",
    "email": "ida@maple.example",
    "role": "district manager",
}


@dataclass(frozen=True)
class FormCase:
    """A form, and what can be entered in it.

    Attributes:
        address: where it is; ``{student}``, ``{school}``, ``{group}``, ``{member}`` and ``{role}``
            are keys.
        valid: fields that are accepted.
        required: fields that can't be left blank.
        texts: fields for text, which has a maximum length and no control characters.
        page: the address of the page with the form, if it is another one.
        secrets: fields that are never shown again.
        is_once: whether the same form is refused, or does nothing, the second time.
    """

    address: str
    valid: Mapping[str, Any]
    required: tuple[str, ...]
    texts: tuple[str, ...] = ()
    page: str = ""
    secrets: tuple[str, ...] = ()
    is_once: bool = field(default=False)


FORMS: dict[str, FormCase] = {
    "new student": FormCase(
        "/students/new",
        STUDENT,
        ("first_name", "last_name", "dob", "gender", "grade", "school_id"),
        ("first_name", "last_name", "student_id", "username", "parent_email_1"),
        page="/students/new?school=100",
        secrets=("password",),
        is_once=True,
    ),
    "student": FormCase(
        "/students/{student}/edit",
        {"first_name": "Bea", "version": "0"},
        ("first_name", "last_name", "dob", "username"),
        ("first_name", "student_id", "username", "additional_info_1"),
        is_once=True,
    ),
    "transfer": FormCase("/transfers/new/student/{student}", {"target": "200"}, ("target",)),
    "new school": FormCase(
        "/schools/new",
        {"organization_id": "300", "name": "Hill"},
        ("organization_id", "name"),
        ("organization_id", "name"),
        is_once=True,
    ),
    "school": FormCase("/schools/{school}", {"name": "Hill"}, ("name",), ("name",)),
    "new group": FormCase(
        "/groups/new",
        {"school": "100", "name": "Choir"},
        ("school", "name"),
        ("name",),
        is_once=True,
    ),
    "group's name": FormCase(
        "/groups/{group}/rename", {"name": "Choir"}, ("name",), ("name",), page="/groups/{group}"
    ),
    "group's students": FormCase(
        "/groups/{group}/put-in",
        {"students": "s000"},
        ("students",),
        ("students",),
        page="/groups/{group}",
    ),
    "invitation": FormCase(
        "/staff/invite",
        MEMBER,
        ("first_name", "last_name", "email", "role"),
        ("first_name", "last_name", "email"),
        is_once=True,
    ),
    "member": FormCase(
        "/staff/{member}",
        {"first_name": "Benno"},
        ("first_name", "last_name", "email"),
        ("first_name", "last_name"),
        secrets=("password",),
    ),
    "new role": FormCase(
        "/roles/new/instructor",
        {"name": "Aide", "description": "Helps"},
        ("name",),
        ("name", "description"),
        is_once=True,
    ),
    "role": FormCase("/roles/{role}", {"name": "Aide"}, ("name",), ("name", "description")),
    "new token": FormCase(
        "/account/tokens/new",
        {"name": "Night", "password": PASSWORD},
        ("name", "password"),
        ("name", "networks"),
        secrets=("password",),
    ),
    "password": FormCase(
        "/account/password",
        {"old": PASSWORD, "new": "blue horse walks home", "again": "blue horse walks home"},
        ("old", "new", "again"),
        secrets=("old", "new", "again"),
        is_once=True,
    ),
}
TOO_LONG = "x" * 3000
CONTROL = {"NUL": "a\0b", "bell": "a\x07b", "override": "a\u202eb"}


class Maple:
    """Maple USD with one of everything that a form is about."""

    def __init__(self, manager: Member, browser: Visitor) -> None:
        district = manager.district
        enroll(district, a_class(1))
        self.browser = browser
        browser.get("/roles")  # the standard roles are stored when they are first needed
        student = Student.objects.get(district=district)
        ben = make_member(district, "ben@maple.example")
        band = groups.create(student.school, "Band")
        helper = roles.create_role(
            manager, RoleType.INSTRUCTOR, "Helper", "", [Permission.SEE_STUDENTS]
        )
        self._keys = {
            "student": student.pk,
            "school": student.school_id,
            "group": band.pk,
            "member": ben.pk,
            "role": helper.pk,
        }

    def address(self, case: FormCase) -> str:
        return case.address.format(**self._keys)

    def filled(self, case: FormCase) -> dict[str, Any]:
        """Return the fields of the form as its page has them, and what a person enters."""
        address = self.address(case)
        page = self.browser.read((case.page or case.address).format(**self._keys))
        actions = [form.get("action", "") for form in page.main.iter("form")]
        form = page.form(address) if address in actions else page.form_with(next(iter(case.valid)))
        return {**form.values, **case.valid}

    def submit(self, case: FormCase, fields: Mapping[str, Any]) -> Any:
        return self.browser.post(self.address(case), fields)


def everything() -> list[tuple[Any, ...]]:
    """Return all that the forms change, without passwords' hashes, which differ each time."""
    models: tuple[type[Model], ...] = (Student, School, Group, Member, Role, Transfer)
    rows: list[tuple[Any, ...]] = []
    for model in models:
        rows += model._default_manager.order_by("pk").values_list()
    return rows


@pytest.fixture
def maple_usd(manager: Member, visitor: SignedIn) -> Maple:
    return Maple(manager, visitor(manager))


def cases(attribute: str) -> list[Any]:
    """Return a parameter for each form and each name in one of its attributes."""
    return [
        pytest.param(case, name, id=f"{title}, {name}")
        for title, case in FORMS.items()
        for name in getattr(case, attribute)
    ]


def all_forms(*, only_once: bool = False) -> list[Any]:
    found = {title: case for title, case in FORMS.items() if case.is_once or not only_once}
    return [pytest.param(case, id=title) for title, case in found.items()]


def check_shown_again(case: FormCase, sent: Mapping[str, Any], response: Any) -> Page:
    """Check that the form is shown again with all that was typed, except for secrets."""
    assert response.status_code == 422, response
    page = read(response)
    text = response.content.decode()
    for name in case.secrets:
        secret = sent.get(name)
        assert not secret or isinstance(secret, list) or secret not in text
    return page


def error_at(page: Page, name: str) -> str:
    """Return the error at a field, to which the field or the group of choices must refer."""
    error = f"id_{name}_error"
    assert any(error in each.get("aria-describedby", "").split() for each in page.main.iter())
    return text_of(page.main.find(f".//*[@id='{error}']"))


@pytest.mark.parametrize("case", all_forms())
def test_a_filled_form_is_accepted(maple_usd: Maple, case: FormCase) -> None:
    before = everything()
    answer = maple_usd.submit(case, maple_usd.filled(case))
    assert answer.status_code in {200, 302}, read(answer).problems
    assert everything() != before or case.address.startswith("/account/tokens")


@pytest.mark.parametrize(("case", "name"), cases("required"))
def test_an_empty_field_is_named_and_nothing_else_is_lost(
    maple_usd: Maple, case: FormCase, name: str
) -> None:
    before = everything()
    sent = {**maple_usd.filled(case), name: ""}
    page = check_shown_again(case, sent, maple_usd.submit(case, sent))
    assert page.problems
    assert error_at(page, name)
    kept = page.form_with(name).values
    for other, value in case.valid.items():
        if other not in (name, *case.secrets):
            assert kept[other] == [value]
    assert everything() == before


@pytest.mark.parametrize("case", all_forms())
def test_all_errors_are_shown_at_once(maple_usd: Maple, case: FormCase) -> None:
    sent = {**maple_usd.filled(case), **dict.fromkeys(case.required, "")}
    page = check_shown_again(case, sent, maple_usd.submit(case, sent))
    assert len(page.problems) >= len(case.required)
    for name in case.required:
        assert error_at(page, name)


@pytest.mark.parametrize(("case", "name"), cases("texts"))
@pytest.mark.parametrize("text", [TOO_LONG, *CONTROL.values()], ids=["too long", *CONTROL])
def test_text_that_cannot_be_stored_is_refused_with_a_reason(
    maple_usd: Maple, case: FormCase, name: str, text: str
) -> None:
    before = everything()
    sent = {**maple_usd.filled(case), name: text}
    page = check_shown_again(case, sent, maple_usd.submit(case, sent))
    assert page.problems
    assert everything() == before


@pytest.mark.parametrize("case", all_forms(only_once=True))
def test_a_form_that_is_submitted_twice_does_it_once(maple_usd: Maple, case: FormCase) -> None:
    sent = maple_usd.filled(case)
    maple_usd.submit(case, sent)
    after = everything()
    answer = maple_usd.submit(case, sent)
    assert answer.status_code in {403, 422}  # a new password makes the token of the form invalid
    assert everything() == after


@pytest.mark.parametrize("case", all_forms())
def test_after_the_session_has_ended_nothing_is_done_and_the_sign_in_follows(
    maple_usd: Maple, case: FormCase
) -> None:
    sent = maple_usd.filled(case)
    maple_usd.browser.post("/sign-out")
    maple_usd.browser.get("/sign-in")
    before = everything()
    answer = maple_usd.submit(case, sent)
    assert answer.status_code == 302
    page = maple_usd.browser.follow(answer)
    assert page.heading == "Sign in"
    assert "Your session had ended, so nothing was saved." in page.text
    query = parse_qs(urlsplit(answer["Location"]).query)
    assert query.get("next", [maple_usd.address(case)]) == [maple_usd.address(case)]
    assert ("next" in query) == (not case.page.startswith("/groups/"))
    assert everything() == before


@pytest.mark.parametrize("case", all_forms())
def test_a_form_of_an_old_tab_says_what_to_do(maple_usd: Maple, case: FormCase) -> None:
    """Signing in again makes another token, so forms that were opened before have an old one."""
    before = everything()
    sent = {**maple_usd.filled(case), "csrfmiddlewaretoken": "x" * 64}
    answer = maple_usd.submit(case, sent)
    assert answer.status_code == 403
    assert "Go back, reload the page, and send it once more." in read(answer).text
    assert everything() == before


@pytest.mark.parametrize("case", all_forms())
def test_fields_that_the_form_does_not_have_change_nothing(
    maple_usd: Maple, case: FormCase
) -> None:
    odd = {"district": "2", "is_active": "", "pk": "1", "id": "1", "permissions": "everything"}
    before = everything()
    answer = maple_usd.submit(case, odd)
    assert answer.status_code == 422
    assert everything() == before
