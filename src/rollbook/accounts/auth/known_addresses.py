"""The networks from which members have signed in during the last 30 days."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from rollbook.accounts.models import KnownAddress, Member
from rollbook.client_network import client_network

LIFETIME = timedelta(days=30)
"""How long an address is known after the last sign-in from it."""


def is_known(address: str) -> bool:
    """Return whether a member has recently signed in from this address."""
    known = KnownAddress.objects.filter(address=client_network(address))
    return known.filter(last_seen_at__gt=timezone.now() - LIFETIME).exists()


def signed_in_from(member: Member, address: str, now: datetime | None = None) -> bool:
    """Return whether this member has recently signed in from the address."""
    since = (now or timezone.now()) - LIFETIME
    return KnownAddress.objects.filter(
        member=member, address=client_network(address), last_seen_at__gt=since
    ).exists()


def remember(member: Member, address: str, now: datetime | None = None) -> bool:
    """Remember that the member has just signed in from the address.

    Returns:
        Whether it was written: at most once a day for each member and network.
    """
    now = now or timezone.now()
    known = KnownAddress.objects.filter(member=member, address=client_network(address))
    if known.filter(last_seen_at__date=now.date()).exists():
        return False
    with transaction.atomic():
        KnownAddress.objects.update_or_create(
            member=member, address=client_network(address), defaults={"last_seen_at": now}
        )
    return True
