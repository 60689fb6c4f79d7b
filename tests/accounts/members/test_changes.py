"""Changing, deactivating and reactivating members."""

from typing import Any

import pytest
from django.core import mail

from rollbook.accounts import mails
from rollbook.accounts.auth import emailed_links
from rollbook.accounts.auth.sign_in import sign_in
from rollbook.accounts.members import changes, members
from rollbook.accounts.members.validation import InvalidMember
from rollbook.accounts.models import AccountMail, AccountMailKind, Member, Session
from rollbook.districts.models import School
from tests.accounts.browser import NOW
from tests.accounts.phone import with_second_factor
from tests.conftest import PASSWORD, make_member
from tests.updates.night import a_class, enroll, known

BEN = {
    "email": "ben@maple.example",
    "first_name": "Ben",
    "last_name": "Ito",
    "role": "instructor",
    "schools": ["100"],
}


@pytest.fixture
def ben(manager: Member) -> Member:
    member = make_member(manager.district, "ben@maple.example", "instructor")
    member.schools.set(School.objects.filter(district=manager.district, organization_id="100"))
    return member


def an_invited(by: Member, **other: Any) -> Member:
    values: dict[str, Any] = BEN | other
    return members.invite(by.district, **values, inviter=by, now=NOW)


def change(member: Member, by: Member, **other: Any) -> Member:
    return changes.change(member, by, NOW, **(BEN | other))


def test_name_role_and_schools_are_changed(ben: Member, manager: Member) -> None:
    change(ben, manager, first_name=" Benno ", role="School Manager", schools=["100", "200"])
    ben = Member.objects.get(pk=ben.pk)
    assert (ben.name, ben.role.name, ben.schools.count()) == ("Benno Ito", "school manager", 2)
    assert [mail.notice for mail in AccountMail.objects.all()] == ["role changed"]


@pytest.mark.statement("S10")
def test_a_new_email_signs_out_and_notifies_the_old_address(ben: Member, manager: Member) -> None:
    Session.objects.create(
        session_key="x",
        session_data="",
        expire_date=NOW,
        member=ben,
        started_at=NOW,
        last_seen_at=NOW,
        agent="",
    )
    token = emailed_links.make_token(ben, AccountMailKind.FORGOTTEN_PASSWORD)
    change(ben, manager, email=" Benno@Maple.example")
    assert Member.objects.get(pk=ben.pk).email == "benno@maple.example"
    assert not Session.objects.filter(member=ben).exists()
    with pytest.raises(emailed_links.LinkExpired):
        emailed_links.read_token(token)
    mails.send_due()
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (
        ["ben@maple.example"],
        "Your Rollbook email was changed · Maple USD",
    )
    assert "Ana Ruiz (ops@maple.example) changed your email" in str(sent.body)
    assert "benno@" not in str(sent.body)


def test_a_member_without_a_password_is_invited_at_the_new_address(manager: Member) -> None:
    ben = an_invited(manager)
    AccountMail.objects.all().delete()
    change(ben, manager, email="benno@maple.example")
    mails.send_due()
    (sent,) = mail.outbox
    assert sent.to == ["benno@maple.example"]
    assert "invited you" in str(sent.body)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (
            {"email": "ops@maple.example"},
            "ops@maple.example is already in use; enter another email",
        ),
        ({"email": "ben"}, "'ben' isn't an email address, or is longer than 254 characters"),
        (
            {"first_name": " "},
            "the first name is missing, longer than 100 characters, or not on one line",
        ),
        ({"schools": []}, "the role instructor needs a school; choose at least one"),
        ({"schools": ["900"]}, "there is no school '900' in this district"),
        (
            {"role": "king"},
            "there is no role 'king'; the roles are district manager, school manager, instructor",
        ),
    ],
)
def test_invalid_data_changes_nothing(
    ben: Member, manager: Member, neighbor: Member, other: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidMember) as caught:
        change(ben, manager, **({"last_name": "Other"} | other))
    assert caught.value.reasons == [reason]
    ben.refresh_from_db()
    assert (ben.last_name, ben.email, ben.schools.count()) == ("Ruiz", "ben@maple.example", 1)
    assert not AccountMail.objects.exists()


def test_after_a_new_email_the_records_of_linked_students_are_not_known(
    ben: Member, manager: Member
) -> None:
    enroll(manager.district, a_class(2, STAFF=ben.email))
    assert known(manager.district) == {"s000", "s001"}
    change(ben, manager, email="benno@maple.example")
    assert not known(manager.district)


def test_a_reactivated_member_has_the_same_password(ben: Member, manager: Member) -> None:
    changes.deactivate(ben, manager)
    ben.refresh_from_db()
    assert not ben.is_active
    changes.reactivate(ben, manager)
    ben.refresh_from_db()
    assert ben.is_active
    assert ben.has_usable_password()


def test_one_district_manager_always_remains(manager: Member) -> None:
    other = make_member(manager.district, "other@maple.example")
    changes.deactivate(manager, other)
    with pytest.raises(InvalidMember, match="you can't deactivate yourself"):
        changes.deactivate(other, other)
    values = {"email": other.email, "first_name": "Ana", "last_name": "Ruiz"}
    with pytest.raises(InvalidMember, match="is the last district manager who can sign in"):
        changes.change(other, other, NOW, **values, role="instructor", schools=["100"])
    changes.reactivate(manager, other)
    changes.change(other, manager, NOW, **values, role="instructor", schools=["100"])


def test_an_invited_manager_does_not_count_as_remaining(manager: Member) -> None:
    an_invited(manager, role="district manager", schools=[])
    values = {"email": manager.email, "first_name": "Ana", "last_name": "Ruiz"}
    with pytest.raises(InvalidMember, match="is the last district manager"):
        changes.change(manager, manager, NOW, **values, role="instructor", schools=["100"])


@pytest.mark.parametrize("case", ["neighbor", "elsewhere", "above"])
def test_a_school_manager_cannot_change_others(
    case: str, ben: Member, manager: Member, neighbor: Member
) -> None:
    head = make_member(manager.district, "head@maple.example", "school manager")
    head.schools.set(School.objects.filter(district=manager.district, organization_id="200"))
    target = {"neighbor": neighbor, "elsewhere": ben, "above": manager}[case]
    assert not changes.may_manage(head, target)
    for attempt in (changes.deactivate, changes.reactivate):
        with pytest.raises(InvalidMember, match="you can't change "):
            attempt(target, head)


def test_a_school_manager_changes_staff_of_their_schools(ben: Member, manager: Member) -> None:
    head = make_member(manager.district, "head@maple.example", "school manager")
    head.schools.set(School.objects.filter(district=manager.district, organization_id="100"))
    change(ben, head, last_name="Itō")
    with pytest.raises(InvalidMember, match="there is no school '200' among your schools"):
        change(ben, head, schools=["100", "200"])
    with pytest.raises(
        InvalidMember, match="you can't assign the role district manager; you can assign: school"
    ):
        change(ben, head, role="district manager", schools=[])


def test_a_manager_turns_off_two_step_verification_for_a_member(
    ben: Member, manager: Member
) -> None:
    with_second_factor(ben)
    AccountMail.objects.all().delete()
    Session.objects.create(
        session_key="x",
        session_data="",
        expire_date=NOW,
        member=ben,
        started_at=NOW,
        last_seen_at=NOW,
        agent="",
    )
    changes.turn_off_second_factor(ben, manager, NOW)
    assert not Member.objects.get(pk=ben.pk).has_second_factor
    assert not Session.objects.filter(member=ben).exists()
    mails.send_due()
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (
        [ben.email],
        "Two-step verification for Rollbook was turned off · Maple USD",
    )
    assert "by Ana Ruiz (ops@maple.example)" in str(sent.body)


def test_turning_it_off_fails_if_it_is_not_on(ben: Member, manager: Member) -> None:
    with pytest.raises(InvalidMember, match="Ana Ruiz doesn't use two-step verification"):
        changes.turn_off_second_factor(ben, manager, NOW)


def test_members_cannot_turn_off_their_own_without_a_code(manager: Member) -> None:
    with_second_factor(manager)
    with pytest.raises(
        InvalidMember, match="turn off your own two-step verification under Your account"
    ):
        changes.turn_off_second_factor(manager, manager, NOW)
    assert Member.objects.get(pk=manager.pk).has_second_factor


@pytest.mark.parametrize("case", ["neighbor", "above"])
def test_a_school_manager_cannot_turn_it_off_for_others(
    case: str, manager: Member, neighbor: Member
) -> None:
    head = make_member(manager.district, "head@maple.example", "school manager")
    head.schools.set(School.objects.filter(district=manager.district, organization_id="200"))
    target = {"neighbor": neighbor, "above": manager}[case]
    with_second_factor(target)
    with pytest.raises(InvalidMember, match="you can't change "):
        changes.turn_off_second_factor(target, head, NOW)
    assert Member.objects.get(pk=target.pk).has_second_factor


@pytest.mark.statement("S21")
def test_a_changed_email_does_not_reveal_who_signs_in_with_it_elsewhere(
    ben: Member, manager: Member, neighbor: Member
) -> None:
    changed = change(ben, manager, email=neighbor.email)
    assert (changed.email, changed.holds_login) == (neighbor.email, False)
    assert changed.is_active
    assert sign_in(neighbor.email, PASSWORD, "192.0.2.1", NOW) == neighbor
    assert change(changed, manager, email="ben@new.example").holds_login
    assert sign_in("ben@new.example", PASSWORD, "192.0.2.1", NOW) == ben
