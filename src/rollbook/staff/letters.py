"""Letters to members about their own access: written with what they are about, sent by the worker."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction

from rollbook.staff import links, post
from rollbook.staff.models import LetterKind, Member, StaffLetter
from rollbook.staff.permissions import Permission
from rollbook.staff.post import Unwanted

NOT_AGAIN_WITHIN = timedelta(minutes=5)

Facts = dict[str, object]


def write(
    member: Member, kind: LetterKind, now: datetime, inviter: Member | None = None, to: str = "", about: str = ""
) -> None:
    """Write a letter, which is sent when the surrounding transaction has come to be.

    It goes to the member's address, unless another one is named. ``about`` is the name of what it tells of.
    """
    with transaction.atomic():
        StaffLetter.objects.create(
            member=member, kind=kind, inviter=inviter, to=to, about=about, written_at=now, next_try_at=now
        )


def wrote_lately(member: Member | None, kind: LetterKind, now: datetime) -> bool:
    """Whether the member has just been written such a letter: one more would only tell the same."""
    return StaffLetter.objects.filter(member=member, kind=kind, written_at__gt=now - NOT_AGAIN_WITHIN).exists()


def send_due() -> int:
    """Try every letter whose time has come; returns how many were tried."""
    return post.send_due(StaffLetter.objects.select_related("member__district", "member__role", "inviter"), message)


def message(letter: StaffLetter) -> EmailMultiAlternatives:
    """The mail itself; if it has a link, with a new one. Raises Unwanted."""
    member = letter.member
    if not member.is_active:
        raise Unwanted
    facts = {"member": member, "district": member.district, "url": settings.URL, **_FACTS[letter.kind](letter)}
    return post.message(
        letter, f"staff/{letter.kind.replace('-', '').replace(' ', '_')}", facts, f"staff.letter-{letter.pk}"
    )


def _invitation(letter: StaffLetter) -> Facts:
    if letter.member.has_usable_password():
        raise Unwanted
    return {"inviter": letter.inviter, "link": _link(letter), "days": links.GOOD_FOR[LetterKind.INVITATION].days}


def _forgotten_password(letter: StaffLetter) -> Facts:
    return {"link": _link(letter)}


def _password_changed(letter: StaffLetter) -> Facts:
    return {"at": _written_at(letter)}


def _email_changed(letter: StaffLetter) -> Facts:
    return {"at": _written_at(letter), "by": letter.inviter, "before": letter.to}


def _second_factor_on(letter: StaffLetter) -> Facts:
    return {"at": _written_at(letter), "uses_scripts": letter.member.may(Permission.UPDATE_STUDENTS)}


def _second_factor_off(letter: StaffLetter) -> Facts:
    return {"at": _written_at(letter), "by": letter.inviter}


def _token_made(letter: StaffLetter) -> Facts:
    return {"at": _written_at(letter), "name": letter.about}


def _written_at(letter: StaffLetter) -> str:
    there = letter.written_at.astimezone(ZoneInfo(letter.member.district.time_zone))
    return there.strftime("%Y-%m-%d %H:%M %Z")


_FACTS: Mapping[str, Callable[[StaffLetter], Facts]] = {
    LetterKind.INVITATION: _invitation,
    LetterKind.FORGOTTEN_PASSWORD: _forgotten_password,
    LetterKind.PASSWORD_CHANGED: _password_changed,
    LetterKind.EMAIL_CHANGED: _email_changed,
    LetterKind.SECOND_FACTOR_ON: _second_factor_on,
    LetterKind.SECOND_FACTOR_OFF: _second_factor_off,
    LetterKind.TOKEN_MADE: _token_made,
}


def _link(letter: StaffLetter) -> str:
    return links.address(links.make(letter.member, LetterKind(letter.kind)))
