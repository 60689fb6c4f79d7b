"""Runs ``rollbook token``: shows and revokes tokens of scripts."""

from argparse import Namespace

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.token_limits import TokenLimits
from rollbook.accounts.members import changes
from rollbook.accounts.models import Token
from rollbook.cli.audit_log import record
from rollbook.cli.errors import OK
from rollbook.cli.lookup import get_district, get_member
from rollbook.cli.output import table, to_json
from rollbook.cli.printed_text import add_facts
from rollbook.districts.models import District
from rollbook.text import count_of, format_timestamp

_HEADERS = ("district", "login", "token", "name", "commands", "expires", "last used", "limits")


def list_tokens(arguments: Namespace) -> int:
    """Print the tokens that work."""
    active, _, _ = _choose(arguments)
    rows = list(active.select_related("member__district").order_by("-created_at", "-pk"))
    if arguments.json:
        print(to_json([_to_json(token) for token in rows]))
    elif rows:
        print("\n".join(table(_HEADERS, [_row(token) for token in rows])))
    else:
        print("No token works.")
    return OK


def revoke(arguments: Namespace) -> int:
    """Revoke tokens."""
    _, district, whose = _choose(arguments)
    with transaction.atomic():
        revoked = _revoke(arguments, district)
        record("token revoke", district, f"{whose}: {revoked}")
    add_facts(arguments, revoked=revoked)
    print(f"Revoked {count_of(revoked, 'token')} of {whose}.")
    return OK


def _revoke(arguments: Namespace, district: District | None) -> int:
    """Revoke the tokens of a member, a district or all districts, and notify whom it concerns."""
    if arguments.member:
        return changes.revoke_tokens(get_member(arguments.member), None)
    districts = [district] if district else District.objects.order_by("slug")
    return sum(api_tokens.revoke_all_in(each, None) for each in districts)


def _choose(arguments: Namespace) -> tuple[QuerySet[Token], District | None, str]:
    """Return the active tokens that the options name, their district, and whose they are."""
    active = Token.objects.filter(revoked_at=None, expires_at__gt=timezone.now())
    if arguments.member:
        member = get_member(arguments.member)
        return active.filter(member=member), member.district, member.email
    if arguments.district:
        district = get_district(arguments.district)
        return active.filter(member__district=district), district, district.slug
    return active, None, "all districts"


def _row(token: Token) -> tuple[str, ...]:
    last_used = ""
    if token.last_used_at:
        last_used = format_timestamp(token.last_used_at, "UTC")
    return (
        token.member.district.slug,
        token.member.email,
        f"rb_{token.key}",
        token.name,
        ", ".join(token.scopes),
        format_timestamp(token.expires_at, "UTC"),
        last_used,
        "; ".join(TokenLimits.of(token).sentences()),
    )


def _to_json(token: Token) -> dict[str, object]:
    return {
        "district": token.member.district.slug,
        "login": token.member.email,
        "token": f"rb_{token.key}",
        "name": token.name,
        "commands": token.scopes,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "networks": token.networks or [],
        "limits": token.limits or {},
    }
