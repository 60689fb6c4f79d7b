"""Delete a district with all its rows, files and emails.

The keys of the district are destroyed first: from then on nobody can read its uploaded files, not
even copies on other machines. Rows are deleted in the order in which they refer to each other.
"""

from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from rollbook.accounts import district_keys
from rollbook.accounts.audit import seals
from rollbook.accounts.district_keys import KeyPurpose
from rollbook.accounts.models import (
    AccountMail,
    AuditEvent,
    DistrictKey,
    KnownAddress,
    Member,
    RecoveryCode,
    Role,
    SecondFactor,
    Session,
    Token,
)
from rollbook.db import bulk
from rollbook.districts.models import (
    District,
    FileSchedule,
    MissedFile,
    SchedulePause,
    School,
)
from rollbook.districts.suspension import BEING_DELETED
from rollbook.operations.lifecycle import destruction as engine
from rollbook.operations.lifecycle.destruction import Removed
from rollbook.operations.models import Destruction, DistrictExport
from rollbook.operations.saved_emails import remove_saved_emails
from rollbook.students import absences, touched
from rollbook.students.models import Change, Group, Student, TouchedStudent, Transfer
from rollbook.updates import transitions
from rollbook.updates.models import (
    AddedStudents,
    CheckedRange,
    ColumnMapping,
    Draft,
    Expectation,
    FileLots,
    LimitSet,
    Manifest,
    MissingStudents,
    Problem,
    ResultMail,
    RowDependency,
    StagedRow,
    UpdateEvent,
    UpdateJob,
)
from rollbook.updates.receiving import file_chunks
from rollbook.updates.receiving import files as spool
from rollbook.updates.state_machine import CANCELED, UNFINISHED, State

STUDENTS_PER_BATCH = 200  # with their history, which takes most of the time
ROWS_PER_BATCH = 2000
MEMBERS_PER_BATCH = 50
SMALL_BATCH = 100

_DETAILS: tuple[tuple[type[Model], str, str], ...] = (
    (StagedRow, "line", "rows"),
    (Problem, "line", "problems"),
    (RowDependency, "blocked_by_line", "rows"),
)
"""The tables of an update's details: the column after the update in their index, and what they
count as."""

_CREDENTIALS: tuple[type[Model], ...] = (Session, Token, KnownAddress, SecondFactor)


def start(district: District, now: datetime, export: DistrictExport | None) -> Destruction:
    """Begin to delete a district, or return the deletion that has begun.

    From now on nobody in the district can sign in or upload, and its updates are canceled: an
    update in progress changes no more students.

    Args:
        district: The district.
        now: The present time.
        export: The export that was verified; None: it is deleted without one.
    """
    with transaction.atomic():
        locked = District.objects.select_for_update(no_key=True).get(pk=district.pk)
        if begun := find(locked):
            return begun
        locked.suspended_at = locked.suspended_at or now
        locked.deleting_at, locked.suspension_reason = now, BEING_DELETED
        locked.save(update_fields=["suspended_at", "deleting_at", "suspension_reason"])
        unfinished = UpdateJob.objects.filter(district=locked, state__in=UNFINISHED)
        for key in list(unfinished.values_list("pk", flat=True)):
            is_canceled = transitions.transition(key, State.CANCELED)
            if not is_canceled:  # its plan waits
                transitions.transition(key, State.DISCARDED, discard_reason=CANCELED)
        return engine.create(
            Destruction(
                district_key=locked.pk,
                district_slug=locked.slug,
                district_name=locked.name,
                export_digest=export.digest if export else "",
                started_at=now,
            )
        )


def find(district: District) -> Destruction | None:
    """Return the unfinished deletion of the district, if there is one."""
    return engine.unfinished().filter(district_key=district.pk, student_key=None).first()


def remove_batch(destruction: Destruction) -> Removed:
    """Remove a batch of what is left of a district, in the caller's transaction."""
    for step in STEPS:
        if removed := step(destruction.district_key):
            return removed
    return Counter()


def broken_seals(district: District) -> list[int]:
    """Return the numbers of the seals with events of the district that don't match.

    Once the district is deleted, nobody can find out what was tampered with.
    """
    numbers = _seal_numbers(district.pk)
    return [number for number in numbers if seals.load_valid_seal(number) is None]


def count_rows(district: District) -> dict[str, int]:
    """Return what deleting the district would remove: kind to count."""
    own = {"district": district}
    of_updates = {"update__district": district}
    of_members = {"member__district": district}
    kept_files = UpdateJob.objects.filter(**own, file_removed_at=None).count()
    draft_files = Draft.objects.filter(**own, update=None).count()
    return {
        "students": Student.objects.filter(**own).count(),
        "history": Change.objects.filter(student__district=district).count(),
        "updates": UpdateJob.objects.filter(**own).count(),
        "rows": StagedRow.objects.filter(**of_updates).count(),
        "problems": Problem.objects.filter(**of_updates).count(),
        "files": kept_files + draft_files,
        "emails": ResultMail.objects.filter(**of_updates).count()
        + AccountMail.objects.filter(**of_members).count(),
        "staff": Member.objects.filter(**own).count(),
        "keys": DistrictKey.objects.filter(**own).count(),
        "audit events": AuditEvent.objects.filter(**own).count(),
        "groups": Group.objects.filter(school__district=district).count(),
        "schools": School.objects.filter(**own).count(),
    }


def _destroy_keys(district: int) -> Removed:
    return _counted(keys=district_keys.destroy(district, *KeyPurpose))


def _remove_drafts(district: int) -> Removed:
    drafts = list(Draft.objects.filter(district=district)[:SMALL_BATCH])
    unused = [draft.spool_name for draft in drafts if draft.update_id is None]
    _remove_files(unused)
    Draft.objects.filter(pk__in=[draft.pk for draft in drafts]).delete()
    return _counted(drafts=len(drafts), files=len(unused))


def _remove_transfers(district: int) -> Removed:
    keys = _keys(Transfer.objects.filter(district=district), SMALL_BATCH)
    bulk.delete(Transfer.students.through, "transfer_id", keys)
    return _counted(transfers=bulk.delete(Transfer, "id", keys))


def _remove_students(district: int) -> Removed:
    students = Student.objects.filter(district=district).order_by("student_id")
    keys = _keys(students, STUDENTS_PER_BATCH)
    absences.remove(keys)
    removed = _counted(
        links=bulk.delete(Student.groups.through, "student_id", keys)
        + bulk.delete(Student.staff.through, "student_id", keys),
        history=bulk.delete(Change, "student_id", keys),
        students=bulk.delete(Student, "id", keys),
    )
    touched.remove(keys)
    return removed


def _remove_update(district: int) -> Removed:
    """Remove details of the newest update, or the update itself if it has none left.

    Updates that correct another one are newer than that; one that replaced another is only named
    there.
    """
    update = UpdateJob.objects.filter(district=district).order_by("-number").first()
    if update is None:
        return Counter()
    for model, column, kind in _DETAILS:
        # mypy knows no manager of a table that isn't named.
        keys = _keys(QuerySet[Any](model).filter(update=update).order_by(column), ROWS_PER_BATCH)
        if keys:
            return _counted(**{kind: bulk.delete(model, "id", keys)})
    is_file_kept = update.file_removed_at is None
    _remove_files([update.spool_name])
    emails = bulk.delete(ResultMail, "update_id", [update.pk])
    bulk.delete(UpdateEvent, "update_id", [update.pk])
    UpdateJob.objects.filter(district=district, replaced_by=update).update(replaced_by=None)
    for model in (
        Manifest,
        FileLots,
        CheckedRange,
        AddedStudents,
        MissingStudents,
    ):  # internal numbers
        bulk.delete(model, "update_id", [update.pk])
    return _counted(
        emails=emails,
        files=int(is_file_kept),
        updates=bulk.delete(UpdateJob, "id", [update.pk]),
    )


def _remove_expectations(district: int) -> Removed:
    """Remove what was expected, which names updates; these rows aren't counted."""
    bulk.delete(Expectation, "district_id", [district])
    return Counter()


def _remove_limits(district: int) -> Removed:
    """Remove the versions of limits, which updates name; these rows aren't counted."""
    bulk.delete(LimitSet, "district_id", [district])
    return Counter()


def _remove_mappings(district: int) -> Removed:
    """Remove the versions of column mappings, which files name; these rows aren't counted."""
    bulk.delete(ColumnMapping, "district_id", [district])
    return Counter()


def _remove_saved_emails(district: int) -> Removed:
    """Remove emails that were saved as files because no mail server was configured.

    They aren't counted, because each is an email that is counted as a row.
    """
    members = Member.objects.filter(district=district)
    remove_saved_emails(set(members.values_list("email", flat=True)))
    return Counter()


def _remove_audit_events(district: int) -> Removed:
    """Remove audit events from under the seals of the district's oldest events.

    A seal that doesn't match never will again.
    """
    seals.lock()
    while AuditEvent.objects.filter(district=district, seal=None).exists():
        seals.seal_pending(timezone.now())
    removed = 0
    for number in _seal_numbers(district):
        events = AuditEvent.objects.filter(seal=number, district=district)
        keys = set(events.values_list("pk", flat=True))
        sealed = seals.load_valid_seal(number)
        if sealed:
            seals.remove_events(sealed, keys)
        else:
            seals.remove_events_of_broken_seal(number, keys)
        removed += len(keys)
        if removed >= ROWS_PER_BATCH:
            break
    return _counted(**{"audit events": removed})


def _seal_numbers(district: int) -> list[int]:
    events = AuditEvent.objects.filter(district=district, seal__isnull=False)
    return list(events.order_by("seal").values_list("seal_id", flat=True).distinct())


def _remove_members(district: int) -> Removed:
    keys = _keys(Member.objects.filter(district=district), MEMBERS_PER_BATCH)
    return remove_account_data(keys) + _counted(staff=bulk.delete(Member, "id", keys))


def remove_account_data(keys: list[int]) -> Removed:
    """Remove what members sign in with, their emails and schools; at most ``MEMBERS_PER_BATCH``."""
    factors = _keys(SecondFactor.objects.filter(member__in=keys), MEMBERS_PER_BATCH)
    bulk.delete(RecoveryCode, "second_factor_id", factors)
    emails = AccountMail.objects.filter(Q(member__in=keys) | Q(actor__in=keys))
    credentials = [bulk.delete(model, "member_id", keys) for model in _CREDENTIALS]
    bulk.delete(Member.schools.through, "member_id", keys)
    return _counted(
        emails=bulk.delete(AccountMail, "id", list(emails.values_list("pk", flat=True))),
        credentials=sum(credentials),
    )


def _remove_roles(district: int) -> Removed:
    keys = _keys(Role.objects.filter(district=district), ROWS_PER_BATCH)
    return _counted(roles=bulk.delete(Role, "id", keys))


def _remove_groups(district: int) -> Removed:
    keys = _keys(Group.objects.filter(school__district=district), ROWS_PER_BATCH)
    return _counted(groups=bulk.delete(Group, "id", keys))


def _remove_schedule(district: int) -> Removed:
    """Remove when files are expected; these rows aren't counted."""
    for model in (FileSchedule, SchedulePause, MissedFile):
        bulk.delete(model, "district_id", [district])
    return Counter()


def _remove_schools(district: int) -> Removed:
    keys = _keys(School.objects.filter(district=district), ROWS_PER_BATCH)
    return _counted(schools=bulk.delete(School, "id", keys))


def _remove_district(district: int) -> Removed:
    bulk.delete(DistrictExport, "district_id", [district])
    bulk.delete(TouchedStudent, "district_id", [district])
    return _counted(districts=bulk.delete(District, "id", [district]))


STEPS: tuple[Callable[[int], Removed], ...] = (
    _destroy_keys,
    _remove_drafts,
    _remove_transfers,
    _remove_students,
    _remove_expectations,
    _remove_update,
    _remove_limits,
    _remove_mappings,
    _remove_saved_emails,
    _remove_audit_events,
    _remove_members,
    _remove_roles,
    _remove_groups,
    _remove_schedule,
    _remove_schools,
    _remove_district,
)
"""Each removes a batch of a district with this primary key; the first that finds any is enough."""


def _keys(rows: "QuerySet[Any]", size: int) -> list[int]:
    return list(rows.values_list("pk", flat=True)[:size])


def _counted(**counts: int) -> Removed:
    """Return the counts that aren't 0."""
    return +Counter(counts)


def _remove_files(names: Collection[str]) -> None:
    """Remove files before the rows that refer to them: after a kill in between, that is repeated.

    On PostgreSQL, other machines may have copies; each machine removes its own within a day.
    """
    spool.remove(names)
    file_chunks.remove(names)
