"""Changes to members by other members: their data, activation and two-step verification."""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction
from django.dispatch import Signal
from django.utils import timezone

from rollbook.accounts import mails, notices, roles
from rollbook.accounts.auth import api_tokens, second_factor, sessions
from rollbook.accounts.managers import district_managers
from rollbook.accounts.members import members
from rollbook.accounts.members.validation import InvalidMember, MemberDraft, email_already_used
from rollbook.accounts.models import AccountMailKind, Member
from rollbook.accounts.notices import Notice
from rollbook.districts.models import District
from rollbook.text import count_of

membership_changed = Signal()
"""Sent in the transaction that changes the role or the schools of a member.

Its arguments are ``member``; ``is_other_type``, whether the role has another type than before;
``by``, the member who made the change, or None for the operator; and ``now``.
"""

_IS_LAST = "is the last district manager who can sign in; add another one first"


def may_manage(by: Member, member: Member) -> bool:
    """Return whether ``by`` may change the member.

    They must be allowed to assign the member's role, and have all of the member's schools.
    """
    if not roles.may_assign(by, member.role):
        return False
    return by.role.is_district_wide or _schools(member) <= _schools(by)


def change(  # noqa: PLR0913 - the fields of a form, as keywords
    member: Member,
    by: Member | None,
    now: datetime,
    *,
    email: str,
    first_name: str,
    last_name: str,
    role: str,
    schools: Iterable[str],
) -> Member:
    """Change the member, and return it.

    ``by`` is who changes it; None: the operator. ``role`` is a name and ``schools`` are School IDs.
    If the email changes, the member is signed out everywhere and an email is sent to the previous
    address.

    Raises:
        InvalidMember: With every reason. Nothing is changed.
    """
    draft = MemberDraft(member.district, email, first_name, last_name, role, tuple(schools), by)
    with transaction.atomic():
        current = _lock_and_authorize(member, by)
        if reasons := draft.problems():
            raise InvalidMember(reasons)
        old_email, old_role = current.email, current.role
        old_type = old_role.type
        was_last = _is_last_district_manager(current)
        draft.copy_to(current)
        if was_last and not current.role.is_fixed:
            raise InvalidMember([f"{current.name} {_IS_LAST}"])
        _save(current, draft)
        is_other_type = current.role.type != old_type
        membership_changed.send(
            Member,
            member=current,
            old_email=old_email,
            is_other_type=is_other_type,
            by=by,
            now=now,
        )
        if current.email != old_email:
            _sign_out_and_notify(current, old_email, by, now)
            detail = f"{old_email} is now {current.email}"
            notices.notify(Notice.EMAIL_CHANGED, now, current, by=by, detail=detail)
        if current.role != old_role:
            detail = f"{old_role} is now {current.role}"
            notices.notify(Notice.ROLE_CHANGED, now, current, by=by, detail=detail)
    return current


def deactivate(member: Member, by: Member | None) -> None:
    """Deactivate the member unless they are, and end their sessions, links and tokens.

    ``by`` is who does it; None: the operator.

    Raises:
        InvalidMember: ``by`` may not change the member, is the member, or the member is the last
            district manager.
    """
    with transaction.atomic():
        current = _lock_and_authorize(member, by)
        if by and current.pk == by.pk:
            raise InvalidMember(["you can't deactivate yourself; ask another manager"])
        if not current.is_active:  # such as by a form that was submitted twice
            return
        if _is_last_district_manager(current):
            raise InvalidMember([f"{current.name} {_IS_LAST}"])
        now = timezone.now()
        Member.objects.filter(pk=current.pk).update(is_active=False, deactivated_at=now)
        sessions.end_all(current)
        api_tokens.revoke_all(current)
        notices.notify(Notice.DEACTIVATED, now, current, by=by)


def revoke_tokens(member: Member, by: Member | None) -> int:
    """Revoke all tokens of the member, and return how many were active.

    ``by`` is who does it; None: the operator.

    Raises:
        InvalidMember: ``by`` may not change the member.
    """
    with transaction.atomic():
        current = _lock_and_authorize(member, by)
        revoked = api_tokens.revoke_all(current)
        if revoked:
            detail = count_of(revoked, "token")
            now = timezone.now()
            notices.notify(Notice.MEMBER_TOKENS_REVOKED, now, current, by=by, detail=detail)
    return revoked


def reactivate(member: Member, by: Member | None) -> None:
    """Let the member sign in again, with the previous password.

    ``by`` is who does it; None: the operator.

    Raises:
        InvalidMember: ``by`` may not change the member, or retention has erased the member.
    """
    with transaction.atomic():
        current = _lock_and_authorize(member, by)
        if current.erased_at:
            raise InvalidMember([f"{current.name} was erased; invite them again"])
        Member.objects.filter(pk=current.pk).update(is_active=True, deactivated_at=None)
        notices.notify(Notice.REACTIVATED, timezone.now(), current, by=by)


def turn_off_second_factor(member: Member, by: Member | None, now: datetime) -> None:
    """Turn off two-step verification for a member who has lost their app and recovery codes.

    Their sessions end, and they sign in with only their password. ``by`` is who does it; None: the
    operator.

    Raises:
        InvalidMember: ``by`` may not change the member, is the member, or it isn't on.
    """
    with transaction.atomic():
        current = _lock_and_authorize(member, by)
        if by and current.pk == by.pk:
            raise InvalidMember(["turn off your own two-step verification under Your account"])
        if not second_factor.turn_off(current, now, by):
            raise InvalidMember([f"{current.name} doesn't use two-step verification"])
        sessions.end_all(current)
        notices.notify(Notice.SECOND_FACTOR_OFF, now, current, by=by)


def _lock_and_authorize(member: Member, by: Member | None) -> Member:
    """Return the current member if ``by`` may change it; the operator may change every member.

    Locks the district, so that only one change of its staff is made at a time.
    """
    District.objects.select_for_update().get(pk=member.district_id)
    if by is None:
        return Member.objects.select_related("district", "role").get(pk=member.pk)
    current = members.find_member(by, member.pk)
    if current is None or not may_manage(by, current):
        raise InvalidMember([f"you can't change {member.name}; ask a district manager"])
    return current


def _is_last_district_manager(member: Member) -> bool:
    """Return whether no other active member with a password has all permissions."""
    if not (member.is_active and member.role.is_fixed):
        return False
    return not any(other != member for other in district_managers(member.district))


def _save(member: Member, draft: MemberDraft) -> None:
    """Save the member; if someone in another district signs in with the email, this one can't.

    That isn't an error, because it would reveal who has an account elsewhere.
    """
    same_email = Member.objects.filter(email=draft.login).exclude(pk=member.pk)
    if same_email.filter(district=member.district_id).exists():
        raise email_already_used(draft.login)
    has_password = member.has_usable_password()
    for holds_login in (has_password, False):
        member.holds_login = holds_login
        try:
            with transaction.atomic():
                member.save(
                    update_fields=["email", "holds_login", "first_name", "last_name", "role"]
                )
        except IntegrityError:
            continue
        break
    member.schools.set(draft.found_schools)


def _sign_out_and_notify(member: Member, old_email: str, by: Member | None, now: datetime) -> None:
    """End the sessions; email the previous address, or invite a member without a password again."""
    sessions.end_all(member)
    if member.has_usable_password():
        mails.queue_mail(member, AccountMailKind.EMAIL_CHANGED, now, by, to=old_email)
    else:
        mails.queue_mail(member, AccountMailKind.INVITATION, now, by)


def _schools(member: Member) -> set[int]:
    return {school.pk for school in member.schools.all()}
