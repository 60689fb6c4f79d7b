"""Notify the owner of a token before it expires, so that no nightly script stops by surprise."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from rollbook.accounts import mails
from rollbook.accounts.models import AccountMailKind, Token

NOTICE_TIME = timedelta(days=30)
BATCH_SIZE = 100  # tokens


def queue_notices(now: datetime) -> int:
    """Queue an email about each token that expires within ``NOTICE_TIME``; return how many.

    Each token is named once. One that was created for no longer than that needs no email.
    """
    expiring = Token.objects.filter(
        expiry_mailed_at=None,
        revoked_at=None,
        expires_at__gt=now,
        expires_at__lte=now + NOTICE_TIME,
        created_at__lt=F("expires_at") - NOTICE_TIME,
        member__is_active=True,
        member__district__suspended_at=None,
    )
    found = expiring.select_related("member").order_by("expires_at", "pk")[:BATCH_SIZE]
    return sum(_queue_once(token, now) for token in found)


def _queue_once(token: Token, now: datetime) -> bool:
    """Queue the email about a token unless another process has; return whether it was queued."""
    unsent = Token.objects.filter(pk=token.pk, expiry_mailed_at=None, revoked_at=None)
    with transaction.atomic():
        if not unsent.update(expiry_mailed_at=now):
            return False
        mails.queue_mail(
            token.member,
            AccountMailKind.TOKEN_EXPIRES,
            now,
            about=token.name,
            detail=token.expires_at.isoformat(),
        )
    return True
