"""The choice of emails on the page of the account."""

import pytest

from rollbook.accounts.models import AuditEvent, Member
from tests.conftest import make_member
from tests.web.pages.conftest import SignedIn
from tests.web.pages.reading import read

ADDRESS = "/account/emails"


@pytest.mark.parametrize(
    ("choice", "shown"),
    [
        ("always", "Every update"),
        ("needed", "Only when something needs me"),
        ("weekly", "A weekly summary, on Monday mornings"),
    ],
)
def test_a_choice_is_stored_shown_and_recorded(
    visitor: SignedIn, manager: Member, choice: str, shown: str
) -> None:
    browser = visitor(manager)
    response = browser.post(ADDRESS, {"choice": choice})
    assert (response.status_code, response["Location"]) == (302, "/account")
    page = browser.read("/account")
    assert "Your choice of emails was saved." in page.text
    assert f"Emails about updates{shown}" in page.text
    manager.refresh_from_db()
    assert manager.update_emails == choice
    event = AuditEvent.objects.get(action="choose emails")
    assert (event.member, event.detail) == (manager, choice)


def test_the_current_choice_is_checked(visitor: SignedIn, manager: Member) -> None:
    Member.objects.filter(pk=manager.pk).update(update_emails="needed")
    html = visitor(manager).get(ADDRESS).content.decode()
    [checked] = [tag for tag in html.split("<input") if " checked" in tag.partition(">")[0]]
    assert 'value="needed"' in checked


@pytest.mark.parametrize(
    ("choice", "error"),
    [("", "Choose which emails you get."), ("never", "This isn’t one of the choices.")],
)
def test_anything_else_is_refused_and_changes_nothing(
    visitor: SignedIn, manager: Member, choice: str, error: str
) -> None:
    response = visitor(manager).post(ADDRESS, {"choice": choice})
    assert response.status_code == 422
    assert error in read(response).text
    manager.refresh_from_db()
    assert manager.update_emails == "always"


def test_a_choice_is_that_of_the_member_who_is_signed_in(
    visitor: SignedIn, manager: Member, neighbor: Member
) -> None:
    teacher = make_member(manager.district, "ida@maple.example", "instructor")
    visitor(teacher).post(ADDRESS, {"choice": "weekly"})
    chosen = {member.pk: member.update_emails for member in Member.objects.all()}
    assert chosen == {teacher.pk: "weekly", manager.pk: "always", neighbor.pk: "always"}
