"""Sensitive steps ask for the password or a code again, half an hour after the last proof."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from rollbook.accounts import roles
from rollbook.accounts.auth import sessions
from rollbook.accounts.models import AccountMail, AuditEvent, Member
from rollbook.accounts.permissions import Permission, RoleType
from tests.accounts.browser import NOW, Clock
from tests.accounts.phone import with_second_factor
from tests.conftest import PASSWORD, make_member
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import read

pytestmark = pytest.mark.statement("S10")

ROSTER = "/students/update/template.csv?students=yes"
QUESTION = "Confirm that it’s you"
ROLE = {"name": "Helpers", "description": "", "permissions": [Permission.SEE_STUDENTS.value]}


@pytest.fixture
def browser(clock: Clock, visitor: SignedIn, manager: Member) -> Visitor:
    return visitor(manager)


def grow_old(browser: Visitor, clock: Clock) -> None:
    """Let 31 minutes pass, with a page in between so that the session lasts."""
    clock.move(minutes=20)
    browser.read("/account")
    clock.move(minutes=11)


def is_question(response: Any) -> bool:
    return response.status_code == 403 and read(response).heading == QUESTION


def test_a_new_session_is_not_asked(browser: Visitor) -> None:
    assert browser.post("/roles/new/instructor", ROLE).status_code == 302
    assert browser.get(ROSTER).status_code == 200


def test_a_submitted_form_is_kept_until_the_password_is_right(
    browser: Visitor, clock: Clock, manager: Member
) -> None:
    grow_old(browser, clock)
    assert is_question(browser.post("/roles/new/instructor", ROLE))
    response = browser.post("/roles/new/instructor", ROLE | {"confirmation": "wrong"})
    assert is_question(response)
    assert "That isn’t your password" in read(response).text
    assert not any(role.name == "Helpers" for role in roles.roles_of(manager.district))
    response = browser.post("/roles/new/instructor", ROLE | {"confirmation": PASSWORD})
    assert response.status_code == 302
    assert any(role.name == "Helpers" for role in roles.roles_of(manager.district))
    assert browser.get(ROSTER).status_code == 200  # the proof counts for everything


def test_the_page_that_asks_contains_the_form_but_no_password(
    browser: Visitor, clock: Clock
) -> None:
    grow_old(browser, clock)
    html = browser.post("/roles/new/instructor", ROLE | {"password": "hunter2"}).content.decode()
    assert '<input type="hidden" name="name" value="Helpers">' in html
    assert "hunter2" not in html


def test_members_with_two_step_verification_enter_a_code(
    clock: Clock, manager: Member, stranger: Visitor
) -> None:
    setup = with_second_factor(manager)
    stranger.sign_in(manager)
    code = {"code": setup.phone.code(clock.now, later=1)}
    assert stranger.post("/sign-in/code", code).status_code == 302
    grow_old(stranger, clock)
    assert is_question(stranger.get(ROSTER))
    assert is_question(stranger.post(ROSTER, {"confirmation": PASSWORD}))
    code = {"confirmation": setup.phone.code(clock.now)}
    assert stranger.post(ROSTER, code).status_code == 200


def test_every_sensitive_form_asks(browser: Visitor, clock: Clock, manager: Member) -> None:
    ben = make_member(manager.district, "ben@maple.example")
    with_second_factor(ben)
    role = roles.create_role(manager, RoleType.INSTRUCTOR, "Aides", "", [])
    grow_old(browser, clock)
    for address in (
        "/settings",
        "/staff/invite",
        "/staff/tokens/revoke",
        f"/staff/{ben.pk}/second-factor-off",
        f"/staff/{ben.pk}/revoke-tokens",
        "/staff/import",
        f"/roles/{role.pk}",
        f"/roles/{role.pk}/remove",
        "/roles/new/instructor",
    ):
        assert is_question(browser.post(address)), address
    fields = {"first_name": "Ben", "last_name": "Oz", "email": ben.email}
    response = browser.post(f"/staff/{ben.pk}", fields | {"role": "district manager"})
    assert response.status_code == 422
    assert "To save this, enter your own password too." in read(response).text
    assert not AuditEvent.objects.filter(action__in=["change member", "remove role"]).exists()


def test_a_staff_file_is_taken_after_a_recent_proof_only(browser: Visitor, clock: Clock) -> None:
    header = "FIRST_NAME,LAST_NAME,ASSIGNED_ROLE,EMAIL,SCHOOLS\n"
    text = f"{header}Ida,Stone,District Manager,ida@maple.example,\n".encode()
    grow_old(browser, clock)
    assert is_question(browser.get("/staff/import"))
    answer = browser.post("/staff/import/file", {"file": SimpleUploadedFile("s.csv", text)})
    assert answer["Location"] == "/staff/import"
    assert not Member.objects.filter(email="ida@maple.example").exists()
    asked = browser.get("/staff/import")
    assert is_question(asked)
    assert "Nobody was invited. Confirm it’s you, then choose the file again." in read(asked).text
    page = read(browser.post("/staff/import", {"confirmation": PASSWORD}))
    assert page.heading == "Invite many by CSV"
    answer = browser.post("/staff/import/file", {"file": SimpleUploadedFile("s.csv", text)})
    assert read(answer).heading == "1 invited"


def test_the_roster_is_reported(browser: Visitor, manager: Member) -> None:
    eve = make_member(manager.district, "eve@maple.example")
    browser.get(ROSTER)
    browser.get("/students/update/template.csv")
    mails = AccountMail.objects.filter(notice="mass download").select_related("member")
    assert {(mail.member, mail.notice_detail) for mail in mails} == {
        (manager, "all students"),
        (eve, "all students"),
    }


def test_settings_are_reported_to_the_other_managers(browser: Visitor, manager: Member) -> None:
    eve = make_member(manager.district, "eve@maple.example")
    fields = {
        "receivers": [str(eve.pk)],
        "time_zone": "America/Chicago",
        "encoding": "utf-8",
        "date_order": "mdy",
        "grade_codes": "",
        "files_kept_days": "7",
        "details_kept_days": "90",
        "audit_kept_years": "7",
        "history_kept_days": "2562",
        "leavers_kept_days": "0",
        "staff_kept_days": "0",
    }
    assert browser.confirm("/settings", fields).status_code == 302
    mails = AccountMail.objects.filter(member=eve).exclude(notice="")
    assert {(mail.notice, mail.notice_detail) for mail in mails} == {
        ("settings changed", "days to keep files: 14 → 7"),
        ("recipients changed", "1 added, 0 removed"),
        ("recipient changed", "get them now"),
    }
    assert not AccountMail.objects.filter(member=manager).exists()


def test_a_session_from_before_this_version_counts_from_its_beginning(
    browser: Visitor, clock: Clock
) -> None:
    session = browser.client.session
    del session["proved_at"]
    session.save()
    assert browser.get(ROSTER).status_code == 200
    assert sessions.PROOF_LIFETIME.total_seconds() == 1800
    grow_old(browser, clock)
    assert is_question(browser.get(ROSTER))
    assert clock.now > NOW
