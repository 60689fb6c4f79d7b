"""What was done, tried and refused, for those who have to answer for it; never a secret, never a student."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts.models import District

MAX_AGENT_LENGTH = 100
MAX_DETAIL_LENGTH = 200


def record(
    action: str,
    result: str,
    *,
    district: District | None = None,
    member: Member | None = None,
    address: str | None = None,
    agent: str = "",
    detail: str = "",
    now: datetime | None = None,
) -> None:
    """Keep one event. The district is the member's unless another one is named."""
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
        )


def single_line(text: str, longest: int) -> str:
    """Somebody sent this text: nothing in it may break a line or a terminal."""
    return "".join(char for char in text if char.isprintable())[:longest]
