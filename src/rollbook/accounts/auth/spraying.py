"""Notice password spraying: few guesses for each of many accounts, from many networks.

No rate limit of an address or a login stops that, so the district managers are notified.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, QuerySet

from rollbook.accounts.audit import log
from rollbook.accounts.models import AuditEvent, KnownAddress
from rollbook.accounts.notices import Notice, notify_managers
from rollbook.districts.models import District
from rollbook.text import count_of

WINDOW = timedelta(hours=1)
MIN_ACCOUNTS = 10
MIN_NETWORKS = 10
REPEATED_AFTER = timedelta(hours=24)
ACTION, RESULT = "password spraying", "noticed"


def check(now: datetime) -> int:
    """Record and report each district where passwords are being sprayed; return how many.

    While it lasts, that happens once a day.
    """
    failures = (
        _failures(now)
        .values("district")
        .annotate(accounts=Count("member", distinct=True), networks=Count("address", distinct=True))
    )
    found = failures.filter(accounts__gte=MIN_ACCOUNTS, networks__gte=MIN_NETWORKS)
    reported = 0
    for row in found.order_by("district"):
        district = District.objects.get(pk=row["district"])
        accounts, networks = count_of(row["accounts"], "account"), row["networks"]
        reported += _report(district, f"{accounts} from {networks:,} addresses", now)
    return reported


def reported_since(since: datetime) -> QuerySet[AuditEvent]:
    """Return the reports of all districts since this time."""
    return AuditEvent.objects.filter(action=ACTION, at__gt=since)


def _failures(now: datetime) -> QuerySet[AuditEvent]:
    """Return failed sign-ins of members from addresses that they haven't signed in from.

    People who mistype a password usually do so where they have signed in before, or soon will.
    """
    known = KnownAddress.objects.filter(member=OuterRef("member"), address=OuterRef("address"))
    return AuditEvent.objects.filter(
        ~Exists(known),
        action="sign in",
        result="failed",
        at__gt=now - WINDOW,
        member__isnull=False,
        district=F("member__district"),
    )


def _report(district: District, detail: str, now: datetime) -> bool:
    with transaction.atomic():
        District.objects.select_for_update(no_key=True).get(pk=district.pk)  # one report, not two
        if reported_since(now - REPEATED_AFTER).filter(district=district).exists():
            return False
        log.record(ACTION, RESULT, district=district, detail=detail, now=now)
        notify_managers(Notice.PASSWORD_SPRAYING, now, district, detail=detail)
    return True
