"""/staff: who may sign in, and inviting another member."""

from typing import Any

import pytest
from django.core import mail

from rollbook.roster.models import District, School
from rollbook.staff import letters, members
from rollbook.staff.models import AuditEvent, Member, StaffLetter
from rollbook.staff.permissions import GRANTED, Role
from tests.conftest import a_member
from tests.doors.pages.conftest import SignedIn, Visitor
from tests.doors.pages.reading import read
from tests.staff.browser import NOW, Clock

BEN = {"first_name": "Ben", "last_name": "Ito", "email": "ben@maple.example", "role": "instructor", "schools": ["100"]}


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """The district manager's."""
    return visitor(manager)


@pytest.fixture
def ben(maple: District, manager: Member) -> Member:
    return members.invite(maple, "ben@maple.example", "Ben", "Ito", "instructor", ["100"], manager, NOW)


def invite(browser: Visitor, **other: Any) -> Any:
    return browser.post("/staff/invite", BEN | other)


def test_every_member_is_listed_with_role_schools_and_state(
    clock: Clock, browser: Visitor, ben: Member, school_manager: Member
) -> None:
    Member.objects.filter(pk=school_manager.pk).update(is_active=False, first_name="Zoe", last_name="Ames")
    page = browser.read("/staff")
    assert (page.title, page.heading) == ("Staff · Rollbook", "Staff")
    assert page.rows == [
        ["Zoe Ames", "school@maple.example", "school manager", "School 100", "■ not active", "never"],
        [
            "Ben Ito",
            "ben@maple.example",
            "instructor",
            "School 100",
            "… invited Send the invitation again to ben@maple.example",
            "never",
        ],
        ["Ana Ruiz", "ops@maple.example", "district manager", "all", "✓ active", "2026-11-23 02:00:00 CST"],
    ]
    assert page.links["Invite a member"] == "/staff/invite"


def test_a_school_manager_without_a_school_is_not_said_to_have_all(browser: Visitor, school_manager: Member) -> None:
    school_manager.schools.clear()
    (row,) = (row for row in browser.read("/staff").rows if row[1] == "school@maple.example")
    assert row[3] == "none yet"


def test_the_form_says_what_each_role_may_do(browser: Visitor) -> None:
    text = browser.read("/staff/invite").text
    assert "District manager: updates students, invites staff, sees all students of the district" in text
    assert "School manager: sees the students of their schools" in text
    assert "Instructor: sees the students linked to them" in text


def test_no_role_and_no_right_is_left_out(browser: Visitor) -> None:
    text = browser.read("/staff/invite").text
    for role in Role:
        assert f"{role.value.capitalize()}: " in text
        (line,) = (
            line
            for line in read(browser.get("/staff/invite")).main.iter("label")
            if role.value.capitalize() in "".join(line.itertext())
        )
        assert "".join(line.itertext()).count(",") == len(GRANTED[role]) - 1


def test_the_schools_of_the_district_are_offered_and_no_others(browser: Visitor, cedar: District) -> None:
    page = browser.read("/staff/invite")
    offered = [field.get("value") for field in page.main.iter("input") if field.get("name") == "schools"]
    assert offered == ["100", "200"]
    assert "900" not in page.text
    assert "Cedar" not in page.text


def test_the_groups_of_choices_are_named_and_described(browser: Visitor) -> None:
    page = browser.read("/staff/invite")
    groups = {"".join(group.find("legend").itertext()): group for group in page.main.iter("fieldset")}  # type: ignore[union-attr]
    assert list(groups) == ["Role", "Schools"]
    described = groups["Schools"].get("aria-describedby")
    (hint,) = (element for element in page.main.iter() if element.get("id") == described)
    assert hint.text == (
        "Where the school manager or the instructor works. Whoever acts for the whole district has none."
    )


def test_whoever_is_invited_gets_a_mail_and_is_in_the_list(browser: Visitor, manager: Member) -> None:
    response = invite(browser)
    assert response["Location"] == "/staff"
    page = browser.follow(response)
    assert page.messages == ["An invitation is on its way to ben@maple.example."]
    assert "… invited Send the invitation again to ben@maple.example" in page.rows[0]
    letters.send_due()
    (sent,) = mail.outbox
    assert sent.to == ["ben@maple.example"]
    assert "Ana Ruiz (ops@maple.example) invites you" in str(sent.body)
    ben = Member.objects.get(email="ben@maple.example")
    event = AuditEvent.objects.get(action="invite")
    assert (event.member, event.result, event.detail) == (manager, "ok", f"member {ben.pk}, instructor")


def test_an_invited_manager_needs_no_school(browser: Visitor) -> None:
    assert invite(browser, role="district manager", schools=[]).status_code == 302
    assert not Member.objects.get(email="ben@maple.example").schools.exists()


def test_a_school_manager_covers_the_schools_that_were_chosen(browser: Visitor) -> None:
    assert invite(browser, role="school manager", schools=["100", "200"]).status_code == 302
    schools = Member.objects.get(email="ben@maple.example").schools
    assert set(schools.values_list("organization_id", "district__slug")) == {("100", "maple-usd"), ("200", "maple-usd")}


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"email": "nobody"}, "The e-mail address is not one, or is longer than 254 characters."),
        ({"schools": []}, "The role instructor needs a school; name one at least."),
        ({"role": "district manager"}, "The role district manager is for the whole district; name no school."),
        ({"first_name": "B" * 101}, "The first name is missing, longer than 100 characters, or not on one line."),
        ({"email": "OPS@maple.example"}, "ops@maple.example cannot be added: it is in use as a login."),
    ],
)
def test_what_can_be_no_member_is_told_on_top_and_nothing_is_lost(
    other: dict[str, Any], reason: str, browser: Visitor
) -> None:
    response = invite(browser, **other)
    assert response.status_code == 422
    page = read(response)
    (alert,) = (element for element in page.main.iter() if element.get("role") == "alert")
    assert "".join(alert.itertext()) == reason
    sent = {name: value if isinstance(value, list) else [value] for name, value in (BEN | other).items()}
    kept = page.form().values
    assert {name: kept.get(name, []) for name in sent} == sent
    assert not Member.objects.filter(email="ben@maple.example").exists()
    assert not StaffLetter.objects.exists()


@pytest.mark.parametrize("missing", ["first_name", "last_name", "email"])
def test_what_is_missing_is_told_at_its_field(missing: str, browser: Visitor) -> None:
    response = invite(browser, **{missing: "  "})
    assert response.status_code == 422
    assert "This field is required." in read(response).described(missing)


@pytest.mark.parametrize("other", [{"role": "superuser"}, {"schools": ["900"]}])
def test_only_what_is_offered_can_be_chosen(other: dict[str, Any], browser: Visitor, cedar: District) -> None:
    response = invite(browser, **other)
    assert response.status_code == 422
    assert "Select a valid choice." in read(response).text
    assert not Member.objects.filter(email="ben@maple.example").exists()


def test_a_login_of_the_neighbours_is_refused_without_saying_whose(browser: Visitor, neighbour: Member) -> None:
    ours = read(invite(browser, email="ops@maple.example")).text.replace("ops@maple.example", "")
    theirs = read(invite(browser, email=neighbour.email)).text.replace(neighbour.email, "")
    assert ours == theirs


def test_an_invitation_is_sent_again(browser: Visitor, ben: Member, manager: Member) -> None:
    action = f"/staff/{ben.pk}/invite-again"
    assert action in browser.read("/staff").actions
    page = browser.follow(browser.post(action))
    assert page.messages == ["An invitation is on its way to ben@maple.example."]
    assert StaffLetter.objects.filter(member=ben, inviter=manager).count() == 2
    event = AuditEvent.objects.get(action="invite again")
    assert (event.member, event.result, event.detail) == (manager, "ok", f"member {ben.pk}")


def test_twice_within_a_moment_is_told_and_sends_one(browser: Visitor, ben: Member) -> None:
    action = f"/staff/{ben.pk}/invite-again"
    browser.follow(browser.post(action))
    page = browser.follow(browser.post(action))
    assert page.messages == [
        "No invitation was sent: ben@maple.example was invited a moment ago; see whether that mail arrives."
    ]
    assert StaffLetter.objects.filter(member=ben).count() == 2
    assert AuditEvent.objects.filter(action="invite again", result="refused").count() == 1


def test_who_has_a_password_is_not_invited_again(browser: Visitor, school_manager: Member) -> None:
    page = browser.follow(browser.post(f"/staff/{school_manager.pk}/invite-again"))
    (message,) = page.messages
    assert message.startswith("No invitation was sent: school@maple.example has a password")
    assert not StaffLetter.objects.exists()


@pytest.mark.parametrize("key", ["theirs", "0", "99999999999999999999999"])
def test_the_neighbours_staff_is_neither_seen_nor_invited(
    key: str, browser: Visitor, neighbour: Member, cedar: District
) -> None:
    theirs = members.invite(cedar, "new@cedar.example", "Cleo", "Cedarson", "instructor", ["900"], neighbour, NOW)
    assert "cedar" not in browser.read("/staff").text.casefold()
    response = browser.post(f"/staff/{theirs.pk if key == 'theirs' else key}/invite-again")
    assert response.status_code == 404
    assert read(response).heading == "Nothing here"
    assert StaffLetter.objects.filter(member=theirs).count() == 1
    assert AuditEvent.objects.filter(action="invite again", result="not found").count() == 1


@pytest.mark.parametrize("role", [role.value for role in Role if role is not Role.DISTRICT_MANAGER])
def test_lesser_roles_neither_see_nor_invite(role: str, visitor: SignedIn, maple: District, ben: Member) -> None:
    member = a_member(maple, "someone@maple.example", role)
    member.schools.set(School.objects.filter(district=maple))
    browser = visitor(member)
    answers = [
        browser.get("/staff"),
        invite(browser, email="x@maple.example"),
        browser.post(f"/staff/{ben.pk}/invite-again"),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert {read(answer).heading for answer in answers} == {"Not for your role"}
    assert "Staff" not in read(answers[0]).rooms
    assert not Member.objects.filter(email="x@maple.example").exists()
    assert AuditEvent.objects.filter(member=member, result="not allowed").count() == 3


def test_names_are_shown_and_not_run(browser: Visitor) -> None:
    invite(browser, first_name="<img src=x onerror=alert(1)>")
    response = browser.get("/staff")
    assert "<img" not in response.content.decode()
    assert "<img src=x onerror=alert(1)> Ito" in read(response).text
