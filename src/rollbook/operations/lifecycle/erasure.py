"""Erase one student: the record, its history, and what updates and files say about it.

The uploaded files that contain the student can't be edited. They are removed as a whole, or kept
until retention removes them; then the certificate names them. A later file that names the student
adds a new one, because nothing is kept by which the student could be recognized.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from rollbook.db import bulk
from rollbook.districts.local_dates import local_date
from rollbook.districts.models import District
from rollbook.operations.lifecycle import certificates, mentions
from rollbook.operations.lifecycle import destruction as engine
from rollbook.operations.lifecycle.destruction import Removed
from rollbook.operations.lifecycle.mentions import Mentions
from rollbook.operations.lifecycle.suspension import NotPossible
from rollbook.operations.models import Destruction
from rollbook.students import absences, touched
from rollbook.students.models import Change, Student, Transfer
from rollbook.text import name_updates
from rollbook.updates.manifest import manifest
from rollbook.updates.models import Draft, Problem, StagedRow, UpdateJob
from rollbook.updates.receiving import drafts, file_chunks
from rollbook.updates.receiving import files as spool
from rollbook.updates.state_machine import UNFINISHED


class _Outdated(Exception):
    """An update was created after the mentions were read; they have to be read again."""


def start(student: Student, now: datetime, *, removes_files: bool) -> Destruction:
    """Begin to erase a student, or return the erasure that has begun.

    Args:
        student: The student.
        now: The present time.
        removes_files: Whether stored files that contain the student are removed, too.

    Raises:
        NotPossible: An update of the district is unfinished.
    """
    with transaction.atomic():
        district = District.objects.select_for_update(no_key=True).get(pk=student.district_id)
        begun = engine.unfinished().filter(student_key=student.pk).first()
        if begun:
            return begun
        _refuse_unfinished_updates(district.pk)
        return engine.create(
            Destruction(
                district_key=district.pk,
                district_slug=district.slug,
                district_name=district.name,
                student_key=student.pk,
                subject_digest=certificates.subject_digest(student.student_id or student.username),
                removes_files=removes_files,
                started_at=now,
            )
        )


def run(destruction: Destruction, watch: Callable[[int], None]) -> Destruction:
    """Erase the student; return the finished erasure.

    Args:
        destruction: The erasure that has begun.
        watch: Called after each step with the number of rows and files removed so far.

    Raises:
        NotPossible: An update of the district is unfinished.
    """
    while True:
        student = _student(destruction)
        found = mentions.find(student) if student else Mentions(None)
        try:
            return engine.run(destruction, partial(_remove_batch, found), watch)
        except _Outdated:
            continue


def _remove_batch(found: Mentions, destruction: Destruction) -> Removed:
    """Remove one file that contains the student, or everything else if there is none left."""
    student = _student(destruction)
    if student is None:
        return Counter()
    # No update can be created or started until the transaction ends.
    district = District.objects.select_for_update(no_key=True).get(pk=student.district_id)
    _refuse_unfinished_updates(district.pk)
    if mentions.newest_update(district.pk) != found.newest_update:
        raise _Outdated
    if destruction.removes_files and (removed := _remove_file(found)):
        return removed
    destruction.remaining = _remaining_files(district, found)
    destruction.save(update_fields=["remaining"])
    return _remove_details(found) + remove_records([student.pk])


def _student(destruction: Destruction) -> Student | None:
    """Return the student; None once the record is removed."""
    return Student.objects.filter(pk=destruction.student_key or 0).first()


def _refuse_unfinished_updates(district: int) -> None:
    unfinished = UpdateJob.objects.filter(district=district, state__in=UNFINISHED)
    numbers = list(unfinished.order_by("number").values_list("number", flat=True))
    if numbers:
        raise NotPossible(
            f"{name_updates(numbers)} of the district could contain the student; wait until "
            "no update is queued or running, or cancel it, then run the command again"
        )


def _remove_file(found: Mentions) -> Removed:
    """Remove a stored file; before the row, so that after a kill in between it is repeated."""
    stored = UpdateJob.objects.filter(pk__in=found.updates, file_removed_at=None)
    update = stored.order_by("number").first()
    if update:
        spool.remove([update.spool_name])
        file_chunks.remove([update.spool_name])
        UpdateJob.objects.filter(pk=update.pk).update(
            file_removed_at=timezone.now(), file_digest="", spool_digest=""
        )
        return Counter(files=1)
    draft = Draft.objects.filter(pk__in=found.drafts, update=None).first()
    if draft:
        spool.remove([draft.spool_name])
        file_chunks.remove([draft.spool_name])
        draft.delete()
        return Counter(drafts=1, files=1)
    return Counter()


def _remaining_files(district: District, found: Mentions) -> list[str]:
    """Return a line for each file that contains the student and is kept for now."""
    updates = UpdateJob.objects.filter(pk__in=found.updates, file_removed_at=None)
    kept = timedelta(days=district.files_kept_days)
    lines = []
    for update in updates.order_by("number"):
        day = local_date(district, (update.ended_at or update.received_at) + kept)
        lines.append(f"the uploaded file of update {update.number}, until {day}")
    for draft in Draft.objects.filter(pk__in=found.drafts, update=None).order_by("created_at"):
        day = local_date(district, draft.created_at + drafts.LIFETIME)
        lines.append(f"a file that was uploaded but not applied, until {day}")
    return lines


def _remove_details(found: Mentions) -> Removed:
    """Remove rows and problems of the student; of other rows, remove the texts that quote it."""
    Problem.objects.filter(pk__in=found.quotes).update(found="", hint="", sealed=None)
    return Counter(
        rows=bulk.delete(StagedRow, "id", found.rows),
        problems=bulk.delete(Problem, "id", found.problems),
    )


def remove_records(keys: list[int]) -> Removed:
    """Remove students of one district with their links and history, in the caller's transaction."""
    manifest.forget(keys)
    absences.remove(keys)
    removed = Counter(
        links=bulk.delete(Student.groups.through, "student_id", keys)
        + bulk.delete(Student.staff.through, "student_id", keys),
        transfers=bulk.delete(Transfer.students.through, "student_id", keys),
        history=bulk.delete(Change, "student_id", keys),
        students=bulk.delete(Student, "id", keys),
    )
    touched.remove(keys)
    return removed
