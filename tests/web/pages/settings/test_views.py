"""/settings: the settings that a district can change."""

from typing import Any

import pytest

from rollbook.accounts import roles
from rollbook.accounts.models import AuditEvent, Member
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts.models import District
from rollbook.updates import mails
from rollbook.updates.state_machine import State
from tests.conftest import make_member
from tests.updates.night import a_class, finish, send
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page, read


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """Return the browser of the district manager."""
    return visitor(manager)


def values(browser: Visitor) -> dict[str, list[str]]:
    """Return the values that the form has now."""
    fields = browser.read("/settings").form_with("time_zone").values
    return {name: value for name, value in fields.items() if name != "csrfmiddlewaretoken"}


def submit(browser: Visitor, **changes: Any) -> Any:
    """Send the form with these changes, and return the response.

    If it asks because something is kept for a shorter time, that is confirmed.
    """
    sent = browser.post("/settings", values(browser) | changes)
    if sent.status_code == 200:
        assert read(sent).heading == "Keep data for a shorter time?"
        sent = browser.post("/settings", read(sent).form("/settings").values)
    return sent


def save(browser: Visitor, **changes: Any) -> Page:
    """Send the form with these changes, and return the page it redirects to."""
    return browser.follow(submit(browser, **changes))


def error_at(browser: Visitor, field: str, value: Any) -> str:
    """Return the error at a field with this value; for a group of choices, the whole page."""
    response = browser.post("/settings", values(browser) | {field: value})
    assert response.status_code == 422
    page = read(response)
    return page.text if field == "receivers" else page.described(field)


def audited() -> list[str]:
    events = AuditEvent.objects.filter(action="change settings").order_by("pk")
    return [f"{event.result}: {event.detail}" for event in events]


def test_the_form_shows_the_current_settings(browser: Visitor, manager: Member) -> None:
    shown = values(browser)
    assert shown.pop("version")
    assert shown == {
        "time_zone": ["America/Chicago"],
        "encoding": ["utf-8"],
        "date_order": ["mdy"],
        "grade_codes": [""],
        "files_kept_days": ["14"],
        "details_kept_days": ["90"],
        "audit_kept_years": ["7"],
        "history_kept_days": ["2562"],
        "leavers_kept_days": ["0"],
        "staff_kept_days": ["0"],
    }
    Member.objects.filter(pk=manager.pk).update(receives_results=True)
    assert values(browser)["receivers"] == [str(manager.pk)]


def test_sending_the_form_unchanged_changes_nothing(browser: Visitor) -> None:
    assert save(browser).messages == ["No settings were changed."]
    assert audited() == []


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("time_zone", "America/Denver", "time zone: America/Chicago → America/Denver"),
        ("encoding", "cp1252", "encoding: utf-8 → cp1252"),
        ("date_order", "dmy", "date order: mdy → dmy"),
        ("reactivates_students", "on", "inactive students in files reactivated: no → yes"),
        ("requires_second_factor", "on", "two-step verification required: no → yes"),
        ("files_kept_days", "30", "days to keep files: 14 → 30"),
        ("details_kept_days", "7", "days to keep rows and problems: 90 → 7"),
        ("audit_kept_years", "1", "years to keep the audit log: 7 → 1"),
        ("history_kept_days", "365", "days to keep the history of students: 2562 → 365"),
        ("leavers_kept_days", "365", "days to keep students who left: 0 → 365"),
        ("staff_kept_days", "365", "days to keep former staff members: 0 → 365"),
    ],
)
def test_each_setting_is_changed_and_audited(
    browser: Visitor, maple: District, field: str, value: str, text: str
) -> None:
    response = submit(browser, **{field: value})
    assert (response.status_code, response["Location"]) == (302, "/settings")
    assert audited() == [f"ok: {text}"]
    maple.refresh_from_db()
    assert str(getattr(maple, field)) == {"on": "True"}.get(value, value)


def test_the_message_names_the_changed_settings(browser: Visitor) -> None:
    page = save(browser, time_zone="Pacific/Honolulu", files_kept_days="1")
    assert page.messages == ["Settings saved: time zone, days to keep files."]
    assert page.form_with("time_zone").values["time_zone"] == ["Pacific/Honolulu"]


def test_recipients_are_chosen_from_the_active_members(
    browser: Visitor, maple: District, manager: Member
) -> None:
    colleague, former = (
        make_member(maple, "ana@maple.example"),
        make_member(maple, "gone@maple.example"),
    )
    Member.objects.filter(pk=former.pk).update(is_active=False)
    page = browser.read("/settings")
    assert "ana@maple.example" in page.text
    assert "gone@maple.example" not in page.text
    save(browser, receivers=[str(colleague.pk)])
    assert audited() == [f"ok: result recipients: nobody → member {colleague.pk}"]
    finish(send(maple, a_class(1)))
    mails.queue_result_mails()
    assert set(Member.objects.filter(resultmail__isnull=False)) == {colleague}
    assert "isn’t an active staff member" in error_at(browser, "receivers", [str(former.pk)])


def test_members_of_the_neighbor_are_neither_offered_nor_accepted(
    browser: Visitor, maple: District, neighbor: Member
) -> None:
    assert "cedar" not in browser.read("/settings").text.casefold()
    assert "isn’t an active staff member" in error_at(browser, "receivers", [str(neighbor.pk)])
    neighbor.refresh_from_db()
    assert neighbor.receives_results is False
    assert audited() == []


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("time_zone", "", "Choose one from the list."),
        ("time_zone", "America/Springfield", "Choose one from the list."),
        ("time_zone", "a\0b", "Choose one from the list."),
        ("encoding", "utf-7", "Choose one from the list."),
        ("date_order", "mixed", "Choose one from the list."),
        ("date_order", "", "Choose one from the list."),
        ("grade_codes", "-1", "'-1' isn't a code and a grade, such as -1 = PK."),
        (
            "grade_codes",
            "-1 = Nursery",
            "'Nursery' isn't a grade; use PK, K, T1, 1–13, UG or Adult.",
        ),
        ("grade_codes", "-1 = PK\n-1 = K", "The code '-1' has two grades; keep one of them."),
        ("grade_codes", "3 = 4", "The code '3' is a grade itself and can't mean another one"),
        ("grade_codes", "a\0b = 4", "Null characters are not allowed."),
        ("grade_codes", f"{'x' * 21} = 4", "use 1 to 20 printable characters."),
        ("receivers", ["x"], "One of these isn’t an active staff member. Choose again."),
        ("files_kept_days", "0", "Enter a whole number from 1 to 365."),
        ("files_kept_days", "", "Enter a whole number from 1 to 365."),
        ("files_kept_days", "1.5", "Enter a whole number from 1 to 365."),
        ("details_kept_days", "1096", "Enter a whole number from 7 to 1,095."),
        ("details_kept_days", "9" * 400, "Enter a whole number from 7 to 1,095."),
        ("audit_kept_years", "8", "Enter a whole number from 1 to 7."),
        ("audit_kept_years", "seven", "Enter a whole number from 1 to 7."),
        ("leavers_kept_days", "3661", "Enter a whole number from 30 to 3,660, or 0."),
        ("staff_kept_days", "1", "1 isn't a number from 30 to 3,660 or 0"),
        ("history_kept_days", "60", "60 is less than the 90 days for which rows and problems"),
    ],
)
def test_an_invalid_value_is_reported_at_its_field_and_the_form_keeps_its_values(
    browser: Visitor, maple: District, field: str, value: Any, text: str
) -> None:
    before = values(browser)
    assert text in error_at(browser, field, value)
    assert values(browser) == before
    response = browser.post("/settings", before | {"encoding": "cp1252"} | {field: value})
    assert field == "encoding" or read(response).form_with("time_zone").values["encoding"] == [
        "cp1252"
    ]


def test_a_recipient_deactivated_while_the_form_is_open_is_reported(
    browser: Visitor, maple: District
) -> None:
    colleague = make_member(maple, "ana@maple.example")
    form_data = values(browser) | {"receivers": [str(colleague.pk)]}
    Member.objects.filter(pk=colleague.pk).update(is_active=False)
    response = browser.post("/settings", form_data)
    assert response.status_code == 422
    assert "isn’t an active staff member" in read(response).text


def test_an_encoding_set_by_an_operator_stays_until_another_one_is_chosen(
    browser: Visitor, maple: District
) -> None:
    District.objects.filter(pk=maple.pk).update(encoding="cp1250")
    assert values(browser)["encoding"] == ["cp1250"]
    assert save(browser).messages == ["No settings were changed."]
    save(browser, encoding="utf-8")
    assert audited() == ["ok: encoding: cp1250 → utf-8"]


def test_a_time_zone_without_a_place_stays_too(browser: Visitor, maple: District) -> None:
    District.objects.filter(pk=maple.pk).update(time_zone="CST6CDT")
    assert values(browser)["time_zone"] == ["CST6CDT"]
    assert save(browser).messages == ["No settings were changed."]


def test_the_new_encoding_applies_to_the_next_file(browser: Visitor, maple: District) -> None:
    save(browser, encoding="cp1252")
    maple.refresh_from_db()
    assert send(maple, a_class(1)).encoding == "cp1252"


def test_grade_codes_are_entered_as_lines(browser: Visitor, maple: District) -> None:
    save(browser, grade_codes="-1 = PK\r\n\r\n14=12\r\nEC = pre-k, ")
    assert audited() == ["ok: grade codes: none → -1 = pk, 14 = 12 and ec = pk"]
    maple.refresh_from_db()
    assert maple.grade_codes == {"-1": "pk", "14": "12", "ec": "pk"}
    assert values(browser)["grade_codes"] == ["-1 = pk\n14 = 12\nec = pk"]
    assert save(browser).messages == ["No settings were changed."]
    save(browser, grade_codes="")
    maple.refresh_from_db()
    assert maple.grade_codes == {}


def test_invalid_grade_codes_stay_in_the_form(browser: Visitor, maple: District) -> None:
    response = browser.post("/settings", values(browser) | {"grade_codes": "-1 = Nursery"})
    assert read(response).form_with("time_zone").values["grade_codes"] == ["-1 = Nursery"]
    maple.refresh_from_db()
    assert maple.grade_codes == {}


def test_the_new_date_order_applies_to_the_next_file(
    browser: Visitor, maple: District, cedar: District
) -> None:
    day_first = "STUDENT_ID,DOB\ns000,13/05/2014"
    assert send(maple, day_first).state == State.REFUSED
    save(browser, date_order="dmy")
    maple.refresh_from_db()
    cedar.refresh_from_db()
    assert send(maple, day_first).rules["date_order"] == "dmy"
    assert send(cedar, day_first).state == State.REFUSED


def test_a_custom_role_has_the_page_if_it_has_the_permission(
    maple: District, manager: Member, visitor: SignedIn
) -> None:
    role = roles.create_role(
        manager, RoleType.DISTRICT_MANAGER, "Clerk", "", [Permission.MANAGE_SETTINGS]
    )
    clerk = make_member(maple, "clerk@maple.example")
    Member.objects.filter(pk=clerk.pk).update(role=role)
    browser = visitor(clerk)
    settings = ["Settings", "Expected files", "Quiet hours", "Column mappings", "Limits"]
    assert browser.read("/").navigation == ["Home", *settings, "Full sync", "Help"]
    assert browser.read("/settings").heading == "Settings"
    role.permissions = ["see students"]
    role.save()
    assert browser.get("/settings").status_code == 403
