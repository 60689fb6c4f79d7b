"""Who saw a student: the audit events that showed the student's name or data to somebody.

An event names the students it showed by their primary keys only, which are never used again. So
the record stays when a student is erased, and says nothing but the number.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from rollbook.accounts.audit import student_sets
from rollbook.accounts.models import AuditEvent
from rollbook.districts.models import District

EVENTS_PER_QUERY = 500
CONFIDENTIAL_FIELDS = "confidential fields"
"""The action of the event that records who opened confidential fields."""


def who_saw(
    district: District,
    student: int,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[AuditEvent]:
    """Yield the events of a district that showed a student, the latest first, with their members.

    Args:
        district: The district.
        student: The student's primary key; the student may have been erased since.
        since: The earliest time; None: from the first event.
        until: The time before which events are searched; None: until now.
    """
    events = AuditEvent.objects.filter(district=district).exclude(students="")
    if since:
        events = events.filter(at__gte=since)
    if until:
        events = events.filter(at__lt=until)
    sets = events.order_by("-at", "-pk").values_list("pk", "students")
    found = (key for key, text in sets.iterator() if student_sets.contains(text, student))
    while page := list(islice(found, EVENTS_PER_QUERY)):
        by_key = AuditEvent.objects.select_related("member").in_bulk(page)
        yield from (by_key[key] for key in page if key in by_key)
