"""``rollbook outbox``."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from rollbook.accounts import mails
from rollbook.accounts.models import AccountMail, AccountMailKind, AuditEvent, Member
from rollbook.mail.states import CONDITIONS, MailState, state_of
from rollbook.updates.models import ResultMail
from tests.cli.conftest import Rollbook
from tests.updates.night import a_class, enroll, last

STATES: dict[MailState, dict[str, Any]] = {
    MailState.QUEUED: {},
    MailState.RETRYING: {"attempts": 2, "last_error": "SMTPServerDisconnected"},
    MailState.BOUNCED: {"next_attempt_at": None, "last_error": "SMTPRecipientsRefused 550"},
    MailState.FAILED: {"next_attempt_at": None, "last_error": "ConnectionRefusedError"},
    MailState.OBSOLETE: {"next_attempt_at": None, "last_error": "MailObsolete"},
    MailState.SENT: {"next_attempt_at": None, "sent_at": timezone.now()},
}


@pytest.fixture
def letters(manager: Member, neighbor: Member) -> dict[str, str]:
    """An email of each state about the manager's account, and one of the neighbor's."""
    names = {}
    for state, values in STATES.items():
        mails.queue_mail(manager, AccountMailKind.FORGOTTEN_PASSWORD, timezone.now())
        letter = AccountMail.objects.latest("pk")
        AccountMail.objects.filter(pk=letter.pk).update(**values)
        names[state.value] = f"account-{letter.pk}"
    mails.queue_mail(neighbor, AccountMailKind.PASSWORD_CHANGED, timezone.now())
    return names


def listed(rollbook: Rollbook, *options: str) -> list[str]:
    return [each["id"] for each in json.loads(rollbook("outbox", "list", "--json", *options).out)]


def test_every_email_meets_the_condition_of_its_state_only(letters: dict[str, str]) -> None:
    for state, condition in CONDITIONS.items():
        found = AccountMail.objects.filter(condition)
        assert found
        assert {state_of(letter) for letter in found} == {state}


def test_unsent_emails_are_listed(rollbook: Rollbook, letters: dict[str, str]) -> None:
    unsent = [letters[state] for state in ("queued", "retrying", "bounced", "failed")]
    assert sorted(listed(rollbook, "--district", "maple-usd")) == sorted(unsent)
    assert len(listed(rollbook)) == 5
    for state, name in letters.items():
        assert listed(rollbook, "--district", "maple-usd", "--state", state) == [name]
    result = rollbook("outbox", "list", "--limit", "2")
    assert result.out.splitlines()[-1] == "... and 3 more; use --limit"


def test_an_email_is_shown_without_its_link(rollbook: Rollbook, letters: dict[str, str]) -> None:
    result = rollbook("outbox", "show", letters["bounced"])
    assert (result.code, result.err) == (0, "")
    assert "bounced" in result.out
    assert "SMTPRecipientsRefused 550" in result.out
    assert "/password/" not in result.out


def test_emails_are_sent_again(rollbook: Rollbook, letters: dict[str, str]) -> None:
    long_ago = timezone.now() - timedelta(days=3)
    AccountMail.objects.update(queued_at=long_ago)
    result = rollbook("outbox", "resend", letters["failed"], letters["bounced"])
    assert (result.code, result.out, result.err) == (0, "Queued 2 emails again.\n", "")
    for name in (letters["failed"], letters["bounced"]):
        letter = AccountMail.objects.get(pk=int(name.partition("-")[2]))
        assert state_of(letter) is MailState.QUEUED
        assert letter.queued_at > long_ago + timedelta(days=2)  # it is retried for two days again
    assert AuditEvent.objects.filter(action="outbox resend").count() == 2
    mails.send_due()
    ids = {message.extra_headers["Message-ID"].partition("@")[0] for message in mail.outbox}
    for name in (letters["failed"], letters["bounced"]):
        assert f"<accounts.mail-{name.partition('-')[2]}" in ids


def test_all_that_failed_are_sent_again(rollbook: Rollbook, letters: dict[str, str]) -> None:
    none = rollbook("outbox", "resend", "--failed", "--district", "cedar-county")
    assert none.out == "Queued 0 emails again.\n"
    assert rollbook("outbox", "resend", "--failed").out == "Queued 2 emails again.\n"
    assert listed(rollbook, "--state", "bounced") == []


def test_emails_about_updates_are_there_too(rollbook: Rollbook, manager: Member) -> None:
    enroll(manager.district, a_class(1))
    now = timezone.now()
    letter = ResultMail.objects.create(
        update=last(manager.district),
        member=manager,
        queued_at=now,
        next_attempt_at=None,
        last_error="SMTPDataError 554",
        attempts=1,
    )
    assert listed(rollbook, "--state", "bounced") == [f"update-{letter.pk}"]
    assert "update 1" in rollbook("outbox", "show", f"update-{letter.pk}").out
    assert rollbook("outbox", "resend", f"update-{letter.pk}").code == 0


def test_a_sent_email_is_not_sent_again(rollbook: Rollbook, letters: dict[str, str]) -> None:
    result = rollbook("outbox", "resend", letters["failed"], letters["sent"])
    assert result.code == 1
    assert result.err.startswith(f"ERROR already_sent: {letters['sent']} was sent at ")
    assert listed(rollbook, "--state", "failed") == [letters["failed"]]


@pytest.mark.parametrize(
    "name", ["account-999999", "update-1", "letter-1", "account-", "account-x"]
)
@pytest.mark.django_db
def test_an_unknown_email_is_named(rollbook: Rollbook, name: str) -> None:
    result = rollbook("outbox", "show", name)
    assert result.err == (
        f"ERROR no_such_email: there is no email '{name}'; see `rollbook outbox list`\n"
    )


def test_what_to_send_must_be_named(rollbook: Rollbook, letters: dict[str, str]) -> None:
    assert rollbook("outbox", "resend").code == 2
    wrong = rollbook("outbox", "resend", letters["failed"], "--district", "maple-usd")
    assert wrong.err.startswith("ERROR nothing_to_resend")


def test_a_terminal_shows_states_with_signs_and_colors(
    rollbook: Rollbook, letters: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    lines = rollbook("outbox", "list", "--district", "maple-usd").out.splitlines()
    shown = [
        next(line for line in lines if letters[state] in line)
        for state in letters
        if state in ("queued", "retrying", "bounced", "failed")
    ]
    for line, cell in zip(
        shown, ("2mqueued", "33m! retrying", "31m✕ bounced", "31m✕ failed"), strict=True
    ):
        assert f"\x1b[{cell}" in line
    sent = rollbook("outbox", "list", "--state", "sent").out
    assert "\x1b[32m✓ sent\x1b[0m" in sent
