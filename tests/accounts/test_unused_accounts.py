"""Accounts that nobody has used for 90 days: which they are, and the monthly email."""

from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from rollbook.accounts import mails, unused_accounts
from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.models import KnownAddress, Member, Session, Token
from rollbook.districts.models import District
from tests.conftest import make_member

pytestmark = pytest.mark.statement("S05")


@pytest.fixture
def old(maple: District) -> Member:
    """A member who was added a year ago."""
    member = make_member(maple, "old@maple.example", "school manager")
    Member.objects.filter(pk=member.pk).update(added_at=ago(days=365))
    return member


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


def unused(days: int = 90) -> list[Member]:
    return list(unused_accounts.only_unused(Member.objects.all(), days, timezone.now()))


def sign_in(member: Member, at: datetime) -> None:
    Member.objects.filter(pk=member.pk).update(last_login=at)


def come_from_network(member: Member, at: datetime) -> None:
    KnownAddress.objects.create(member=member, address="192.0.2.1", last_seen_at=at)


def see_a_page(member: Member, at: datetime) -> None:
    Session.objects.create(
        session_key="k",
        session_data="",
        expire_date=at,
        member=member,
        agent="",
        started_at=at,
        last_seen_at=at,
    )


def use_token(member: Member, at: datetime) -> None:
    api_tokens.create(member, "Night", tuple(Scope), timezone.now())
    Token.objects.update(last_used_at=at)


@pytest.mark.parametrize("use", [sign_in, come_from_network, see_a_page, use_token])
def test_every_kind_of_use_counts(old: Member, use: object) -> None:
    assert callable(use)
    use(old, ago(days=91))
    assert (unused(90), unused(92)) == ([old], [])


def test_new_and_inactive_accounts_are_not_listed(old: Member, manager: Member) -> None:
    assert unused() == [old]
    Member.objects.filter(pk=old.pk).update(is_active=False)
    assert unused() == []


def test_managers_are_emailed_once_a_month_while_there_are_any(
    old: Member, manager: Member, neighbor: Member
) -> None:
    now = timezone.now()
    assert unused_accounts.queue_reminders(now) == 1
    assert unused_accounts.queue_reminders(now + timedelta(days=29)) == 0
    assert unused_accounts.queue_reminders(now + timedelta(days=31)) == 1
    assert mails.send_due() == 1
    assert [sent.to for sent in mail.outbox] == [[manager.email]]
    Member.objects.filter(pk=old.pk).update(is_active=False)
    assert unused_accounts.queue_reminders(now + timedelta(days=62)) == 0
