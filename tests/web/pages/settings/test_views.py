"""/settings: what a district settles for itself."""

from typing import Any

import pytest

from rollbook.accounts import roles
from rollbook.accounts.models import AuditEvent, Member
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts.models import District
from rollbook.updates import mails
from tests.conftest import a_member
from tests.updates.night import a_class, finish, send
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page, read


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """The district manager's."""
    return visitor(manager)


def values(browser: Visitor) -> dict[str, list[str]]:
    """What sending the form as it stands would say."""
    found = browser.read("/settings").form_with("time_zone").values
    return {name: value for name, value in found.items() if name != "csrfmiddlewaretoken"}


def save(browser: Visitor, **otherwise: Any) -> Page:
    """Send the form as it stands but for these; returns the page that it leads to."""
    return browser.follow(browser.post("/settings", values(browser) | otherwise))


def refused(browser: Visitor, field: str, value: Any) -> str:
    """What is said at the field that this cannot be; of a group of choices, on the whole page."""
    response = browser.post("/settings", values(browser) | {field: value})
    assert response.status_code == 422
    page = read(response)
    return page.text if field == "receivers" else page.described(field)


def audited() -> list[str]:
    events = AuditEvent.objects.filter(action="change settings").order_by("pk")
    return [f"{event.result}: {event.detail}" for event in events]


def test_the_form_says_how_everything_stands(browser: Visitor, manager: Member) -> None:
    assert values(browser) == {
        "time_zone": ["America/Chicago"],
        "encoding": ["utf-8"],
        "files_kept_days": ["14"],
        "details_kept_days": ["90"],
        "audit_kept_years": ["7"],
    }
    Member.objects.filter(pk=manager.pk).update(receives_results=True)
    assert values(browser)["receivers"] == [str(manager.pk)]


def test_sending_it_as_it_stands_changes_nothing(browser: Visitor) -> None:
    assert save(browser).messages == ["Nothing was changed: all of it was so already."]
    assert audited() == []


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("time_zone", "America/Denver", "time zone: America/Chicago → America/Denver"),
        ("encoding", "cp1252", "encoding: utf-8 → cp1252"),
        ("requires_second_factor", "on", "second factor required: no → yes"),
        ("files_kept_days", "30", "days files are kept: 14 → 30"),
        ("details_kept_days", "7", "days rows and problems are kept: 90 → 7"),
        ("audit_kept_years", "1", "years the audit is kept: 7 → 1"),
    ],
)
def test_each_is_changed_audited_and_told(
    browser: Visitor, maple: District, field: str, value: str, told: str
) -> None:
    response = browser.post("/settings", values(browser) | {field: value})
    assert (response.status_code, response["Location"]) == (302, "/settings")
    assert audited() == [f"ok: {told}"]
    maple.refresh_from_db()
    assert str(getattr(maple, field)) == {"on": "True"}.get(value, value)


def test_what_was_saved_is_said_by_its_names(browser: Visitor) -> None:
    page = save(browser, time_zone="Pacific/Honolulu", files_kept_days="1")
    assert page.messages == ["Saved: time zone, days files are kept."]
    assert page.form_with("time_zone").values["time_zone"] == ["Pacific/Honolulu"]


def test_receivers_are_chosen_among_the_active_members(
    browser: Visitor, maple: District, manager: Member
) -> None:
    colleague, leaver = a_member(maple, "ana@maple.example"), a_member(maple, "gone@maple.example")
    Member.objects.filter(pk=leaver.pk).update(is_active=False)
    page = browser.read("/settings")
    assert "ana@maple.example" in page.text
    assert "gone@maple.example" not in page.text
    save(browser, receivers=[str(colleague.pk)])
    assert audited() == [f"ok: receivers of results: nobody → member {colleague.pk}"]
    finish(send(maple, a_class(1)))
    mails.queue_result_mails()
    assert set(Member.objects.filter(resultmail__isnull=False)) == {colleague}
    assert "not an active member" in refused(browser, "receivers", [str(leaver.pk)])


def test_the_neighbours_members_are_neither_offered_nor_taken(
    browser: Visitor, maple: District, neighbour: Member
) -> None:
    assert "cedar" not in browser.read("/settings").text.casefold()
    assert "not an active member" in refused(browser, "receivers", [str(neighbour.pk)])
    neighbour.refresh_from_db()
    assert neighbour.receives_results is False
    assert audited() == []


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("time_zone", "", "Choose one of the list."),
        ("time_zone", "America/Springfield", "Choose one of the list."),
        ("time_zone", "a\0b", "Choose one of the list."),
        ("encoding", "utf-7", "Choose one of the list."),
        ("receivers", ["x"], "One of these is not an active member of the district. Choose again."),
        ("files_kept_days", "0", "Write a whole number from 1 to 365."),
        ("files_kept_days", "", "Write a whole number from 1 to 365."),
        ("files_kept_days", "1.5", "Write a whole number from 1 to 365."),
        ("details_kept_days", "1096", "Write a whole number from 7 to 1,095."),
        ("details_kept_days", "9" * 400, "Write a whole number from 7 to 1,095."),
        ("audit_kept_years", "8", "Write a whole number from 1 to 7."),
        ("audit_kept_years", "seven", "Write a whole number from 1 to 7."),
    ],
)
def test_what_cannot_be_is_told_at_its_field_and_nothing_is_lost(
    browser: Visitor, maple: District, field: str, value: Any, told: str
) -> None:
    before = values(browser)
    assert told in refused(browser, field, value)
    assert values(browser) == before
    response = browser.post("/settings", before | {"encoding": "cp1252"} | {field: value})
    assert field == "encoding" or read(response).form_with("time_zone").values["encoding"] == [
        "cp1252"
    ]


def test_a_receiver_who_left_while_the_form_was_open_is_told(
    browser: Visitor, maple: District
) -> None:
    colleague = a_member(maple, "ana@maple.example")
    asked = values(browser) | {"receivers": [str(colleague.pk)]}
    Member.objects.filter(pk=colleague.pk).update(is_active=False)
    response = browser.post("/settings", asked)
    assert response.status_code == 422
    assert "not an active member" in read(response).text


def test_an_encoding_of_the_operators_stays_until_another_one_is_chosen(
    browser: Visitor, maple: District
) -> None:
    District.objects.filter(pk=maple.pk).update(encoding="cp1250")
    assert values(browser)["encoding"] == ["cp1250"]
    assert save(browser).messages == ["Nothing was changed: all of it was so already."]
    save(browser, encoding="utf-8")
    assert audited() == ["ok: encoding: cp1250 → utf-8"]


def test_a_time_zone_that_is_called_after_no_place_stays_too(
    browser: Visitor, maple: District
) -> None:
    District.objects.filter(pk=maple.pk).update(time_zone="CST6CDT")
    assert values(browser)["time_zone"] == ["CST6CDT"]
    assert save(browser).messages == ["Nothing was changed: all of it was so already."]


def test_the_new_encoding_counts_for_the_next_file(browser: Visitor, maple: District) -> None:
    save(browser, encoding="cp1252")
    maple.refresh_from_db()
    assert send(maple, a_class(1)).encoding == "cp1252"


def test_a_custom_role_has_the_page_if_it_has_the_permission(
    maple: District, manager: Member, visitor: SignedIn
) -> None:
    role = roles.make(manager, RoleType.DISTRICT_MANAGER, "Clerk", "", [Permission.MANAGE_SETTINGS])
    clerk = a_member(maple, "clerk@maple.example")
    Member.objects.filter(pk=clerk.pk).update(role=role)
    browser = visitor(clerk)
    assert browser.read("/").rooms == ["Home", "Settings", "Help"]
    assert browser.read("/settings").heading == "Settings"
    role.permissions = ["see students"]
    role.save()
    assert browser.get("/settings").status_code == 403
