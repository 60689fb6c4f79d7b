"""Groups by hand: create, rename and remove them, and add and remove students.

Students without another group are in the Default group of their school.
"""

from collections.abc import Callable, Collection

from django.db import IntegrityError, transaction

from rollbook.districts.models import School
from rollbook.studentfile.problems.problem import PROBLEM_CODES, printable_excerpt
from rollbook.studentfile.values.free_text import (
    MAX_GROUP_NAME_LENGTH,
    group_name,
    join_list,
    split_list,
)
from rollbook.studentfile.values.text_checks import InvalidValue, ValueWithWarning
from rollbook.students import snapshots, writer
from rollbook.students.models import DEFAULT_GROUP, Group
from rollbook.students.snapshots import StudentSnapshot
from rollbook.students.writer import ChangeAuthor, StudentChange
from rollbook.validation import ValidationFailed, name_problems

ChangeNames = Callable[[set[str]], set[str]]
"""Takes the names of a student's groups, and returns those that the student should be in."""


class InvalidGroup(ValidationFailed):
    """A group can't be created, renamed or removed as requested."""


def is_default(name: str) -> bool:
    """Return whether this is the name of the group for students without another group."""
    return name.casefold() == DEFAULT_GROUP.casefold()


def create(school: School, name: str) -> Group:
    """Create a group without students.

    Raises:
        InvalidGroup: The name can't be used, or the school has a group with this name.
    """
    name = _validated_name(name)
    try:
        with transaction.atomic():
            return Group.objects.create(school=school, name=name, name_key=name.casefold())
    except IntegrityError:
        raise _name_in_use(school, name) from None


def rename(group: Group, name: str, author: ChangeAuthor) -> Group:
    """Rename a group, which is a change of each of its students.

    Raises:
        InvalidGroup: The name can't be used, the school has a group with this name, or it's the
            Default group.
    """
    _require_not_default(group, "renamed")
    name = _validated_name(name)
    try:
        with transaction.atomic():
            writer.rename_group(group, name, author)
    except IntegrityError:
        raise _name_in_use(group.school, name) from None
    group.name, group.name_key = name, name.casefold()
    return group


def remove(group: Group, author: ChangeAuthor) -> None:
    """Remove a group; its students without another group join the Default group.

    Raises:
        InvalidGroup: It's the Default group, or students were added meanwhile.
    """
    _require_not_default(group, "removed")
    try:
        with transaction.atomic():
            remove_students(group, list(group.student_set.values_list("pk", flat=True)), author)
            group.delete()
    except IntegrityError:
        raise InvalidGroup([f"students were just added to {group.name}; try again"]) from None


def add_students(group: Group, pks: Collection[int], author: ChangeAuthor) -> int:
    """Add students of the group's school to the group, and remove them from the Default group.

    Students of other schools are left unchanged.

    Returns:
        The number of students who were not in the group.
    """

    def with_group(names: set[str]) -> set[str]:
        return {name for name in names if not is_default(name)} | {group.name}

    return _change_membership(group, pks, author, with_group)


def remove_students(group: Group, pks: Collection[int], author: ChangeAuthor) -> int:
    """Remove students from the group.

    Returns:
        The number of students who were in the group.
    """
    return _change_membership(group, pks, author, lambda names: names - {group.name})


def _change_membership(
    group: Group, pks: Collection[int], author: ChangeAuthor, change_names: ChangeNames
) -> int:
    """Change the groups of students of the group's school; return how many students changed."""
    with transaction.atomic():
        snapshots.lock_versions(pks)
        changes = []
        for student in snapshots.load_with_links(pks).values():
            if student.values["SCHOOL_ID"] != group.school.organization_id:
                continue
            cell = _changed_cell(student, change_names)
            if cell:
                changes.append(StudentChange(student, {"GROUPS": cell}))
        writer.apply_changes(group.school.district_id, changes, author)
    return len(changes)


def _changed_cell(student: StudentSnapshot, change_names: ChangeNames) -> str:
    """Return the student's new GROUPS, or an empty string if they don't change."""
    names = set(split_list(student.values["GROUPS"]))
    new = change_names(names) or {DEFAULT_GROUP}
    return "" if new == names else join_list(new)


def _require_not_default(group: Group, action: str) -> None:
    if is_default(group.name):
        raise InvalidGroup(
            [f"{group.name} is for students without another group, so it can't be {action}"]
        )


def _validated_name(name: str) -> str:
    """Return the name as it would be read from a student file.

    Raises:
        InvalidGroup: The name can't be used.
    """
    if problems := name_problems("name", name.strip(), MAX_GROUP_NAME_LENGTH):
        raise InvalidGroup(problems)
    result = group_name(name.strip())
    if isinstance(result, InvalidValue):
        code = PROBLEM_CODES[result.code]
        raise InvalidGroup(
            [
                f"the name can't be '{printable_excerpt(name)}': {code.title}; "
                f"{result.hint or code.fix}"
            ]
        )
    return result.value if isinstance(result, ValueWithWarning) else result


def _name_in_use(school: School, name: str) -> InvalidGroup:
    return InvalidGroup([f"{school.name} already has a group '{name}'; choose another name"])
