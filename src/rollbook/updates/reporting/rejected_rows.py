"""Find the rejected rows that are about a student, however the row names the student."""

from collections.abc import Sequence

from django.db.models import Q

from rollbook.students.models import Student
from rollbook.updates.leftovers import KeyDigests
from rollbook.updates.models import StagedRow, UpdateJob

LATEST_UPDATES = 30


def rejected_rows_about(student: Student) -> list[StagedRow]:
    """Return the rejected rows of files about a student in the latest updates, the latest first.

    A row is about the student if it was matched with the student, or if it has the student's ID,
    with or without its leading zeros, or username, or no ID but the name and date of birth. Once an
    update has ended, only digests of the keys are kept.
    """
    updates = UpdateJob.objects.filter(district=student.district_id, details_hidden_at=None)
    updates = updates.filter(undoes=None)
    latest = list(updates.order_by("-number").values_list("pk", flat=True)[:LATEST_UPDATES])
    rejected = StagedRow.objects.rejected().filter(update__in=latest)
    keys: set[int] = set()
    for condition in _conditions(student):  # each has an index of its own
        keys.update(rejected.filter(condition).values_list("pk", flat=True))
    found = StagedRow.objects.filter(pk__in=keys).select_related("update")
    return list(found.order_by("-update__number", "line"))


def _conditions(student: Student) -> Sequence[Q]:
    student_ids, usernames = {student.student_id or ""}, {student.username}
    student_ids.add((student.student_id or "").lstrip("0"))
    student_ids.discard("")
    if digests := KeyDigests.of_district(student.district_id):
        student_ids |= set(map(digests.compute, student_ids))
        usernames |= set(map(digests.compute, usernames))
    unmatched = Q(student=None)
    return (
        Q(student=student),
        unmatched & Q(claims_student_id__in=student_ids),
        unmatched & Q(claims_username__in=usernames),
        unmatched & Q(claims_loose_key=student.loose_key, claims_student_id=None),
    )
