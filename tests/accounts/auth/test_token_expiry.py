"""Emails about tokens that expire soon: once for each, and for none that is of no use."""

from datetime import timedelta

import pytest

from rollbook.accounts import mails
from rollbook.accounts.auth import api_tokens, token_expiry
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.models import AccountMail, AccountMailKind, Member, Token
from rollbook.districts.models import District
from tests.accounts.browser import NOW

SOON = NOW + timedelta(days=60)  # of a token of 90 days, 30 are left


def create(member: Member, name: str = "nightly", days: int = 90) -> Token:
    return api_tokens.create(member, name, [Scope.START], NOW, timedelta(days=days))[0]


def notices() -> list[str]:
    queued = AccountMail.objects.filter(kind=AccountMailKind.TOKEN_EXPIRES).order_by("pk")
    return [mail.subject_name for mail in queued]


def test_a_token_is_named_thirty_days_before_it_expires_and_only_once(manager: Member) -> None:
    create(manager)
    assert token_expiry.queue_notices(SOON - timedelta(seconds=1)) == 0
    assert token_expiry.queue_notices(SOON) == 1
    assert token_expiry.queue_notices(SOON + timedelta(days=1)) == 0
    assert notices() == ["nightly"]
    mail = AccountMail.objects.get(kind=AccountMailKind.TOKEN_EXPIRES)
    assert mail.member == manager
    assert "expires on Feb 21, 2027, 2:00 AM CST" in str(mails.message(mail).body)


def test_each_token_is_named_and_so_is_that_of_a_neighbor_to_its_owner(
    manager: Member, neighbor: Member
) -> None:
    for owner, name in ((manager, "a"), (manager, "b"), (neighbor, "c")):
        create(owner, name)
    assert token_expiry.queue_notices(SOON) == 3
    queued = AccountMail.objects.filter(kind=AccountMailKind.TOKEN_EXPIRES)
    found = {(mail.member.email, mail.subject_name) for mail in queued}
    assert found == {(manager.email, "a"), (manager.email, "b"), (neighbor.email, "c")}


def test_a_token_for_thirty_days_is_not_named(manager: Member) -> None:
    create(manager, days=30)
    assert token_expiry.queue_notices(NOW) == 0


@pytest.mark.parametrize("change", ["revoked", "expired", "inactive", "suspended"])
def test_a_token_that_no_longer_works_is_not_named(manager: Member, change: str) -> None:
    token, now = create(manager), SOON
    if change == "revoked":
        Token.objects.update(revoked_at=NOW)
    elif change == "expired":
        now = token.expires_at
    elif change == "inactive":
        Member.objects.update(is_active=False)
    else:
        District.objects.update(suspended_at=NOW)
    assert token_expiry.queue_notices(now) == 0
    assert Token.objects.get().expiry_mailed_at is None


def test_a_kill_while_the_email_is_queued_leaves_it_for_the_next_run(
    manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(manager)

    def die(*args: object, **values: object) -> None:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(mails, "queue_mail", die)
        with pytest.raises(SystemExit):
            token_expiry.queue_notices(SOON)
    assert token_expiry.queue_notices(SOON) == 1
    assert notices() == ["nightly"]
