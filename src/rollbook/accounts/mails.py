"""Emails to members about their account or district, queued with the change, sent by the worker."""

from datetime import datetime, timedelta

from django.core.mail import EmailMultiAlternatives
from django.db import transaction

from rollbook.accounts.mail_content import content_of
from rollbook.accounts.models import AccountMail, AccountMailKind, Member
from rollbook.accounts.notices import Notice
from rollbook.districts.models import District
from rollbook.mail import outbox
from rollbook.mail.outbox import MailObsolete

MIN_INTERVAL = timedelta(minutes=5)
"""Time before the same member is sent another email of the same kind on request."""


def queue_mail(  # noqa: PLR0913 - all but three are optional keywords
    member: Member,
    kind: AccountMailKind,
    now: datetime,
    inviter: Member | None = None,
    to: str = "",
    about: str = "",
    detail: str = "",
    figures: dict[str, int] | None = None,
) -> None:
    """Queue an email, which is sent after the surrounding transaction has committed.

    Args:
        member: The recipient.
        kind: What the email is about.
        now: The current time.
        inviter: Who invited the member or made the change; None: the operator, or the member.
        to: The address to send it to; empty: the member's email.
        about: The name of the token that the email is about, or a time or day in ISO 8601.
        detail: Another time or day that it names.
        figures: The numbers of a weekly summary, by name.
    """
    with transaction.atomic():
        AccountMail.objects.create(
            member=member,
            kind=kind,
            actor=inviter,
            to_address=to,
            subject_name=about,
            notice_detail=detail,
            figures=figures,
            queued_at=now,
            next_attempt_at=now,
        )


def recently_queued(member: Member | None, kind: AccountMailKind, now: datetime) -> bool:
    """Return whether such an email was queued for the member within ``MIN_INTERVAL``."""
    return AccountMail.objects.filter(
        member=member, kind=kind, queued_at__gt=now - MIN_INTERVAL
    ).exists()


def count_invitations(district: District, since: datetime) -> int:
    """Return how many invitations members of a district have queued since then."""
    return AccountMail.objects.filter(
        kind=AccountMailKind.INVITATION,
        member__district=district,
        actor__isnull=False,
        queued_at__gt=since,
    ).count()


def send_due() -> int:
    """Try to send each email that is due, and return how many were tried.

    Emails of a suspended district wait until it is resumed.
    """
    mails = AccountMail.objects.filter(member__district__suspended_at=None)
    return outbox.send_due(
        mails.select_related("member__district", "member__role", "actor", "notice_about"), message
    )


def message(mail: AccountMail) -> EmailMultiAlternatives:
    """Return the message to send, with a new link if it has one.

    Raises:
        MailObsolete: The member is inactive, or no longer needs the email.
    """
    member = mail.member
    if not member.is_active and (mail.notice != Notice.DEACTIVATED or member.erased_at):
        raise MailObsolete
    return outbox.render_message(mail, content_of(mail), f"accounts.mail-{mail.pk}")
