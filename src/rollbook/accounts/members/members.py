"""The members of a district: how one is added or invited, who they are, and who of them gets the results."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet

from rollbook.accounts import mails
from rollbook.accounts.auth.password_policy import (
    facts_about,
    normalize_password,
    policy_violations,
)
from rollbook.accounts.auth.sign_in import fold_login
from rollbook.accounts.members.validation import (
    InvalidMember,
    MemberDraft,
    email_already_used,
    in_order,
)
from rollbook.accounts.models import AccountMailKind, Member
from rollbook.districts.models import District, School


class UnknownMember(Exception):
    """Results go to active members of the district only, and ``email`` is none of theirs."""

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} is not an active member of this district")
        self.email = email


class MemberState(StrEnum):
    """How far a member has come."""

    ACTIVE = "active"
    INVITED = "invited"
    NOT_ACTIVE = "not active"


@dataclass(frozen=True)
class MemberListItem:
    """A member in the list of a district's staff."""

    member: Member
    schools: tuple[School, ...]
    state: MemberState
    last_sign_in: datetime | None


def add_member(
    district: District,
    email: str,
    first_name: str,
    last_name: str,
    role: str,
    password: str,
    schools: Iterable[str] = (),
) -> Member:
    """Add an active member. ``schools`` are organization IDs. Raises MemberRefused with every reason."""
    wanted = MemberDraft(district, email, first_name, last_name, role, tuple(schools))
    facts = facts_about(wanted.login, wanted.first_name, wanted.last_name, district.name)
    refused = [
        f"the password is refused: {reason}" for reason in policy_violations(password, facts)
    ]
    return _enter(wanted, refused, normalize_password(password))


def invite(
    district: District,
    email: str,
    first_name: str,
    last_name: str,
    role: str,
    schools: Iterable[str],
    inviter: Member | None,
    now: datetime,
) -> Member:
    """Add a member who gets a letter with a link, by which to set a password; without an inviter the host invites.

    ``schools`` are organization IDs. Raises MemberRefused with every reason.
    """
    wanted = MemberDraft(district, email, first_name, last_name, role, tuple(schools), inviter)
    with transaction.atomic():
        member = _enter(wanted, [], None)
        mails.queue_mail(member, AccountMailKind.INVITATION, now, inviter)
    return member


def invite_again(member: Member, inviter: Member | None, now: datetime) -> None:
    """Send the invitation once more. Raises MemberRefused if that is of no use."""
    with transaction.atomic():
        # Two that invite at the same time take turns.
        current = Member.objects.select_for_update().get(pk=member.pk)
        against = _AGAINST_INVITING.get(state_of(current))
        if not against and mails.recently_queued(current, AccountMailKind.INVITATION, now):
            against = "was invited a moment ago; see whether that mail arrives"
        if against:
            raise InvalidMember([f"{current.email} {against}"])
        mails.queue_mail(current, AccountMailKind.INVITATION, now, inviter)


_AGAINST_INVITING = {
    MemberState.NOT_ACTIVE: "is not active",
    MemberState.ACTIVE: "has a password; who has forgotten it can have a new one sent from the sign-in page",
}


def listed(by: Member) -> list[MemberListItem]:
    """The members that this one looks after: the district's, or those of his schools; in the order of their names."""
    members = (
        visible_to(by)
        .select_related("district", "role", "second_factor")
        .prefetch_related("schools")
        .annotate(last_seen=Max("knownaddress__last_seen_at"))
    )
    return [
        MemberListItem(
            member,
            in_order(member.schools.all()),
            state_of(member),
            _latest(member.last_login, member.last_seen),
        )
        for member in sorted(members, key=_by_name)
    ]


def visible_to(by: Member) -> QuerySet[Member]:
    """The members of the district; for one with schools those who work at one of them."""
    ours = Member.objects.filter(district=by.district_id)
    return ours if by.role.is_district_wide else ours.filter(pk__in=_works_at(by.schools.all()))


def found(by: Member, key: int) -> Member | None:
    """The member of this key, if it is one that ``by`` looks after."""
    return visible_to(by).select_related("district", "role", "second_factor").filter(pk=key).first()


def state_of(member: Member) -> MemberState:
    """Whether the member may sign in, and can."""
    if not member.is_active:
        return MemberState.NOT_ACTIVE
    return MemberState.ACTIVE if member.has_usable_password() else MemberState.INVITED


def result_recipients(district: District) -> list[Member]:
    """Who gets the results of every update of the district."""
    return list(
        Member.objects.filter(district=district, is_active=True, receives_results=True).order_by(
            "email"
        )
    )


def set_receivers(district: District, emails: Iterable[str]) -> list[Member]:
    """From now on these members get the results, and no others. Raises NotAMember, and then nothing has changed."""
    with transaction.atomic():
        members = [_active_member(district, email) for email in emails]
        Member.objects.filter(district=district).update(receives_results=False)
        Member.objects.filter(pk__in=[member.pk for member in members]).update(
            receives_results=True
        )
    return result_recipients(district)


def _enter(wanted: MemberDraft, refused: list[str], password: str | None) -> Member:
    """Into the table; raises MemberRefused with the reasons there are, and those that the caller has."""
    reasons = [*wanted.problems(), *refused]
    if reasons:
        raise InvalidMember(reasons)
    member = Member(district=wanted.district, password=make_password(password))
    wanted.copy_to(member)
    try:
        with transaction.atomic():
            member.save(force_insert=True)
            member.schools.set(wanted.found_schools)
    except IntegrityError:
        raise email_already_used(wanted.login) from None
    return member


def _works_at(schools: QuerySet[School]) -> QuerySet[Any, Any]:
    return Member.schools.through.objects.filter(school__in=schools).values("member")


def _by_name(member: Member) -> tuple[str, str, str]:
    return member.last_name.casefold(), member.first_name.casefold(), member.email


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)


def _active_member(district: District, email: str) -> Member:
    member = Member.objects.filter(
        district=district, is_active=True, email=fold_login(email)
    ).first()
    if member is None:
        raise UnknownMember(email)
    return member
