"""The members of a district: adding and inviting them, listing them, and result recipients."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from rollbook.accounts import mails, notices
from rollbook.accounts.auth import emailed_links
from rollbook.accounts.auth.password_policy import (
    guessable_words,
    normalize_password,
    policy_violations,
)
from rollbook.accounts.auth.sign_in import fold_login
from rollbook.accounts.members.validation import (
    InvalidMember,
    MemberDraft,
    email_already_used,
    sort_schools,
)
from rollbook.accounts.models import AccountMailKind, Member
from rollbook.accounts.notices import Notice
from rollbook.accounts.permissions import RoleType
from rollbook.districts.models import District, School
from rollbook.text import count_of

INVITATION_WINDOW = timedelta(days=1)


class UnknownMember(Exception):
    """``email`` doesn't belong to an active member of the district, so it can't get results."""

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} is not an active member of this district")
        self.email = email


class MemberState(StrEnum):
    """Whether a member can sign in."""

    ACTIVE = "active"
    INVITED = "invited"
    NOT_ACTIVE = "not active"


@dataclass(frozen=True)
class MemberListItem:
    """A member in the list of the district's staff."""

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
    """Add an active member.

    Args:
        district: The member's district.
        email: The login.
        first_name: First name.
        last_name: Last name.
        role: The name of a role.
        password: The password; a line break at its end is removed.
        schools: School IDs.

    Raises:
        InvalidMember: With every reason.
    """
    draft = MemberDraft(district, email, first_name, last_name, role, tuple(schools))
    known_words = guessable_words(draft.login, draft.first_name, draft.last_name, district.name)
    password_problems = [
        f"password not accepted: {reason}" for reason in policy_violations(password, known_words)
    ]
    return _create(draft, password_problems, normalize_password(password))


def invite(  # noqa: PLR0913 - the fields of a form
    district: District,
    email: str,
    first_name: str,
    last_name: str,
    role: str,
    schools: Iterable[str],
    inviter: Member | None,
    now: datetime,
) -> Member:
    """Add a member without a password, and email them a link to choose one.

    Args:
        district: The member's district.
        email: The login.
        first_name: First name.
        last_name: Last name.
        role: The name of a role.
        schools: School IDs.
        inviter: Who invites the member; None: the operator.
        now: The current time.

    Raises:
        InvalidMember: With every reason.
    """
    draft = MemberDraft(district, email, first_name, last_name, role, tuple(schools), inviter)
    with transaction.atomic():
        _require_below_limit(district, inviter, now)
        member = _create(draft, [], None)
        mails.queue_mail(member, AccountMailKind.INVITATION, now, inviter)
    return member


def add_without_password(
    district: District, email: str, first_name: str, last_name: str, role: str
) -> Member:
    """Add a member who can't sign in before they use a link, and send no email.

    Args:
        district: The member's district.
        email: The login.
        first_name: First name.
        last_name: Last name.
        role: The name of a district-wide role.

    Raises:
        InvalidMember: With every reason.
    """
    return _create(MemberDraft(district, email, first_name, last_name, role, ()), [], None)


def invite_again(member: Member, inviter: Member | None, now: datetime) -> None:
    """Send the invitation again.

    Raises:
        InvalidMember: The member is inactive, has a password, or was invited a moment ago.
    """
    with transaction.atomic():
        # The lock prevents two invitations at the same time.
        current = Member.objects.select_for_update().get(pk=member.pk)
        _require_invited(current)
        if mails.recently_queued(current, AccountMailKind.INVITATION, now):
            raise InvalidMember(
                [f"{current.email} was invited a moment ago; check whether that email arrives"]
            )
        _require_below_limit(current.district, inviter, now)
        mails.queue_mail(current, AccountMailKind.INVITATION, now, inviter)


def _require_below_limit(district: District, inviter: Member | None, now: datetime) -> None:
    """Check that the district may send another invitation today; the operator may."""
    if inviter is None:
        return
    sent = mails.count_invitations(district, now - INVITATION_WINDOW)
    if sent >= district.invitations_per_day:
        raise InvalidMember(
            [
                f"{district.name} has sent {count_of(sent, 'invitation')} in 24 hours, which is "
                "its limit; try again tomorrow, or ask your Rollbook administrator to raise it"
            ]
        )


def invitation_link(member: Member) -> str:
    """Return a new link with which an invited member chooses a password.

    Raises:
        InvalidMember: The member is inactive or has a password.
    """
    _require_invited(member)
    token = emailed_links.make_token(member, AccountMailKind.INVITATION)
    return emailed_links.link_url(token)


def _require_invited(member: Member) -> None:
    if reason := _NO_INVITATION_REASONS.get(state_of(member)):
        raise InvalidMember([f"{member.email} {reason}"])


_NO_INVITATION_REASONS = {
    MemberState.NOT_ACTIVE: "is not active; reactivate them instead",
    MemberState.ACTIVE: "already has a password; they can reset it from the sign-in page",
}


def list_items(found: QuerySet[Member]) -> list[MemberListItem]:
    """Return these members as items of a list, sorted by name."""
    members = (
        found.select_related("district", "role", "second_factor")
        .prefetch_related("schools")
        .annotate(last_seen=Max("knownaddress__last_seen_at"))
    )
    return [
        MemberListItem(
            member,
            sort_schools(member.schools.all()),
            state_of(member),
            _latest(member.last_login, member.last_seen),
        )
        for member in sorted(members, key=_by_name)
    ]


def staff_of_school(school: School) -> list[tuple[Member, int]]:
    """Return the active members of a school by name, each with the number of other schools."""
    here = Member.objects.filter(is_active=True, schools=school).values("pk")
    members = Member.objects.filter(pk__in=here).annotate(count=Count("schools"))
    ordered = members.order_by("last_name", "first_name", "pk")
    return [(member, member.count - 1) for member in ordered]


def working_at(school: School) -> QuerySet[Member]:
    """Return the active members who work at a school or for its whole district, by name."""
    wide = [type_ for type_ in RoleType if type_.is_district_wide]
    active = Member.objects.filter(district=school.district_id, is_active=True)
    here = active.filter(Q(schools=school) | Q(role__type__in=wide)).distinct()
    return here.order_by("last_name", "first_name", "pk")


def visible_to(by: Member) -> QuerySet[Member]:
    """Return the members of the district, or of the member's schools if they have schools.

    Those that retention has erased aren't shown to anyone.
    """
    members = Member.objects.filter(district=by.district_id, erased_at=None)
    if by.role.is_district_wide:
        return members
    return members.filter(pk__in=_member_keys(by.schools.all()))


def find_member(by: Member, key: int) -> Member | None:
    """Return the member with this primary key if visible to ``by``, or None."""
    return visible_to(by).select_related("district", "role", "second_factor").filter(pk=key).first()


def state_of(member: Member) -> MemberState:
    """Return whether the member can sign in."""
    if not member.is_active:
        return MemberState.NOT_ACTIVE
    return MemberState.ACTIVE if member.has_usable_password() else MemberState.INVITED


def result_recipients(district: District) -> list[Member]:
    """Return the active members who get the results of every update."""
    return list(
        Member.objects.filter(district=district, is_active=True, receives_results=True).order_by(
            "email"
        )
    )


def find_active(district: District, emails: Iterable[str]) -> list[Member]:
    """Return the active members of the district with these email addresses, in any case."""
    folded = set(map(fold_login, emails))
    return list(Member.objects.filter(district=district, is_active=True, email__in=folded))


def set_receivers(
    district: District, emails: Iterable[str], by: Member | None = None
) -> list[Member]:
    """Make these members the only ones who get results, notify whom it concerns, and return them.

    Args:
        district: The district.
        emails: The logins of the members.
        by: Who does it; None: the operator.

    Raises:
        UnknownMember: An email doesn't belong to an active member. Nothing is changed.
    """
    with transaction.atomic():
        before = result_recipients(district)
        members = [_active_member(district, email) for email in emails]
        Member.objects.filter(district=district).update(receives_results=False)
        Member.objects.filter(pk__in=[member.pk for member in members]).update(
            receives_results=True
        )
        after = result_recipients(district)
        _report_receivers(district, set(before), set(after), by)
    return after


def _report_receivers(
    district: District, before: set[Member], after: set[Member], by: Member | None
) -> None:
    """Notify the district managers and everyone who now gets result emails, or no longer does."""
    if before == after:
        return
    now = timezone.now()
    added, removed = after - before, before - after
    detail = f"{len(added)} added, {len(removed)} removed"
    notices.notify_managers(Notice.RECIPIENTS_CHANGED, now, district, by=by, detail=detail)
    for member in added:
        notices.notify(Notice.RECIPIENT_CHANGED, now, member, by=by, detail="get them now")
    for member in removed:
        notices.notify(Notice.RECIPIENT_CHANGED, now, member, by=by, detail="no longer get them")


def _create(draft: MemberDraft, password_problems: list[str], password: str | None) -> Member:
    reasons = [*draft.problems(), *password_problems]
    if reasons:
        raise InvalidMember(reasons)
    member = Member(
        district=draft.district,
        password=make_password(password),
        holds_login=password is not None,
    )
    draft.copy_to(member)
    try:
        with transaction.atomic():
            member.save(force_insert=True)
            member.schools.set(draft.found_schools)
            if member.role.type == RoleType.DISTRICT_MANAGER:
                _report_manager(member, draft.by)
    except IntegrityError:
        raise email_already_used(draft.login) from None
    return member


def _report_manager(member: Member, by: Member | None) -> None:
    """Notify the district managers of a new member whose role applies to the whole district."""
    detail = str(member.role)
    notices.notify(Notice.MANAGER_ADDED, timezone.now(), member, by=by, detail=detail)


def _member_keys(schools: QuerySet[School]) -> QuerySet[Any, Any]:
    """Select the primary keys of the members of these schools."""
    return Member.schools.through.objects.filter(school__in=schools).values("member")


def _by_name(member: Member) -> tuple[str, str, str]:
    return member.last_name.casefold(), member.first_name.casefold(), member.email


def _latest(*times: datetime | None) -> datetime | None:
    return max((time for time in times if time), default=None)


def _active_member(district: District, email: str) -> Member:
    member = Member.objects.filter(
        district=district, is_active=True, email=fold_login(email)
    ).first()
    if member is None:
        raise UnknownMember(email)
    return member
