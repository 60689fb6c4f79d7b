"""Emails to members about their account or district, queued with the change, sent by the worker."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction

from rollbook.accounts.auth import emailed_links
from rollbook.accounts.models import AccountMail, AccountMailKind, Member
from rollbook.accounts.notices import ABOUT_ADDRESSES, TEXTS, Notice
from rollbook.accounts.permissions import Permission
from rollbook.districts.models import District
from rollbook.mail import outbox
from rollbook.mail.outbox import MailObsolete
from rollbook.mail.templatetags.mails import plain
from rollbook.text import format_date, format_datetime

MIN_INTERVAL = timedelta(minutes=5)
"""Time before the same member is sent another email of the same kind on request."""

UNUSED_DAYS = 90
"""Managers are emailed about accounts that weren't used for so many days."""

Context = dict[str, object]


def queue_mail(
    member: Member,
    kind: AccountMailKind,
    now: datetime,
    inviter: Member | None = None,
    to: str = "",
    about: str = "",
    detail: str = "",
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
    """
    with transaction.atomic():
        AccountMail.objects.create(
            member=member,
            kind=kind,
            actor=inviter,
            to_address=to,
            subject_name=about,
            notice_detail=detail,
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
    kind = AccountMailKind(mail.kind)
    context = {
        "member": member,
        "district": member.district,
        "district_name": member.district.name,
        "url": settings.URL,
        **_CONTEXTS[kind](mail),
    }
    return outbox.render_message(
        mail, f"accounts/{kind.name.lower()}.html", context, f"accounts.mail-{mail.pk}"
    )


def _invitation(mail: AccountMail) -> Context:
    if mail.member.has_usable_password():
        raise MailObsolete
    return {
        "inviter": mail.actor,
        "link": _link(mail),
        "days": emailed_links.LIFETIME[AccountMailKind.INVITATION].days,
    }


def _forgotten_password(mail: AccountMail) -> Context:
    return {"link": _link(mail)}


def _password_changed(mail: AccountMail) -> Context:
    return {"at": _local_time(mail)}


def _email_changed(mail: AccountMail) -> Context:
    return {"at": _local_time(mail), "by": mail.actor, "old_email": mail.to_address}


def _second_factor_on(mail: AccountMail) -> Context:
    return {
        "at": _local_time(mail),
        "uses_scripts": mail.member.may(Permission.UPDATE_STUDENTS),
    }


def _second_factor_off(mail: AccountMail) -> Context:
    return {"at": _local_time(mail), "by": mail.actor}


def _token_created(mail: AccountMail) -> Context:
    return {"at": _local_time(mail), "name": mail.subject_name}


def _unused_accounts(mail: AccountMail) -> Context:
    return {"days": UNUSED_DAYS}


def _file_missing(mail: AccountMail) -> Context:
    time_zone = mail.member.district.time_zone
    last = datetime.fromisoformat(mail.notice_detail) if mail.notice_detail else None
    return {**_expected(mail), "last": format_datetime(last, time_zone)}


def _pause_begins(mail: AccountMail) -> Context:
    first, last = map(date.fromisoformat, (mail.subject_name, mail.notice_detail))
    return {"first": format_date(first), "last": format_date(last)}


def _expected(mail: AccountMail) -> Context:
    """Return by when a file is expected, in the district's time."""
    by = datetime.fromisoformat(mail.subject_name)
    return {"by": format_datetime(by, mail.member.district.time_zone)}


def _security_notice(mail: AccountMail) -> Context:
    notice = Notice(mail.notice)
    text = TEXTS[notice]
    about = mail.notice_about
    who = about.name if about else mail.member.district.name
    by = mail.actor.name if mail.actor else "Your Rollbook administrator"
    detail = mail.notice_detail
    if notice not in ABOUT_ADDRESSES:
        detail = plain(detail)
    values = {"who": plain(who), "by": plain(by), "detail": detail}
    is_own = about is not None and about.pk == mail.member_id
    advice = text.advice
    if not is_own and advice.startswith(("change your", "revoke")):
        advice = "ask {who}. If it wasn't them, deactivate the account on the page Staff."
    return {
        "at": _local_time(mail),
        "title": text.title,
        "sentence": (text.to_member if is_own else text.to_managers).format(**values),
        "advice": advice.format(**values),
    }


def _local_time(mail: AccountMail) -> str:
    """Return when the email was queued, in the district's time."""
    return format_datetime(mail.queued_at, mail.member.district.time_zone)


_CONTEXTS: Mapping[AccountMailKind, Callable[[AccountMail], Context]] = {
    AccountMailKind.INVITATION: _invitation,
    AccountMailKind.FORGOTTEN_PASSWORD: _forgotten_password,
    AccountMailKind.PASSWORD_CHANGED: _password_changed,
    AccountMailKind.EMAIL_CHANGED: _email_changed,
    AccountMailKind.SECOND_FACTOR_ON: _second_factor_on,
    AccountMailKind.SECOND_FACTOR_OFF: _second_factor_off,
    AccountMailKind.TOKEN_CREATED: _token_created,
    AccountMailKind.SECURITY_NOTICE: _security_notice,
    AccountMailKind.UNUSED_ACCOUNTS: _unused_accounts,
    AccountMailKind.FILE_MISSING: _file_missing,
    AccountMailKind.PAUSE_BEGINS: _pause_begins,
    AccountMailKind.PAUSE_ENDS: _expected,
}


def _link(mail: AccountMail) -> str:
    return emailed_links.link_url(emailed_links.make_token(mail.member, AccountMailKind(mail.kind)))
