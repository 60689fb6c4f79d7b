"""The groups of a school: made, named, removed, and who is in them; whoever is in no other is in Default."""

from collections.abc import Callable, Collection

from django.db import IntegrityError, transaction

from rollbook.districts.models import School
from rollbook.studentfile.problems.problem import PROBLEM_CODES, printable_excerpt
from rollbook.studentfile.values.free_text import MAX_GROUP_NAME_LENGTH, SEPARATOR, group_name
from rollbook.studentfile.values.text_checks import InvalidValue, ValueWithWarning
from rollbook.students import snapshots, writer
from rollbook.students.models import DEFAULT_GROUP, Group
from rollbook.students.snapshots import StudentSnapshot, join_list
from rollbook.students.writer import ChangeAuthor, StudentChange
from rollbook.validation import ValidationFailed, name_problems

Wanted = Callable[[set[str]], set[str]]
"""From the names of the groups that a student is in to those that he should be in."""


class InvalidGroup(ValidationFailed):
    """This cannot be a group, or be done with one."""


def is_default(name: str) -> bool:
    """Whether this is the group that each school has, for whoever is in no other."""
    return name.casefold() == DEFAULT_GROUP.casefold()


def create(school: School, name: str) -> Group:
    """A new group without students. Raises GroupRefused."""
    name = _validated_name(name)
    try:
        with transaction.atomic():
            return Group.objects.create(school=school, name=name, name_key=name.casefold())
    except IntegrityError:
        raise _there_already(school, name) from None


def rename(group: Group, name: str, author: ChangeAuthor) -> Group:
    """The group is called so from now on, which is a change to each of its students. Raises GroupRefused."""
    if is_default(group.name):
        raise InvalidGroup(
            [f"{group.name} is the group of whoever is in no other, and stays as it is"]
        )
    name = _validated_name(name)
    try:
        with transaction.atomic():
            writer.rename_group(group, name, author)
    except IntegrityError:
        raise _there_already(group.school, name) from None
    group.name, group.name_key = name, name.casefold()
    return group


def remove(group: Group, author: ChangeAuthor) -> None:
    """There is no such group any more; whoever was in no other is in Default. Raises GroupRefused."""
    if is_default(group.name):
        raise InvalidGroup([f"{group.name} is the group of whoever is in no other, and stays"])
    try:
        with transaction.atomic():
            remove_students(group, list(group.student_set.values_list("pk", flat=True)), author)
            group.delete()
    except IntegrityError:
        raise InvalidGroup([f"students have just come to {group.name}; try again"]) from None


def add_students(group: Group, pks: Collection[int], author: ChangeAuthor) -> int:
    """Students of the group's school are in it from now on, and not in Default any more.

    Returns how many were not yet; students of other schools are left alone.
    """
    return _change_membership(
        group,
        pks,
        author,
        lambda names: {name for name in names if not is_default(name)} | {group.name},
    )


def remove_students(group: Group, pks: Collection[int], author: ChangeAuthor) -> int:
    """Students are not in the group any more; returns how many were."""
    return _change_membership(group, pks, author, lambda names: names - {group.name})


def _change_membership(
    group: Group, pks: Collection[int], author: ChangeAuthor, wanted: Wanted
) -> int:
    """Whoever would be in no group is in Default."""
    with transaction.atomic():
        snapshots.lock_versions(pks)
        known = snapshots.load_with_links(pks).values()
        here = [
            record for record in known if record.values["SCHOOL_ID"] == group.school.organization_id
        ]
        revised = [
            StudentChange(record, {"GROUPS": cell})
            for record in here
            if (cell := _cell(record, wanted))
        ]
        writer.apply_changes(group.school.district_id, revised, author)
    return len(revised)


def _cell(record: StudentSnapshot, wanted: Wanted) -> str:
    """The student's GROUPS as they are wanted, if they are not so yet; else nothing."""
    names = set(record.values["GROUPS"].split(SEPARATOR))
    new = wanted(names) or {DEFAULT_GROUP}
    return "" if new == names else join_list(new)


def _validated_name(name: str) -> str:
    """The name as a file would bring it. Raises GroupRefused."""
    if SEPARATOR in name:
        raise InvalidGroup(
            [f"the name contains {SEPARATOR}, which stands between groups in a student file"]
        )
    if unfit := name_problems("name", name.strip(), MAX_GROUP_NAME_LENGTH):
        raise InvalidGroup(unfit)
    answer = group_name(name.strip())
    if isinstance(answer, InvalidValue):
        kind = PROBLEM_CODES[answer.code]
        raise InvalidGroup(
            [
                f"'{printable_excerpt(name)}' cannot be the name: {kind.title}; {answer.hint or kind.repair}"
            ]
        )
    return answer.value if isinstance(answer, ValueWithWarning) else answer


def _there_already(school: School, name: str) -> InvalidGroup:
    return InvalidGroup([f"{school.name} has a group '{name}' already; choose another name"])
