"""Adding, inviting and listing members, and result recipients."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.hashers import check_password, make_password
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rollbook.accounts import mails
from rollbook.accounts.auth.password_changes import (
    InvalidPassword,
    request_password_reset,
    set_password,
)
from rollbook.accounts.auth.sign_in import sign_in
from rollbook.accounts.members import members
from rollbook.accounts.members.members import (
    UnknownMember,
    add_member,
    find_member,
    invite,
    invite_again,
    list_items,
    result_recipients,
    set_receivers,
    state_of,
    visible_to,
)
from rollbook.accounts.members.validation import InvalidMember
from rollbook.accounts.models import AccountMail, AccountMailKind, KnownAddress, Member
from rollbook.districts.models import District, School
from tests.accounts.browser import HERE, NOW
from tests.conftest import PASSWORD, make_member

BEN = ("ben@maple.example", "Ben", "Oz")


def test_a_member_is_added_with_a_folded_login_and_a_hashed_password(maple: District) -> None:
    member = add_member(
        maple, " Ops@Maple.Example", " Ana ", "Ruiz", "district manager", PASSWORD + "\n"
    )
    assert (member.email, member.name, member.is_active) == ("ops@maple.example", "Ana Ruiz", True)
    assert check_password(PASSWORD, member.password)


def test_all_reasons_are_returned_at_once(maple: District) -> None:
    with pytest.raises(InvalidMember) as caught:
        add_member(maple, "not an address", "", "Ruiz\nBcc: x@y.example", "king", "short")
    assert len(caught.value.reasons) == 5
    assert "short" not in str(caught.value).replace("shorter", "")
    assert not Member.objects.exists()


def test_the_password_must_not_contain_the_name(maple: District) -> None:
    with pytest.raises(InvalidMember) as caught:
        add_member(
            maple,
            "ops@maple.example",
            "Anastasia",
            "Ruizo",
            "district manager",
            "anastasia ruizo 1999",
        )
    assert caught.value.reasons == [
        "password not accepted: it contains 'Anastasia', which an attacker knows: leave that out",
        "password not accepted: it contains 'Ruizo', which an attacker knows: leave that out",
    ]


def test_an_email_in_use_is_rejected_without_naming_the_district(
    maple: District, neighbor: Member
) -> None:
    with pytest.raises(InvalidMember) as caught:
        add_member(maple, neighbor.email.upper(), "Eve", "Doe", "district manager", PASSWORD)
    assert caught.value.reasons == ["ops@cedar.example is already in use; enter another email"]


@pytest.mark.statement("S50")
@pytest.mark.parametrize(
    "email", ["a@b.example\nBcc: c@d.example", "a@b.example,c@d.example", "a" * 250 + "@b.example"]
)
def test_invalid_emails_are_rejected(maple: District, email: str) -> None:
    with pytest.raises(InvalidMember):
        add_member(maple, email, "Ana", "Ruiz", "district manager", PASSWORD)


def test_setting_recipients_replaces_them(manager: Member) -> None:
    other = make_member(manager.district, "it@maple.example", "instructor")
    assert set_receivers(manager.district, [" OPS@maple.example"]) == [manager]
    assert (
        set_receivers(manager.district, ["it@maple.example"])
        == [other]
        == result_recipients(manager.district)
    )


def test_only_active_members_of_the_district_can_be_recipients(
    manager: Member, neighbor: Member
) -> None:
    set_receivers(manager.district, [manager.email])
    make_member(manager.district, "left@maple.example")
    Member.objects.filter(email="left@maple.example").update(is_active=False)
    for email in ("who@example.org", neighbor.email, "left@maple.example"):
        with pytest.raises(UnknownMember, match=email):
            set_receivers(manager.district, [manager.email, email])
    assert result_recipients(manager.district) == [manager]


def test_inactive_members_get_no_results(manager: Member) -> None:
    set_receivers(manager.district, [manager.email])
    Member.objects.update(is_active=False)
    assert result_recipients(manager.district) == []


def schools_of(member: Member) -> list[str]:
    return sorted(member.schools.values_list("organization_id", flat=True))


def test_a_member_is_added_with_schools_of_the_district(maple: District, cedar: District) -> None:
    head = add_member(maple, *BEN, "school manager", PASSWORD, ["100", "200"])
    assert schools_of(head) == ["100", "200"]
    assert set(head.schools.values_list("district", flat=True)) == {maple.pk}


REJECTED: dict[str, tuple[str, list[str], list[str]]] = {
    "none": ("school manager", [], ["the role school manager needs a school; choose at least one"]),
    "none for an instructor": (
        "instructor",
        [],
        ["the role instructor needs a school; choose at least one"],
    ),
    "of another district": (
        "school manager",
        ["100", "900"],
        ["there is no school '900' in this district"],
    ),
    "unknown ones": (
        "instructor",
        ["x", "y"],
        ["there is no school 'x' in this district", "there is no school 'y' in this district"],
    ),
    "any for the whole district": (
        "district manager",
        ["100"],
        ["the role district manager is for the whole district; don't choose a school"],
    ),
}


@pytest.mark.parametrize("case", REJECTED)
def test_invalid_schools_are_rejected(maple: District, cedar: District, case: str) -> None:
    role, schools, reasons = REJECTED[case]
    attempts: list[Callable[[], object]] = [
        lambda: add_member(maple, *BEN, role, PASSWORD, schools),
        lambda: invite(maple, *BEN, role, schools, None, NOW),
    ]
    for attempt in attempts:
        with pytest.raises(InvalidMember) as caught:
            attempt()
        assert caught.value.reasons == reasons
    assert not Member.objects.exists()


def test_an_invited_member_gets_an_email_and_has_no_password(manager: Member) -> None:
    ben = invite(
        manager.district, " Ben@Maple.example", "Ben", "Oz", "instructor", ["100"], manager, NOW
    )
    assert (ben.email, ben.has_usable_password(), schools_of(ben)) == (
        "ben@maple.example",
        False,
        ["100"],
    )
    queued = AccountMail.objects.get()
    assert (queued.member, queued.kind, queued.actor, queued.queued_at) == (
        ben,
        "invitation",
        manager,
        NOW,
    )


def test_an_invalid_invitation_returns_all_reasons(maple: District) -> None:
    with pytest.raises(InvalidMember) as caught:
        invite(maple, "not an address", "", "Oz\n", "king", ["100"], None, NOW)
    assert len(caught.value.reasons) == 3
    assert not AccountMail.objects.exists()


def test_an_email_in_use_in_the_district_is_not_invited(manager: Member) -> None:
    login = manager.email
    with pytest.raises(InvalidMember) as caught:
        invite(manager.district, login.upper(), "Eve", "Doe", "district manager", [], manager, NOW)
    assert caught.value.reasons == [f"{login} is already in use; enter another email"]
    assert not AccountMail.objects.exists()


def invited_to(district: District, email: str) -> Member:
    return invite(district, email, "Eve", "Doe", "district manager", [], None, NOW)


@pytest.mark.statement("S21")
def test_an_invitation_does_not_reveal_who_has_an_account_elsewhere(
    manager: Member, neighbor: Member
) -> None:
    shown = []
    for email in (neighbor.email, "now@cedar.example"):
        with CaptureQueriesContext(connection) as queries:
            member = invited_to(manager.district, email)
        mails.send_due()
        (sent,) = (each for each in mail.outbox if each.to == [email])
        mail.outbox.clear()
        shown.append((len(queries), state_of(member), sent.subject, len(str(sent.body))))
    assert shown[0] == shown[1]


def test_only_who_reads_the_email_learns_that_it_signs_in_elsewhere(
    manager: Member, neighbor: Member
) -> None:
    member = invited_to(manager.district, neighbor.email)
    with pytest.raises(InvalidPassword, match="you already sign in to another district"):
        set_password(member, "a completely new password", NOW)
    member.refresh_from_db()
    assert not member.has_usable_password()
    assert sign_in(neighbor.email, PASSWORD, "192.0.2.1", NOW) == neighbor


@pytest.mark.statement("S21")
def test_an_invitation_that_was_not_accepted_blocks_no_other_district(
    maple: District, cedar: District
) -> None:
    first, second = (invited_to(district, "eve@new.example") for district in (maple, cedar))
    set_password(second, "a completely new password", NOW)
    assert sign_in("eve@new.example", "a completely new password", "192.0.2.1", NOW) == second
    with pytest.raises(InvalidPassword, match="you already sign in to another district"):
        set_password(first, "a completely new password", NOW)


def test_a_reset_goes_to_the_member_who_signs_in_with_the_email(
    manager: Member, neighbor: Member
) -> None:
    invited_to(manager.district, neighbor.email)
    AccountMail.objects.all().delete()
    request_password_reset(neighbor.email, "192.0.2.1", NOW)
    assert AccountMail.objects.get().member == neighbor


def test_invitations_are_limited_by_the_day(manager: Member) -> None:
    District.objects.filter(pk=manager.district_id).update(invitations_per_day=2)
    manager.refresh_from_db()

    def invite_one(number: int, now: datetime, by: Member | None = manager) -> Member:
        role, email = "district manager", f"m{number}@maple.example"
        return invite(manager.district, email, "Mia", "Lee", role, [], by, now)

    first = invite_one(1, NOW)
    invite_one(2, NOW)
    later = NOW + timedelta(hours=23)
    for attempt in (lambda: invite_one(3, later), lambda: invite_again(first, manager, later)):
        with pytest.raises(InvalidMember) as caught:
            attempt()
        assert caught.value.reasons == [
            "Maple USD has sent 2 invitations in 24 hours, which is its limit; try again tomorrow, "
            "or ask your Rollbook administrator to raise it"
        ]
    invite_one(4, later, by=None)  # the operator
    invite_one(5, NOW + timedelta(hours=25))


def test_nobody_is_invited_if_the_email_cannot_be_queued(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*arguments: object) -> None:
        raise SystemExit

    monkeypatch.setattr(mails, "queue_mail", dies)
    with pytest.raises(SystemExit):
        invite(maple, *BEN, "district manager", [], None, NOW)
    assert not Member.objects.exists()


def test_a_member_without_a_password_can_be_invited_again(manager: Member) -> None:
    ben = invite(manager.district, *BEN, "district manager", [], manager, NOW)
    later = NOW + timedelta(minutes=6)
    invite_again(ben, None, later)
    assert [(queued.kind, queued.actor) for queued in AccountMail.objects.order_by("pk")] == [
        (AccountMailKind.INVITATION, manager),
        (AccountMailKind.INVITATION, None),
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, "ben@maple.example was invited a moment ago; check whether that email arrives"),
        ({"is_active": False}, "ben@maple.example is not active; reactivate them instead"),
        (
            {"password": make_password(PASSWORD)},
            "ben@maple.example already has a password; they can reset it from the sign-in page",
        ),
    ],
)
def test_other_members_cannot_be_invited_again(
    maple: District, change: dict[str, object], reason: str
) -> None:
    ben = invite(maple, *BEN, "district manager", [], None, NOW)
    Member.objects.update(**change)
    with pytest.raises(InvalidMember) as caught:
        invite_again(ben, None, NOW + timedelta(minutes=1))
    assert caught.value.reasons == [reason]
    assert AccountMail.objects.count() == 1


def test_staff_is_listed_by_name_with_state_schools_and_last_sign_in(
    manager: Member, neighbor: Member
) -> None:
    maple = manager.district
    ben = invite(maple, *BEN, "school manager", ["200", "100"], manager, NOW)
    former = make_member(maple, "gone@maple.example")
    Member.objects.filter(pk=former.pk).update(is_active=False, last_name="adams")
    sign_in(manager.email, PASSWORD, HERE, NOW)
    items = [
        (each.member, [str(school) for school in each.schools], each.state.value)
        for each in list_items(visible_to(manager))
    ]
    assert items == [
        (former, [], "not active"),
        (ben, ["100", "200"], "invited"),
        (manager, [], "active"),
    ]
    listed = list_items(visible_to(manager))
    assert [each.last_sign_in for each in listed] == [None, None, NOW]


@pytest.mark.statement("S05")
def test_the_last_sign_in_is_the_latest_by_browser_or_command(
    manager: Member,
) -> None:
    for address, hours in (("203.0.113.7", 3), ("203.0.113.8", 5), ("203.0.113.9", 4)):
        KnownAddress.objects.create(
            member=manager, address=address, last_seen_at=NOW + timedelta(hours=hours)
        )
    listed = list_items(visible_to(manager))
    assert [each.last_sign_in for each in listed] == [NOW + timedelta(hours=5)]
    Member.objects.update(last_login=NOW + timedelta(hours=6))
    listed = list_items(visible_to(manager))
    assert [each.last_sign_in for each in listed] == [NOW + timedelta(hours=6)]


def test_an_invited_member_is_active_after_setting_a_password(maple: District) -> None:
    ben = invite(maple, *BEN, "district manager", [], None, NOW)
    set_password(ben, PASSWORD, NOW)
    assert [each.state for each in list_items(visible_to(ben))] == [members.MemberState.ACTIVE]


def test_the_number_of_queries_does_not_depend_on_the_members(manager: Member) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            for each in list_items(visible_to(manager)):
                assert (each.member.district.name, len(each.schools)) in {
                    ("Maple USD", 2),
                    ("Maple USD", 0),
                }
        return len(queries)

    maple, both = manager.district, School.objects.filter(district=manager.district)
    make_member(maple, "0@maple.example", "instructor").schools.set(both)
    queries_before = count_queries()
    for number in range(1, 4):
        make_member(maple, f"{number}@maple.example", "instructor").schools.set(both)
    assert count_queries() == queries_before


def test_members_of_another_district_are_not_found(manager: Member, neighbor: Member) -> None:
    assert find_member(manager, manager.pk) == manager
    assert find_member(manager, neighbor.pk) is None
