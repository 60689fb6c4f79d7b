"""Count the missing students of an update, in the transaction that completes it.

Dry runs, and plans that are held or discarded, count nothing until they complete. What an older
file says is ignored where a newer one has counted.
"""

from array import array

from rollbook.districts.local_dates import local_date
from rollbook.students import absences
from rollbook.students.absences import NewCount
from rollbook.updates.absences import named
from rollbook.updates.absences.figures import MAX_REJECTED_PERCENT, Figures
from rollbook.updates.manifest import ranges
from rollbook.updates.models import MissingStudents, UpdateJob


def students_named_again(update: UpdateJob) -> list[int]:
    """Return the missing students of the district whom an update names, before it completes.

    Files in every mode name students.
    """
    before = absences.counted(update.district_id)
    older = {student for student, each in before.items() if each.number < update.number}
    if not older:
        return []
    figures = Figures.from_json(update.absences) if update.absences else None
    if figures and not (figures.not_counted or figures.schools):  # so it has the others
        stored = MissingStudents.objects.get(update=update)
        return sorted(older.difference(array("q", bytes(stored.student_ids))))
    present = older.intersection(ranges.students_of(update))
    rejected = named.rejected_without_student(update)
    if rejected and 100 * len(rejected) <= MAX_REJECTED_PERCENT * update.rows:
        present |= older & named.students_named(update, rejected)
    return sorted(present)


def count(update: UpdateJob, named_again: list[int]) -> None:
    """Count who is missing, and forget the absences of those who aren't.

    Args:
        update: The update.
        named_again: As returned by ``students_named_again``.
    """
    absences.remove(named_again)
    if not update.absences:  # only a file in full sync has any
        return
    stored = MissingStudents.objects.get(update=update)
    students = array("q", bytes(stored.student_ids))
    before, active = absences.counted(update.district_id), absences.active(students)
    today = local_date(update.district, update.received_at)
    new: list[NewCount] = []
    for student in students:
        counted = before.get(student)
        if student not in active or (counted and counted.number >= update.number):
            continue
        if counted is None:
            new.append(NewCount(student, today, 1))
            continue
        is_new_day = local_date(update.district, counted.received_at) < today
        new.append(NewCount(student, counted.since, counted.files + int(is_new_day)))
    absences.write(update.district_id, update.pk, new)
