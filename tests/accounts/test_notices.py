"""Security notices: who gets which email, and that none of its texts is incomplete."""

import re
from datetime import timedelta

import pytest

from rollbook.accounts import mails, notices, roles
from rollbook.accounts.auth import new_network, second_factor
from rollbook.accounts.auth.second_factor import CodeRejected
from rollbook.accounts.auth.sign_in import sign_in
from rollbook.accounts.members import changes, members
from rollbook.accounts.models import AccountMail, KnownAddress, Member
from rollbook.accounts.notices import ABOUT_ADDRESSES, TEXTS, Notice
from rollbook.accounts.permissions import RoleType
from rollbook.mail.outbox import MailObsolete
from tests.accounts.browser import NOW, Clock
from tests.accounts.phone import with_second_factor
from tests.conftest import PASSWORD, make_member
from tests.mail import gallery

HOME, NEXT_DOOR, AWAY = "203.0.113.7", "203.0.113.99", "198.51.100.7"

pytestmark = [pytest.mark.usefixtures("clock"), pytest.mark.statement("S49")]


@pytest.fixture
def ben(manager: Member) -> Member:
    return make_member(manager.district, "ben@maple.example", "school manager")


@pytest.fixture
def other_manager(manager: Member) -> Member:
    return make_member(manager.district, "eve@maple.example")


def sent() -> set[tuple[str, str, str]]:
    """Return notice, recipient and detail of each queued notice."""
    queued = AccountMail.objects.exclude(notice="").select_related("member")
    return {(mail.notice, mail.member.email, mail.notice_detail) for mail in queued}


@pytest.mark.parametrize("notice", Notice)
def test_every_notice_is_a_complete_email(
    ben: Member, manager: Member, other_manager: Member, notice: Notice
) -> None:
    notices.notify(notice, NOW, ben, by=manager, detail="the detail")
    notices.notify_managers(notice, NOW, ben.district, by=manager, detail="for managers")
    text = TEXTS[notice]
    assert bool(text.to_member) == AccountMail.objects.filter(member=ben).exists()
    for mail in AccountMail.objects.select_related("member__district", "actor", "notice_about"):
        if mail.notice_about is None and not text.to_managers:
            continue
        message = mails.message(mail)
        body = str(message.body)
        assert message.subject == f"{text.title} · Maple USD"
        page = re.sub(r"<style>.*</style>", "", str(message.alternatives), flags=re.DOTALL)
        assert not any(word in f"{body} {page}" for word in "{}")
        assert "If you didn't, " in body
        assert "Ana Ruiz" in body


@pytest.mark.parametrize("notice", Notice)
def test_the_administrator_is_named_within_a_sentence_in_lower_case(
    ben: Member, manager: Member, notice: Notice
) -> None:
    notices.notify(notice, NOW, ben, detail="the detail")
    notices.notify_managers(notice, NOW, ben.district, detail="for managers")
    queued = AccountMail.objects.select_related("member__district", "actor", "notice_about")
    bodies = [str(mails.message(mail).body) for mail in queued]
    assert bodies
    assert not [body for body in bodies if re.search(r"[^.\s] +Your Rollbook admin", body)]


@pytest.mark.parametrize("notice", Notice)
def test_a_notice_is_worded_like_this(
    ben: Member, manager: Member, other_manager: Member, notice: Notice
) -> None:
    """The one to the member whom it concerns, or to a manager if the member gets none."""
    detail = "203.0.113.7" if notice in ABOUT_ADDRESSES else "the detail"
    notices.notify(notice, NOW, ben, by=manager, detail=detail)
    queued = AccountMail.objects.select_related("member__district", "actor", "notice_about")
    recipient = ben if TEXTS[notice].to_member else other_manager
    message = mails.message(queued.get(member=recipient))
    [(page, _)] = message.alternatives
    name = gallery.notice_name(notice)
    for part, text in (("subject", f"{message.subject}\n"), ("txt", message.body), ("html", page)):
        assert text == (gallery.NOTICES / f"{name}.{part}").read_text(encoding="utf-8")


def test_a_manager_who_has_not_accepted_the_invitation_gets_no_notice(
    manager: Member, other_manager: Member
) -> None:
    district = manager.district
    members.invite(
        district, "new@maple.example", "Neil", "Oz", "district manager", [], manager, NOW
    )
    AccountMail.objects.all().delete()
    notices.notify_managers(Notice.SETTINGS_CHANGED, NOW, district, by=manager, detail="x")
    assert {recipient for _, recipient, _ in sent()} == {other_manager.email}


def test_a_deactivated_member_gets_the_notice_about_it_and_no_other(
    ben: Member, manager: Member
) -> None:
    changes.deactivate(ben, None)
    notices.notify(Notice.MASS_DOWNLOAD, NOW, ben, detail="all students")
    for mail in AccountMail.objects.filter(member=ben).select_related("member__district"):
        if mail.notice == Notice.DEACTIVATED:
            assert "deactivated your account" in str(mails.message(mail).body)
        else:
            with pytest.raises(MailObsolete):
                mails.message(mail)
    Member.objects.filter(pk=ben.pk).update(erased_at=NOW)
    erased = AccountMail.objects.select_related("member__district").get(
        member=ben, notice=Notice.DEACTIVATED
    )
    with pytest.raises(MailObsolete):
        mails.message(erased)


def test_a_sign_in_of_a_manager_from_a_new_network_is_reported_to_the_others(
    ben: Member, manager: Member, other_manager: Member
) -> None:
    for address in (HOME, AWAY):
        sign_in(manager.email, PASSWORD, address, NOW)
        sign_in(ben.email, PASSWORD, address, NOW)
    assert sent() == {
        ("new network", manager.email, AWAY),
        ("new network", other_manager.email, AWAY),
        ("new network", ben.email, AWAY),
    }
    about_manager = AccountMail.objects.get(member=other_manager)
    assert about_manager.notice_about == manager


def test_sign_ins_from_new_networks_are_listed_for_a_week(
    ben: Member, manager: Member, neighbor: Member
) -> None:
    for member in (ben, manager, neighbor):
        for address in (HOME, AWAY):
            sign_in(member.email, PASSWORD, address, NOW)
    everyone = Member.objects.all()
    listed = new_network.recent(ben.district, everyone, NOW)
    assert [(event.member, event.address) for event in listed] == [(manager, AWAY), (ben, AWAY)]
    only_ben = Member.objects.filter(pk=ben.pk)
    assert len(new_network.recent(ben.district, only_ben, NOW)) == 1
    assert new_network.recent(ben.district, everyone, NOW + timedelta(days=8)) == []


@pytest.mark.parametrize("role", ["district manager", "Front office"])
def test_a_new_manager_of_the_district_is_reported(manager: Member, role: str) -> None:
    roles.create_role(manager, RoleType.DISTRICT_MANAGER, "Front office", "", [])
    eve = members.invite(manager.district, "e@m.example", "Eve", "Ito", role, [], None, NOW)
    members.invite(manager.district, "i@m.example", "Al", "Ito", "instructor", ["100"], None, NOW)
    assert sent() == {("manager added", manager.email, role)}
    assert AccountMail.objects.get(notice="manager added").notice_about == eve


def test_roles_are_reported_to_the_other_managers(manager: Member, other_manager: Member) -> None:
    role = roles.create_role(manager, RoleType.INSTRUCTOR, "Aides", "", [])
    roles.change(role, manager, "Helpers", "", [])
    roles.remove(role, manager)
    assert sent() == {
        ("role added", other_manager.email, "Aides"),
        ("permissions changed", other_manager.email, "Helpers"),
        ("role removed", other_manager.email, "Helpers"),
    }


def test_a_sign_in_from_a_new_network_is_reported_to_the_member(manager: Member) -> None:
    for address in (HOME, NEXT_DOOR, "2001:db8:1:2::1"):
        sign_in(manager.email, PASSWORD, address, NOW)
    sign_in(manager.email, PASSWORD, "2001:db8:1:ffff::1", NOW)
    assert sent() == {("new network", manager.email, "2001:db8:1:2::1")}
    sign_in(manager.email, PASSWORD, AWAY, NOW)
    sign_in(manager.email, PASSWORD, AWAY, NOW + timedelta(days=1))
    assert sent() == {
        ("new network", manager.email, "2001:db8:1:2::1"),
        ("new network", manager.email, AWAY),
    }


@pytest.mark.parametrize(
    ("known", "address", "is_new"),
    [
        ([], HOME, False),
        ([HOME], NEXT_DOOR, False),
        ([HOME], AWAY, True),
        ([AWAY, HOME], NEXT_DOOR, False),
        ([HOME], "2001:db8::1", True),
        (["2001:db8::"], "2001:db8:0:99::1", False),
        (["2001:db8::"], "2001:db8:1::1", True),
    ],
)
def test_networks_are_compared(
    manager: Member, known: list[str], address: str, *, is_new: bool
) -> None:
    for each in known:
        KnownAddress.objects.create(member=manager, address=each, last_seen_at=NOW)
    assert new_network.is_new(manager, address) == is_new


def test_the_fifth_wrong_code_is_reported(ben: Member, manager: Member) -> None:
    with_second_factor(ben)
    for number in range(1, 8):
        with pytest.raises(CodeRejected):
            second_factor.verify_code(ben, "000000", AWAY, NOW)
        assert bool(sent()) == (number >= 5)
    assert sent() == {
        ("wrong codes", "ben@maple.example", AWAY),
        ("wrong codes", manager.email, AWAY),
    }


def test_a_used_recovery_code_is_reported(ben: Member, manager: Member) -> None:
    setup = with_second_factor(ben)
    second_factor.verify_code(ben, setup.recovery_codes[0], HOME, NOW)
    assert sent() == {
        ("recovery code", "ben@maple.example", "9"),
        ("recovery code", manager.email, "9"),
    }


def test_changes_are_reported_to_the_other_managers(
    ben: Member, manager: Member, other_manager: Member, neighbor: Member
) -> None:
    with_second_factor(ben)
    AccountMail.objects.all().delete()
    changes.turn_off_second_factor(ben, manager, NOW)
    ben = changes.change(
        ben,
        manager,
        NOW,
        email="benny@maple.example",
        first_name="Ben",
        last_name="Oz",
        role="district manager",
        schools=[],
    )
    role = "school manager is now district manager"
    email = "ben@maple.example is now benny@maple.example"
    assert sent() == {
        ("two-step verification off", "eve@maple.example", ""),
        ("email changed", "eve@maple.example", email),
        ("role changed", "eve@maple.example", role),
        ("role changed", "benny@maple.example", role),
    }


def test_the_same_notice_is_sent_once_an_hour(manager: Member, clock: Clock) -> None:
    for _ in range(3):
        notices.notify(Notice.MASS_DOWNLOAD, clock.now, manager, detail="the roster")
    assert AccountMail.objects.count() == 1
    notices.notify(Notice.MASS_DOWNLOAD, clock.now, manager, detail="changes of update 1")
    clock.move(minutes=61)
    notices.notify(Notice.MASS_DOWNLOAD, clock.now, manager, detail="the roster")
    assert AccountMail.objects.count() == 3
