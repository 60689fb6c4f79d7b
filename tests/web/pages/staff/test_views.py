"""/staff: list, invite, change, deactivate and reactivate staff members."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from rollbook.accounts import mails
from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.auth.sign_in import record_sign_in
from rollbook.accounts.members import members
from rollbook.accounts.models import AccountMail, AuditEvent, Member, Token
from rollbook.districts.models import District, School
from tests.accounts.browser import NOW, Clock
from tests.conftest import PASSWORD, make_member
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page, read

BEN = {
    "first_name": "Ben",
    "last_name": "Ito",
    "email": "ben@maple.example",
    "role": "instructor",
    "schools": ["100"],
}


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """Return the browser of the district manager."""
    return visitor(manager)


@pytest.fixture
def ben(maple: District, manager: Member) -> Member:
    return members.invite(
        maple, "ben@maple.example", "Ben", "Ito", "instructor", ["100"], manager, NOW
    )


def invite(browser: Visitor, **changes: Any) -> Any:
    return browser.post("/staff/invite", BEN | changes)


def test_every_member_is_listed_with_role_schools_and_state(
    clock: Clock, browser: Visitor, ben: Member, school_manager: Member
) -> None:
    Member.objects.filter(pk=school_manager.pk).update(
        is_active=False, first_name="Zoe", last_name="Ames"
    )
    page = browser.read("/staff")
    assert (page.title, page.heading) == ("Staff · Rollbook", "Staff")
    assert page.rows == [
        [
            "Zoe Ames",
            "school@maple.example",
            "school manager",
            "School 100",
            "■ not active",
            "never",
        ],
        [
            "Ben Ito",
            "ben@maple.example",
            "instructor",
            "School 100",
            "… invited Send invitation again to ben@maple.example",
            "never",
        ],
        [
            "Ana Ruiz",
            "ops@maple.example",
            "district manager",
            "all",
            "✓ active",
            "Nov 23, 2026, 2:00 AM CST",
        ],
    ]
    assert page.links["Invite staff member"] == "/staff/invite"


def test_a_school_manager_without_a_school_is_not_listed_with_all_schools(
    browser: Visitor, school_manager: Member
) -> None:
    school_manager.schools.clear()
    (row,) = (row for row in browser.read("/staff").rows if row[1] == "school@maple.example")
    assert row[3] == "none yet"


def test_the_form_lists_the_permissions_of_each_role(browser: Visitor) -> None:
    text = browser.read("/staff/invite").text
    confidential = "opens their birth dates and confidential information, each time with a record"
    assert (
        f"District manager: sees all students of the district, {confidential}, "
        "updates students from files"
    ) in text
    assert (
        f"School manager: sees the students of their schools, {confidential}, "
        "adds, edits, transfers and deactivates"
    ) in text
    assert "Instructor: sees the students linked to them" in text
    assert f"linked to them, {confidential}" not in text


def test_the_schools_of_the_district_are_offered_and_no_others(
    browser: Visitor, cedar: District
) -> None:
    page = browser.read("/staff/invite")
    offered = [
        field.get("value") for field in page.main.iter("input") if field.get("name") == "schools"
    ]
    assert offered == ["100", "200"]
    assert "900" not in page.text
    assert "Cedar" not in page.text


def test_the_groups_of_choices_are_named_and_described(browser: Visitor) -> None:
    page = browser.read("/staff/invite")
    groups = {}
    for group in page.main.iter("fieldset"):
        legend = group.find("legend")
        assert legend is not None
        groups["".join(legend.itertext())] = group
    assert list(groups) == ["Role", "Schools"]
    described = groups["Schools"].get("aria-describedby")
    (hint,) = (element for element in page.main.iter() if element.get("id") == described)
    assert hint.text == ("The schools where they work. Leave this blank for district-wide roles.")


def test_an_invited_member_gets_an_email_and_is_in_the_list(
    browser: Visitor, manager: Member
) -> None:
    response = invite(browser)
    assert response["Location"] == "/staff"
    page = browser.follow(response)
    assert page.messages == ["Invitation sent to ben@maple.example."]
    assert "… invited Send invitation again to ben@maple.example" in page.rows[0]
    mails.send_due()
    (sent,) = mail.outbox
    assert sent.to == ["ben@maple.example"]
    assert "Ana Ruiz (ops@maple.example) invited you" in str(sent.body)
    ben = Member.objects.get(email="ben@maple.example")
    event = AuditEvent.objects.get(action="invite")
    assert (event.member, event.result, event.detail) == (
        manager,
        "ok",
        f"member {ben.pk}, instructor",
    )


def test_an_invited_manager_needs_no_school(browser: Visitor) -> None:
    assert invite(browser, role="district manager", schools=[]).status_code == 302
    assert not Member.objects.get(email="ben@maple.example").schools.exists()


def test_a_school_manager_has_the_chosen_schools(browser: Visitor) -> None:
    assert invite(browser, role="school manager", schools=["100", "200"]).status_code == 302
    schools = Member.objects.get(email="ben@maple.example").schools
    assert set(schools.values_list("organization_id", "district__slug")) == {
        ("100", "maple-usd"),
        ("200", "maple-usd"),
    }


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"email": "nobody"}, "'nobody' isn't an email address, or is longer than 254 characters."),
        ({"schools": []}, "The role instructor needs a school; choose at least one."),
        (
            {"role": "district manager"},
            "The role district manager is for the whole district; don't choose a school.",
        ),
        (
            {"first_name": "B" * 101},
            "The first name is missing, longer than 100 characters, or not on one line.",
        ),
        (
            {"email": "OPS@maple.example"},
            "ops@maple.example is already in use; enter another email.",
        ),
    ],
)
def test_an_invalid_member_is_reported_and_the_form_keeps_its_values(
    other: dict[str, Any], reason: str, browser: Visitor
) -> None:
    response = invite(browser, **other)
    assert response.status_code == 422
    page = read(response)
    assert page.problems == [reason]
    sent: dict[str, list[str]] = {}
    for name, value in (BEN | other).items():
        sent[name] = value if isinstance(value, list) else [value]
    values = page.form().values
    assert {name: values.get(name, []) for name in sent} == sent
    assert not Member.objects.filter(email="ben@maple.example").exists()
    assert not AccountMail.objects.exists()


@pytest.mark.parametrize("missing", ["first_name", "last_name", "email"])
def test_a_missing_value_is_reported_at_its_field(missing: str, browser: Visitor) -> None:
    response = invite(browser, **{missing: "  "})
    assert response.status_code == 422
    assert "This field is required." in read(response).described(missing)


@pytest.mark.parametrize("other", [{"role": "superuser"}, {"schools": ["900"]}])
def test_only_offered_roles_and_schools_are_accepted(
    other: dict[str, Any], browser: Visitor, cedar: District
) -> None:
    response = invite(browser, **other)
    assert response.status_code == 422
    assert "Select a valid choice." in read(response).text
    assert not Member.objects.filter(email="ben@maple.example").exists()


@pytest.mark.statement("S21")
def test_the_login_of_a_neighbor_is_invited_like_one_that_nobody_has(
    browser: Visitor, neighbor: Member
) -> None:
    pages = []
    for email in ("nobody@cedar.example", neighbor.email):
        response = invite(browser, email=email)
        page = browser.follow(response)
        pages.append((response.status_code, page.text.replace(email, "")))
        Member.objects.filter(email=email, holds_login=False).update(is_active=False)
        AccountMail.objects.all().delete()
        Member.objects.filter(email=email, holds_login=False).delete()
    assert pages[0] == pages[1]


def test_an_invitation_is_sent_again(browser: Visitor, ben: Member, manager: Member) -> None:
    action = f"/staff/{ben.pk}/invite-again"
    assert action in browser.read("/staff").actions
    page = browser.follow(browser.post(action))
    assert page.messages == ["Invitation sent to ben@maple.example."]
    assert AccountMail.objects.filter(member=ben, actor=manager).count() == 2
    event = AuditEvent.objects.get(action="invite again")
    assert (event.member, event.result, event.detail) == (manager, "ok", f"member {ben.pk}")


def test_a_second_invitation_within_a_minute_is_not_sent(browser: Visitor, ben: Member) -> None:
    action = f"/staff/{ben.pk}/invite-again"
    browser.follow(browser.post(action))
    page = browser.follow(browser.post(action))
    assert page.messages == [
        "The invitation wasn’t sent: ben@maple.example was invited a moment ago; "
        "check whether that email arrives."
    ]
    assert AccountMail.objects.filter(member=ben).count() == 2
    assert AuditEvent.objects.filter(action="invite again", result="refused").count() == 1


def test_a_member_with_a_password_is_not_invited_again(
    browser: Visitor, school_manager: Member
) -> None:
    page = browser.follow(browser.post(f"/staff/{school_manager.pk}/invite-again"))
    (message,) = page.messages
    assert message.startswith(
        "The invitation wasn’t sent: school@maple.example already has a password"
    )
    assert not AccountMail.objects.exists()


@pytest.mark.parametrize("key", ["theirs", "0", "99999999999999999999999"])
def test_the_staff_of_the_neighbor_cannot_be_seen_or_invited(
    key: str, browser: Visitor, neighbor: Member, cedar: District
) -> None:
    theirs = members.invite(
        cedar, "new@cedar.example", "Cleo", "Cedarson", "instructor", ["900"], neighbor, NOW
    )
    assert "cedar" not in browser.read("/staff").text.casefold()
    response = browser.post(f"/staff/{theirs.pk if key == 'theirs' else key}/invite-again")
    assert response.status_code == 404
    assert read(response).heading == "Page not found"
    assert AccountMail.objects.filter(member=theirs).count() == 1
    assert AuditEvent.objects.filter(action="invite again", result="not found").count() == 1


def test_instructors_can_neither_see_nor_invite_staff(
    visitor: SignedIn, instructor: Member, ben: Member
) -> None:
    browser = visitor(instructor)
    responses = [
        browser.get("/staff"),
        invite(browser, email="x@maple.example"),
        browser.post(f"/staff/{ben.pk}/invite-again"),
        browser.get(f"/staff/{ben.pk}"),
        browser.get("/staff/import"),
    ]
    assert {response.status_code for response in responses} == {403}
    assert {read(response).heading for response in responses} == {"Access denied"}
    assert "Staff" not in read(responses[0]).navigation
    assert not Member.objects.filter(email="x@maple.example").exists()
    assert AuditEvent.objects.filter(member=instructor, result="not allowed").count() == 5


class TestSchoolManager:
    """A school manager manages the staff of their own schools only."""

    @pytest.fixture
    def browser(self, visitor: SignedIn, school_manager: Member) -> Visitor:
        return visitor(school_manager)

    def test_sees_the_staff_of_their_schools(
        self, browser: Visitor, ben: Member, manager: Member
    ) -> None:
        elsewhere = make_member(manager.district, "else@maple.example", "instructor")
        elsewhere.schools.set(
            School.objects.filter(district=manager.district, organization_id="200")
        )
        assert [row[1] for row in browser.read("/staff").rows] == [
            "ben@maple.example",
            "school@maple.example",
        ]
        assert browser.get(f"/staff/{elsewhere.pk}").status_code == 404
        assert browser.get(f"/staff/{manager.pk}").status_code == 404
        assert browser.post(f"/staff/{manager.pk}/deactivate").status_code == 404

    def test_is_offered_only_the_roles_and_schools_they_can_assign(self, browser: Visitor) -> None:
        page = browser.read("/staff/invite")
        offered = [
            (field.get("name"), field.get("value"))
            for field in page.main.iter("input")
            if field.get("name") != "x"
        ]
        assert [value for name, value in offered if name == "role"] == [
            "school manager",
            "instructor",
        ]
        assert [value for name, value in offered if name == "schools"] == ["100"]

    @pytest.mark.parametrize(
        "other", [{"role": "district manager", "schools": []}, {"schools": ["200"]}]
    )
    def test_cannot_assign_other_roles_or_schools(
        self, browser: Visitor, other: dict[str, Any]
    ) -> None:
        assert invite(browser, **other).status_code == 422
        assert not Member.objects.filter(email="ben@maple.example").exists()

    def test_sees_staff_who_also_work_elsewhere_but_cannot_change_them(
        self, browser: Visitor, ben: Member, maple: District
    ) -> None:
        ben.schools.set(School.objects.filter(district=maple))
        page = browser.read("/staff")
        assert page.rows[0][0] == "Ben Ito"
        assert "Ben Ito" not in page.links
        assert browser.get(f"/staff/{ben.pk}").status_code == 404
        page = browser.follow(browser.confirm(f"/staff/{ben.pk}/deactivate"))
        assert page.messages == [
            "No one was deactivated: you can't change Ben Ito; ask a district manager."
        ]


def change(browser: Visitor, member: Member, **changes: Any) -> Any:
    page = browser.read(f"/staff/{member.pk}")
    values = page.form_with("first_name").values
    return browser.post(f"/staff/{member.pk}", values | changes)


def test_a_member_is_changed(browser: Visitor, ben: Member) -> None:
    page = browser.follow(
        change(browser, ben, last_name="Itō", role="school manager", schools=["100", "200"])
    )
    assert page.messages == ["Changes saved for Ben Itō."]
    assert page.rows[0][:4] == [
        "Ben Itō",
        "ben@maple.example",
        "school manager",
        "School 100, School 200",
    ]
    assert (
        AuditEvent.objects.get(action="change member").detail == f"member {ben.pk}, school manager"
    )


def test_an_invalid_change_is_reported_on_the_page(
    browser: Visitor, ben: Member, manager: Member
) -> None:
    response = change(browser, ben, email=manager.email, password=PASSWORD)
    assert response.status_code == 422
    assert "Ops@maple.example is" not in read(response).text
    assert "ops@maple.example is already in use; enter another email." in read(response).text
    ben.refresh_from_db()
    assert ben.email == "ben@maple.example"


@pytest.mark.statement("S10")
def test_a_new_email_requires_the_password_of_the_user_who_enters_it(
    browser: Visitor, ben: Member
) -> None:
    page = read(change(browser, ben, email="itoh@maple.example"))
    assert "enter your own password too" in page.described("password")
    page = read(change(browser, ben, email="itoh@maple.example", password="something else"))
    assert "That isn’t your password. Try again." in page.described("password")
    assert Member.objects.get(pk=ben.pk).email == "ben@maple.example"
    page = browser.follow(change(browser, ben, email="itoh@maple.example", password=PASSWORD))
    assert Member.objects.get(pk=ben.pk).email == "itoh@maple.example"


def test_a_deactivated_member_is_signed_out_and_can_be_reactivated(
    browser: Visitor, visitor: SignedIn, school_manager: Member
) -> None:
    other_browser = visitor(school_manager)
    page = browser.follow(browser.confirm(f"/staff/{school_manager.pk}/deactivate"))
    assert page.messages == ["Ana Ruiz was deactivated. They’re signed out and can’t sign in."]
    assert other_browser.get("/")["Location"] == "/sign-in"
    assert other_browser.sign_in(school_manager).status_code == 403
    browser.follow(browser.post(f"/staff/{school_manager.pk}/reactivate"))
    assert other_browser.sign_in(school_manager).status_code == 302


def test_the_last_district_manager_cannot_be_deactivated_or_demoted(
    browser: Visitor, manager: Member
) -> None:
    assert "Deactivate Ana" not in browser.read(f"/staff/{manager.pk}").text
    page = browser.follow(browser.confirm(f"/staff/{manager.pk}/deactivate"))
    assert page.messages == [
        "No one was deactivated: you can't deactivate yourself; ask another manager."
    ]
    response = change(browser, manager, role="instructor", schools=["100"])
    assert (
        "Ana Ruiz is the last district manager who can sign in; add another one first."
        in read(response).text
    )


@pytest.mark.statement("S12")
def test_the_tokens_of_one_person_are_revoked(browser: Visitor, manager: Member) -> None:
    ben = make_member(manager.district, "ben@maple.example")
    address = f"/staff/{ben.pk}"
    assert "Revoke all tokens" not in browser.read(address).text
    for member, name in ((ben, "night"), (ben, "day"), (manager, "mine")):
        api_tokens.create(member, name, (Scope.STATUS,), timezone.now())
    assert "scripts can use 2 tokens" in browser.read(address).text
    page = browser.follow(browser.confirm(f"{address}/revoke-tokens"))
    assert page.messages == [f"2 tokens of {ben.name} revoked. Scripts can no longer use them."]
    assert [token.name for token in Token.objects.filter(revoked_at=None)] == ["mine"]
    assert AuditEvent.objects.get(action="revoke all tokens").detail == f"member {ben.pk}"
    notices = AccountMail.objects.filter(notice="tokens of member revoked")
    assert [mail.member for mail in notices] == [ben]


def test_tokens_of_the_neighbor_are_not_revoked(browser: Visitor, neighbor: Member) -> None:
    api_tokens.create(neighbor, "night", (Scope.STATUS,), timezone.now())
    assert browser.post(f"/staff/{neighbor.pk}/revoke-tokens").status_code == 404
    assert Token.objects.filter(revoked_at=None).exists()


@pytest.mark.statement("S49")
def test_sign_ins_from_new_networks_are_listed(browser: Visitor, manager: Member) -> None:
    assert "Sign-ins from new networks" not in browser.read("/staff").text
    ben = make_member(manager.district, "ben@maple.example", "instructor")
    for address in ("198.51.100.7", "192.0.2.1"):
        record_sign_in(ben, address, "Firefox", timezone.now())
    page = browser.read("/staff")
    assert "Sign-ins from new networks" in page.text
    assert page.rows[-1][1:] == [ben.name, "192.0.2.1"]


class TestStaffFile:
    HEADER = "FIRST_NAME,LAST_NAME,ASSIGNED_ROLE,EMAIL,SCHOOLS\n"

    def send(self, browser: Visitor, text: str) -> Page:
        browser.read("/staff/import")
        file = SimpleUploadedFile("staff.csv", text.encode(), "text/csv")
        return read(browser.post("/staff/import/file", {"file": file}))

    def test_valid_lines_are_invited_and_the_others_are_listed(self, browser: Visitor) -> None:
        page = self.send(
            browser,
            self.HEADER
            + "Ida,Stone,District Manager,ida@maple.example,\n"
            + "Ben,Ito,instructor,ben@maple.example,100&School 200\n"
            + "Cy,Loe,king,cy@maple.example,100\n",
        )
        assert page.heading == "2 invited"
        assert page.rows == [
            [
                "4",
                "there is no role 'king'; "
                "the roles are district manager, school manager, instructor",
            ]
        ]
        assert AccountMail.objects.filter(kind="invitation").count() == 2
        event = AuditEvent.objects.get(action="import staff")
        assert event.detail == "2 invited, 0 already members, 1 problems"

    @pytest.mark.parametrize(
        ("text", "error"),
        [
            (
                "NAME,EMAIL\n",
                "No one was invited: "
                "line 1 must be FIRST_NAME,LAST_NAME,ASSIGNED_ROLE,EMAIL,SCHOOLS",
            ),
            (
                "",
                "line 1 must be FIRST_NAME,LAST_NAME,ASSIGNED_ROLE,EMAIL,SCHOOLS "
                "but is empty; correct it",
            ),
            (HEADER + 'Ida,"Sto"ne,x,y,\n', "No one was invited: line 2 is not CSV"),
        ],
    )
    def test_an_invalid_staff_file_invites_no_one(
        self, browser: Visitor, text: str, error: str
    ) -> None:
        assert error in self.send(browser, text).text
        assert not AccountMail.objects.exists()

    def test_a_form_of_another_site_invites_no_one(self, browser: Visitor) -> None:
        file = SimpleUploadedFile(
            "staff.csv", (self.HEADER + "I,S,instructor,i@maple.example,100\n").encode()
        )
        response = browser.post(
            "/staff/import/file", {"file": file, "csrfmiddlewaretoken": "forged"}
        )
        assert response.status_code == 403
        assert not AccountMail.objects.exists()


@pytest.mark.statement("S34")
def test_names_are_escaped(browser: Visitor) -> None:
    invite(browser, first_name="<img src=x onerror=alert(1)>")
    response = browser.get("/staff")
    assert "<img" not in response.content.decode()
    assert "<img src=x onerror=alert(1)> Ito" in read(response).text


@pytest.mark.statement("S05")
def test_accounts_that_nobody_uses_can_be_listed_alone(
    clock: Clock, browser: Visitor, maple: District, manager: Member
) -> None:
    old = make_member(maple, "old@maple.example")
    Member.objects.update(added_at=NOW)
    assert "Not used for" not in browser.read("/staff").text
    Member.objects.filter(pk=old.pk).update(added_at=NOW - timedelta(days=91))
    page = browser.read("/staff")
    assert ("Not used for 90 days: 1" in page.text, len(page.rows)) == (True, 2)
    assert [row[1] for row in browser.read("/staff?unused=90").rows] == ["old@maple.example"]
