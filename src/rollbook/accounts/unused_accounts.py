"""Accounts that nobody has used for a while, so that managers deactivate them.

An account is used by a sign-in, a page in a session, or a token. An invitation that was never
accepted is an unused account, too.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from rollbook.accounts import mails
from rollbook.accounts.mail_content import UNUSED_DAYS
from rollbook.accounts.managers import district_managers
from rollbook.accounts.models import (
    AccountMail,
    AccountMailKind,
    KnownAddress,
    Member,
    Session,
    Token,
)
from rollbook.districts.models import District

MAIL_INTERVAL = timedelta(days=30)


def only_unused(members: "QuerySet[Member]", days: int, now: datetime) -> "QuerySet[Member]":
    """Return the active members among these who haven't used their account for so many days."""
    since = now - timedelta(days=days)
    used = (
        KnownAddress.objects.filter(member=OuterRef("pk"), last_seen_at__gte=since),
        Session.objects.filter(member=OuterRef("pk"), last_seen_at__gte=since),
        Token.objects.filter(member=OuterRef("pk"), last_used_at__gte=since),
    )
    return members.filter(
        Q(last_login=None) | Q(last_login__lt=since),
        *(~Exists(rows) for rows in used),
        is_active=True,
        added_at__lt=since,
    )


def queue_reminders(now: datetime) -> int:
    """Email the managers of each district with unused accounts, once a month.

    Returns:
        The number of emails.
    """
    return sum(
        _remind(key, now)
        for key in District.objects.filter(suspended_at=None).values_list("pk", flat=True)
    )


def _remind(key: int, now: datetime) -> int:
    with transaction.atomic():
        district = District.objects.select_for_update(no_key=True).get(pk=key)
        recent = AccountMail.objects.filter(
            member__district=district,
            kind=AccountMailKind.UNUSED_ACCOUNTS,
            queued_at__gt=now - MAIL_INTERVAL,
        )
        staff = Member.objects.filter(district=district)
        if recent.exists() or not only_unused(staff, UNUSED_DAYS, now).exists():
            return 0
        recipients = district_managers(district)
        for manager in recipients:
            mails.queue_mail(manager, AccountMailKind.UNUSED_ACCOUNTS, now)
        return len(recipients)
