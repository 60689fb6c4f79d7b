"""Let plans wait for the end of quiet hours, and follow when these are changed."""

from datetime import datetime

from django.db import transaction

from rollbook.districts import quiet_hours
from rollbook.districts.models import District
from rollbook.updates import runner
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import State


def reschedule(district: District, now: datetime) -> int:
    """Let the plans that wait for the end of quiet hours follow the present ones.

    Returns:
        The number of plans that wait for another moment now.
    """
    apply_at = quiet_hours.of_district(district).end_after(now) or now
    with transaction.atomic():
        waiting = UpdateJob.objects.filter(
            district=district, state=State.SCHEDULED, decided_at=None
        ).exclude(apply_at=apply_at)
        keys = list(waiting.values_list("pk", flat=True))
        changed = waiting.filter(pk__in=keys).update(apply_at=apply_at)
        for key in keys:
            runner.notify_engine(key)
    return changed
