"""Password spraying: when it is noticed, who is notified, and what isn't spraying."""

from datetime import timedelta

import pytest

from rollbook.accounts.auth import spraying
from rollbook.accounts.auth.sign_in import SignInFailed, sign_in
from rollbook.accounts.models import AccountMail, AuditEvent, KnownAddress, Member
from rollbook.operations.alerts.conditions import BY_CODE
from tests.accounts.browser import NOW
from tests.conftest import make_member

pytestmark = [pytest.mark.usefixtures("clock"), pytest.mark.statement("S04", "S49")]


def guess(manager: Member, accounts: int, networks: int) -> None:
    """Try one wrong password for each account, each time from the next network."""
    members = [
        make_member(manager.district, f"{number}@maple.example") for number in range(accounts)
    ]
    for number in range(max(accounts, networks)):
        login = members[number % accounts].email
        with pytest.raises(SignInFailed):
            sign_in(login, "Autumn 2026!", f"198.51.100.{number % networks}", NOW)


def reports() -> list[tuple[str, str]]:
    """Return the district and the detail of each report."""
    events = AuditEvent.objects.filter(action="password spraying").select_related("district")
    return [(str(event.district), event.detail) for event in events]


def test_many_accounts_from_many_networks_are_one_report(manager: Member, neighbor: Member) -> None:
    guess(manager, accounts=10, networks=10)
    assert [spraying.check(NOW + timedelta(minutes=minute)) for minute in (0, 5, 10)] == [1, 0, 0]
    assert reports() == [("maple-usd", "10 accounts from 10 addresses")]
    recipients = [mail.member.email for mail in AccountMail.objects.all()]
    assert manager.email in recipients
    assert neighbor.email not in recipients
    assert {mail.notice for mail in AccountMail.objects.all()} == {"password spraying"}
    assert BY_CODE["password_spraying"].find(NOW) == "in maple-usd"
    assert BY_CODE["password_spraying"].find(NOW + timedelta(hours=25)) == ""


@pytest.mark.parametrize(("accounts", "networks"), [(9, 20), (10, 9)])
def test_fewer_are_none(manager: Member, accounts: int, networks: int) -> None:
    guess(manager, accounts, networks)
    assert (spraying.check(NOW), reports()) == (0, [])
    assert BY_CODE["password_spraying"].find(NOW) == ""


def test_typing_errors_of_staff_where_they_sign_in_are_none(manager: Member) -> None:
    guess(manager, accounts=12, networks=12)
    for number in range(3):
        KnownAddress.objects.create(
            member=Member.objects.get(email=f"{number}@maple.example"),
            address=f"198.51.100.{number}",
            last_seen_at=NOW,
        )
    assert spraying.check(NOW) == 0


def test_what_is_older_than_an_hour_is_forgotten(manager: Member) -> None:
    guess(manager, accounts=10, networks=10)
    assert spraying.check(NOW + timedelta(minutes=61)) == 0
