"""Letters to members about their own access: written with what they are about, sent by the worker."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction

from rollbook.accounts.auth import emailed_links
from rollbook.accounts.models import AccountMail, AccountMailKind, Member
from rollbook.accounts.permissions import Permission
from rollbook.mail import outbox
from rollbook.mail.outbox import MailObsolete

NOT_AGAIN_WITHIN = timedelta(minutes=5)

Facts = dict[str, object]


def queue_mail(
    member: Member,
    kind: AccountMailKind,
    now: datetime,
    inviter: Member | None = None,
    to: str = "",
    about: str = "",
) -> None:
    """Write a letter, which is sent when the surrounding transaction has come to be.

    It goes to the member's address, unless another one is named. ``about`` is the name of what it tells of.
    """
    with transaction.atomic():
        AccountMail.objects.create(
            member=member,
            kind=kind,
            actor=inviter,
            to_address=to,
            subject_name=about,
            queued_at=now,
            next_attempt_at=now,
        )


def recently_queued(member: Member | None, kind: AccountMailKind, now: datetime) -> bool:
    """Whether the member has just been written such a letter: one more would only tell the same."""
    return AccountMail.objects.filter(
        member=member, kind=kind, queued_at__gt=now - NOT_AGAIN_WITHIN
    ).exists()


def send_due() -> int:
    """Try every letter whose time has come; returns how many were tried."""
    return outbox.send_due(
        AccountMail.objects.select_related("member__district", "member__role", "actor"), message
    )


def message(letter: AccountMail) -> EmailMultiAlternatives:
    """The mail itself; if it has a link, with a new one. Raises Unwanted."""
    member = letter.member
    if not member.is_active:
        raise MailObsolete
    facts = {
        "member": member,
        "district": member.district,
        "url": settings.URL,
        **_FACTS[letter.kind](letter),
    }
    return outbox.message(
        letter,
        f"accounts/{letter.kind.replace('-', '').replace(' ', '_')}",
        facts,
        f"staff.letter-{letter.pk}",
    )


def _invitation(letter: AccountMail) -> Facts:
    if letter.member.has_usable_password():
        raise MailObsolete
    return {
        "inviter": letter.actor,
        "link": _link(letter),
        "days": emailed_links.LIFETIME[AccountMailKind.INVITATION].days,
    }


def _forgotten_password(letter: AccountMail) -> Facts:
    return {"link": _link(letter)}


def _password_changed(letter: AccountMail) -> Facts:
    return {"at": _written_at(letter)}


def _email_changed(letter: AccountMail) -> Facts:
    return {"at": _written_at(letter), "by": letter.actor, "before": letter.to_address}


def _second_factor_on(letter: AccountMail) -> Facts:
    return {
        "at": _written_at(letter),
        "uses_scripts": letter.member.may(Permission.UPDATE_STUDENTS),
    }


def _second_factor_off(letter: AccountMail) -> Facts:
    return {"at": _written_at(letter), "by": letter.actor}


def _token_made(letter: AccountMail) -> Facts:
    return {"at": _written_at(letter), "name": letter.subject_name}


def _written_at(letter: AccountMail) -> str:
    there = letter.queued_at.astimezone(ZoneInfo(letter.member.district.time_zone))
    return there.strftime("%Y-%m-%d %H:%M %Z")


_FACTS: Mapping[str, Callable[[AccountMail], Facts]] = {
    AccountMailKind.INVITATION: _invitation,
    AccountMailKind.FORGOTTEN_PASSWORD: _forgotten_password,
    AccountMailKind.PASSWORD_CHANGED: _password_changed,
    AccountMailKind.EMAIL_CHANGED: _email_changed,
    AccountMailKind.SECOND_FACTOR_ON: _second_factor_on,
    AccountMailKind.SECOND_FACTOR_OFF: _second_factor_off,
    AccountMailKind.TOKEN_MADE: _token_made,
}


def _link(letter: AccountMail) -> str:
    return emailed_links.address(emailed_links.make(letter.member, AccountMailKind(letter.kind)))
