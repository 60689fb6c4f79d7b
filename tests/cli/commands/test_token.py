"""``rollbook token``."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.auth.token_limits import TokenLimits
from rollbook.accounts.models import AccountMail, AuditEvent, Member, Token
from tests.cli.conftest import Rollbook
from tests.conftest import make_member

LIMITS = TokenLimits(networks=("203.0.113.0/24",), protected_columns=("STATUS",))


@pytest.fixture
def tokens(manager: Member, neighbor: Member) -> list[Token]:
    """A token each of two members of Maple USD, and of one of Cedar County."""
    ben = make_member(manager.district, "ben@maple.example")
    now = timezone.now()
    return [
        api_tokens.create(member, "night", (Scope.STATUS,), now, timedelta(days=1), LIMITS)[0]
        for member in (manager, ben, neighbor)
    ]


def test_tokens_are_listed_with_their_limits_but_not_their_secrets(
    rollbook: Rollbook, tokens: list[Token]
) -> None:
    result = rollbook("token", "list", "--district", "maple-usd")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()[1:]
    assert len(lines) == 2
    assert "ben@maple.example" in lines[0]
    assert "Works only from 203.0.113.0/24; Never changes STATUS" in lines[0]
    assert tokens[0].digest not in result.out
    (listed,) = json.loads(rollbook("token", "list", "--member", "ops@maple.example", "--json").out)
    assert (listed["token"], listed["networks"]) == (f"rb_{tokens[0].key}", ["203.0.113.0/24"])
    assert listed["limits"] == {"columns": ["STATUS"]}


@pytest.mark.statement("S12", "S57")
@pytest.mark.parametrize(
    ("options", "answer", "left"),
    [
        (("--member", "ops@maple.example"), "1 token of ops@maple.example", 2),
        (("--district", "maple-usd"), "2 tokens of maple-usd", 1),
        (("--all",), "3 tokens of all districts", 0),
    ],
)
def test_tokens_are_revoked(
    rollbook: Rollbook, tokens: list[Token], options: tuple[str, ...], answer: str, left: int
) -> None:
    result = rollbook("token", "revoke", *options)
    assert (result.code, result.out, result.err) == (0, f"Revoked {answer}.\n", "")
    assert Token.objects.filter(revoked_at=None).count() == left
    assert AuditEvent.objects.get().action == "token revoke"


@pytest.mark.statement("S49")
def test_revoked_tokens_are_reported(rollbook: Rollbook, tokens: list[Token]) -> None:
    AccountMail.objects.all().delete()
    assert rollbook("token", "revoke", "--member", "ben@maple.example").code == 0
    assert reported() == {
        ("ben@maple.example", "tokens of member revoked", "1 token"),
        ("ops@maple.example", "tokens of member revoked", "1 token"),
    }
    AccountMail.objects.all().delete()
    assert rollbook("token", "revoke", "--all").code == 0
    assert reported() == {
        ("ops@maple.example", "tokens revoked", "1 token"),
        ("ben@maple.example", "tokens revoked", "1 token"),
        (tokens[2].member.email, "tokens revoked", "1 token"),
    }


def reported() -> set[tuple[str, str, str]]:
    """Return recipient, notice and detail of each queued notice."""
    queued = AccountMail.objects.select_related("member")
    return {(mail.member.email, mail.notice, mail.notice_detail) for mail in queued}


def test_whose_tokens_are_revoked_must_be_named(rollbook: Rollbook, tokens: list[Token]) -> None:
    assert rollbook("token", "revoke").code == 2
    assert Token.objects.filter(revoked_at=None).count() == 3


@pytest.mark.django_db
def test_without_tokens_there_is_a_sentence(rollbook: Rollbook) -> None:
    assert rollbook("token", "list").out == "No token works.\n"
