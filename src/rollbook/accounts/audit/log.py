"""The audit log: what was done, failed or was refused, and which students were shown.

It contains no secrets, and no data of students but their primary keys.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from rollbook.accounts.audit import student_sets
from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts.models import District

MAX_AGENT_LENGTH = 100
MAX_DETAIL_LENGTH = 200


def record(  # noqa: PLR0913 - all but two are optional keywords
    action: str,
    result: str,
    *,
    district: District | None = None,
    member: Member | None = None,
    address: str | None = None,
    agent: str = "",
    detail: str = "",
    students: Iterable[int] = (),
    now: datetime | None = None,
) -> None:
    """Record an event.

    Args:
        action: What was done, such as ``sign in``.
        result: How it ended, such as ``ok`` or ``failed``.
        district: The district it belongs to; None: the member's.
        member: Who did it; None: unknown, or nobody.
        address: The client's IP address.
        agent: The User-Agent; shortened to one line.
        detail: What it was done to; shortened to one line.
        students: The primary keys of the students whose names, IDs or data it shows. The event is
            committed before anything is shown.
        now: When it happened; None: now.
    """
    with transaction.atomic():
        AuditEvent.objects.create(
            at=now or timezone.now(),
            district=district or (member.district if member else None),
            member=member,
            action=action,
            result=result,
            address=address,
            agent=single_line(agent, MAX_AGENT_LENGTH),
            detail=single_line(detail, MAX_DETAIL_LENGTH),
            students=student_sets.encode(students),
        )


def single_line(text: str, max_length: int) -> str:
    """Return text from a client truncated and without line breaks and control characters."""
    return "".join(char for char in text if char.isprintable())[:max_length]
