"""Erase staff members without access, by the setting of their district.

They were deactivated, or invited without ever accepting, long ago. The row stays, because the
history of students, updates and the audit refer to it, with the name "Former staff member 12" and
without an email. What they signed in with, their emails and their links to students are removed.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from rollbook.accounts.audit.retention import YEAR
from rollbook.accounts.models import AccountMail, AccountMailKind, Member
from rollbook.accounts.retention_guard import Due
from rollbook.db import bulk
from rollbook.districts.models import District
from rollbook.operations.lifecycle import deletion
from rollbook.operations.lifecycle.destruction import Removed
from rollbook.operations.models import Destruction
from rollbook.operations.retention import erasing
from rollbook.operations.saved_emails import remove_saved_emails
from rollbook.students.models import Student
from rollbook.updates.models import ResultMail

PERSONS = "staff"


def remove_expired(district: District, now: datetime) -> int:
    """Erase a batch of former staff members; return how many."""
    expired = _expired(district, now)
    return erasing.erase_batch(district, expired, partial(_erase, now=now))


def count_due(districts: Iterable[District], now: datetime) -> Due:
    """Count the staff members who have had no access for long enough."""
    due = sum(_expired(district, now).count() for district in districts)
    return Due(due, Member.objects.filter(erased_at=None).count())


def _expired(district: District, now: datetime) -> "QuerySet[Member]":
    if not district.staff_kept_days:
        return Member.objects.none()
    limit = now - timedelta(days=district.staff_kept_days)
    invitations = AccountMail.objects.filter(
        member=OuterRef("pk"), kind=AccountMailKind.INVITATION, queued_at__gte=limit
    )
    never_accepted = Q(password__startswith=UNUSABLE_PASSWORD_PREFIX) & ~Exists(invitations)
    members = Member.objects.alias(since=Coalesce("deactivated_at", "added_at"))
    return members.filter(
        Q(is_active=False) | never_accepted,
        Q(last_login=None) | Q(last_login__lt=limit),
        district=district,
        erased_at=None,
        since__lt=limit,
    )


def _erase(district: District, *, now: datetime) -> Destruction | None:
    # Locked, so that nobody is reactivated or accepts an invitation meanwhile.
    expired = _expired(district, now).order_by("pk").select_for_update()
    keys = list(expired.values_list("pk", flat=True)[: deletion.MEMBERS_PER_BATCH])
    if not keys:
        return None
    remove_saved_emails(_addresses(keys))
    removed = deletion.remove_account_data(keys) + _remove_links(keys)
    for key in keys:
        _anonymize(key, now)
    removed["staff"] = len(keys)
    return erasing.certify(district, PERSONS, keys, removed, _remaining(district, now), now)


def _addresses(keys: list[int]) -> set[str]:
    """Return the emails of members, also previous ones that are stored."""
    current = Member.objects.filter(pk__in=keys).values_list("email", flat=True)
    mails = AccountMail.objects.filter(member__in=keys).exclude(to_address="")
    return {*current, *mails.values_list("to_address", flat=True)}


def _remove_links(keys: list[int]) -> Removed:
    ResultMail.objects.filter(member__in=keys).update(last_error="")  # can quote the address
    return Counter(links=bulk.delete(Student.staff.through, "member_id", keys))


def _anonymize(key: int, now: datetime) -> None:
    Member.objects.filter(pk=key).update(
        email=f"erased-{key}",
        holds_login=False,
        first_name="Former",
        last_name=f"staff member {key}",
        password=make_password(None),
        last_login=None,
        is_active=False,
        deactivated_at=Coalesce(F("deactivated_at"), now),
        erased_at=now,
        receives_results=False,
    )


def _remaining(district: District, now: datetime) -> list[str]:
    """Return a line for each place that can still name them, with its last day."""
    history = erasing.until(district, now, district.history_kept_days)
    audit = erasing.until(district, now, district.audit_kept_years * YEAR.days)
    return [
        f"changes of students' staff in the history, with emails, until {history}",
        f"audit events of administrators' commands, with emails, until {audit}",
    ]
