"""What members do with each other: change one, let one go, take one back."""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from rollbook.accounts import mails, roles
from rollbook.accounts.auth import api_tokens, second_factor, sessions
from rollbook.accounts.members import members
from rollbook.accounts.members.validation import InvalidMember, MemberDraft, email_already_used
from rollbook.accounts.models import AccountMailKind, Member
from rollbook.accounts.permissions import RoleType
from rollbook.districts.models import District

_LAST = "is the last district manager who can sign in; make another one first"


def may_manage(by: Member, member: Member) -> bool:
    """Whether the one may change the other: a role that he may give, and no school that is not his too."""
    if not roles.may_assign(by, member.role):
        return False
    return by.role.is_district_wide or _schools(member) <= _schools(by)


def change(
    member: Member,
    by: Member,
    now: datetime,
    *,
    email: str,
    first_name: str,
    last_name: str,
    role: str,
    schools: Iterable[str],
) -> Member:
    """The member is so from now on. Another e-mail address signs out everywhere, and is told to the one before.

    ``schools`` are organization IDs. Raises MemberRefused with every reason, and then nothing has changed.
    """
    wanted = MemberDraft(by.district, email, first_name, last_name, role, tuple(schools), by)
    with transaction.atomic():
        current = _lock_and_authorize(member, by)
        if reasons := wanted.problems():
            raise InvalidMember(reasons)
        before = current.email
        was_last = _is_last_district_manager(current)
        wanted.copy_to(current)
        if was_last and not current.role.is_fixed:
            raise InvalidMember([f"{current.name} {_LAST}"])
        _keep(current, wanted)
        if current.email != before:
            _tell_of_another_address(current, before, by, now)
    return current


def deactivate(member: Member, by: Member) -> None:
    """The member may not sign in any more; sessions, links and tokens end at once. Raises MemberRefused."""
    with transaction.atomic():
        current = _lock_and_authorize(member, by)
        if current.pk == by.pk:
            raise InvalidMember(["nobody can deactivate themselves; another manager can"])
        if _is_last_district_manager(current):
            raise InvalidMember([f"{current.name} {_LAST}"])
        Member.objects.filter(pk=current.pk).update(is_active=False)
        sessions.end_all(current)
        api_tokens.revoke_all(current)


def reactivate(member: Member, by: Member) -> None:
    """The member may sign in again, with the password there was. Raises MemberRefused."""
    with transaction.atomic():
        current = _lock_and_authorize(member, by)
        Member.objects.filter(pk=current.pk).update(is_active=True)


def switch_off_second_factor(member: Member, by: Member, now: datetime) -> None:
    """Who has lost app and recovery codes signs in with the password alone again, anew everywhere. Raises
    MemberRefused.
    """
    with transaction.atomic():
        current = _lock_and_authorize(member, by)
        if current.pk == by.pk:
            raise InvalidMember(["your own is switched off under Your account, with a code"])
        if not second_factor.switch_off(current, now, by):
            raise InvalidMember([f"{current.name} has no second factor"])
        sessions.end_all(current)


def _lock_and_authorize(member: Member, by: Member) -> Member:
    """The member as it is now, for who may change it; of two that change staff of a district, one waits."""
    District.objects.select_for_update().get(pk=by.district_id)
    current = members.found(by, member.pk)
    if current is None or not may_manage(by, current):
        raise InvalidMember([f"{member.name} is not yours to change; ask a district manager"])
    return current


def _is_last_district_manager(member: Member) -> bool:
    """Whether without the member nobody could do everything any more."""
    if not (member.is_active and member.role.is_fixed):
        return False
    standard = Member.objects.filter(
        district=member.district_id,
        is_active=True,
        role__is_standard=True,
        role__type=RoleType.DISTRICT_MANAGER.value,
    )
    return not any(other.has_usable_password() for other in standard.exclude(pk=member.pk))


def _keep(member: Member, wanted: MemberDraft) -> None:
    try:
        with transaction.atomic():
            member.save(update_fields=["email", "first_name", "last_name", "role"])
            member.schools.set(wanted.found_schools)
    except IntegrityError:
        raise email_already_used(wanted.login) from None


def _tell_of_another_address(member: Member, before: str, by: Member, now: datetime) -> None:
    """Links and sessions of the address before are of no use any more."""
    sessions.end_all(member)
    if member.has_usable_password():
        mails.queue_mail(member, AccountMailKind.EMAIL_CHANGED, now, by, to=before)
    else:
        mails.queue_mail(member, AccountMailKind.INVITATION, now, by)


def _schools(member: Member) -> set[int]:
    return {school.pk for school in member.schools.all()}
