"""Sign-ins of members from networks that they haven't used before.

Networks are compared as /24 (IPv4) and /48 (IPv6), because providers change the rest of an address.
"""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from rollbook.accounts import notices
from rollbook.accounts.audit import log
from rollbook.accounts.models import AuditEvent, KnownAddress, Member
from rollbook.accounts.notices import Notice
from rollbook.client_network import client_network, wide_network
from rollbook.districts.models import District

ACTION = "new network"
RECENT = timedelta(days=7)
"""For how long the page Staff lists a sign-in from a new network."""

MAX_LISTED = 50
"""How many it lists; the audit has all."""


def is_new(member: Member, address: str) -> bool:
    """Return whether the member has signed in before, but never from this network.

    Call this before the address is remembered.
    """
    known = KnownAddress.objects.filter(member=member).values_list("address", flat=True)
    networks = set(map(wide_network, known))
    return bool(networks) and wide_network(client_network(address)) not in networks


def report(member: Member, address: str, agent: str, now: datetime) -> None:
    """Notify the member, and record the sign-in for those who manage staff."""
    notices.notify(Notice.NEW_NETWORK, now, member, detail=address)
    log.record(ACTION, "reported", member=member, address=address, agent=agent, now=now)


def recent(district: District, members: QuerySet[Member], now: datetime) -> list[AuditEvent]:
    """Return the latest sign-ins of these members of a district from new networks."""
    events = AuditEvent.objects.filter(
        district=district, at__gt=now - RECENT, action=ACTION, member__in=members
    )
    return list(events.select_related("member").order_by("-at", "-pk")[:MAX_LISTED])
