"""Runs ``rollbook session``: shows and ends sessions of browsers."""

from argparse import Namespace

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.accounts.models import Session
from rollbook.cli.audit_log import record
from rollbook.cli.errors import OK
from rollbook.cli.lookup import get_district, get_member
from rollbook.cli.output import table, to_json
from rollbook.cli.printed_text import add_facts
from rollbook.districts.models import District
from rollbook.text import count_of, format_timestamp

_HEADERS = ("district", "login", "signed in", "last seen", "address", "browser")


def list_sessions(arguments: Namespace) -> int:
    """Print who is signed in."""
    found, _, _ = _choose(arguments)
    active = found.filter(expire_date__gt=timezone.now()).order_by("-last_seen_at", "pk")
    rows = list(active.select_related("member__district"))
    if arguments.json:
        print(to_json([_to_json(session) for session in rows]))
    elif rows:
        print("\n".join(table(_HEADERS, [_row(session) for session in rows])))
    else:
        print("Nobody is signed in.")
    return OK


def end(arguments: Namespace) -> int:
    """End sessions."""
    found, district, whose = _choose(arguments)
    with transaction.atomic():
        ended, _ = found.delete()
        record("session end", district, f"{whose}: {ended}")
    add_facts(arguments, ended=ended)
    print(f"Ended {count_of(ended, 'session')} of {whose}.")
    return OK


def _choose(arguments: Namespace) -> tuple[QuerySet[Session], District | None, str]:
    """Return the sessions that the options name, their district, and whose they are."""
    sessions = Session.objects.filter(member__isnull=False)
    if arguments.member:
        member = get_member(arguments.member)
        return sessions.filter(member=member), member.district, member.email
    if arguments.district:
        district = get_district(arguments.district)
        return sessions.filter(member__district=district), district, district.slug
    return sessions, None, "all districts"


def _values(session: Session) -> tuple[str, str]:
    member = session.member
    if member is None:  # not selected
        return "", ""
    return member.district.slug, member.email


def _row(session: Session) -> tuple[str, ...]:
    return (
        *_values(session),
        format_timestamp(session.started_at, "UTC"),
        format_timestamp(session.last_seen_at, "UTC"),
        session.address or "",
        session.agent,
    )


def _to_json(session: Session) -> dict[str, object]:
    district, login = _values(session)
    return {
        "district": district,
        "login": login,
        "signed_in_at": session.started_at,
        "last_seen_at": session.last_seen_at,
        "address": session.address,
        "browser": session.agent,
    }
