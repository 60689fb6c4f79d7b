"""The groups of a school: made, named, removed, and who is in them; whoever is in no other is in Default."""

from collections.abc import Callable, Collection

from django.db import IntegrityError, transaction

from rollbook.format.problems import KINDS, visible
from rollbook.format.screening import Fault, Noted
from rollbook.format.texts import LONGEST_GROUP_NAME, SEPARATOR, group_name
from rollbook.roster import changing, records
from rollbook.roster.changing import Author, Revision
from rollbook.roster.models import DEFAULT_GROUP, Group, School
from rollbook.roster.reasons import Refused, name_problems
from rollbook.roster.records import Record, listed

Wanted = Callable[[set[str]], set[str]]
"""From the names of the groups that a student is in to those that he should be in."""


class GroupRefused(Refused):
    """This cannot be a group, or be done with one."""


def is_default(name: str) -> bool:
    """Whether this is the group that each school has, for whoever is in no other."""
    return name.casefold() == DEFAULT_GROUP.casefold()


def make(school: School, name: str) -> Group:
    """A new group without students. Raises GroupRefused."""
    name = _acceptable(name)
    try:
        with transaction.atomic():
            return Group.objects.create(school=school, name=name, name_key=name.casefold())
    except IntegrityError:
        raise _there_already(school, name) from None


def rename(group: Group, name: str, author: Author) -> Group:
    """The group is called so from now on, which is a change to each of its students. Raises GroupRefused."""
    if is_default(group.name):
        raise GroupRefused([f"{group.name} is the group of whoever is in no other, and stays as it is"])
    name = _acceptable(name)
    try:
        with transaction.atomic():
            changing.rename_group(group, name, author)
    except IntegrityError:
        raise _there_already(group.school, name) from None
    group.name, group.name_key = name, name.casefold()
    return group


def remove(group: Group, author: Author) -> None:
    """There is no such group any more; whoever was in no other is in Default. Raises GroupRefused."""
    if is_default(group.name):
        raise GroupRefused([f"{group.name} is the group of whoever is in no other, and stays"])
    try:
        with transaction.atomic():
            take_out(group, list(group.student_set.values_list("pk", flat=True)), author)
            group.delete()
    except IntegrityError:
        raise GroupRefused([f"students have just come to {group.name}; try again"]) from None


def put_in(group: Group, pks: Collection[int], author: Author) -> int:
    """Students of the group's school are in it from now on, and not in Default any more.

    Returns how many were not yet; students of other schools are left alone.
    """
    return _regroup(group, pks, author, lambda names: {name for name in names if not is_default(name)} | {group.name})


def take_out(group: Group, pks: Collection[int], author: Author) -> int:
    """Students are not in the group any more; returns how many were."""
    return _regroup(group, pks, author, lambda names: names - {group.name})


def _regroup(group: Group, pks: Collection[int], author: Author, wanted: Wanted) -> int:
    """Whoever would be in no group is in Default."""
    with transaction.atomic():
        records.locked(pks)
        known = records.with_links(pks).values()
        here = [record for record in known if record.values["SCHOOL_ID"] == group.school.organization_id]
        revised = [Revision(record, {"GROUPS": cell}) for record in here if (cell := _cell(record, wanted))]
        changing.revise(group.school.district_id, revised, author)
    return len(revised)


def _cell(record: Record, wanted: Wanted) -> str:
    """The student's GROUPS as they are wanted, if they are not so yet; else nothing."""
    names = set(record.values["GROUPS"].split(SEPARATOR))
    new = wanted(names) or {DEFAULT_GROUP}
    return "" if new == names else listed(new)


def _acceptable(name: str) -> str:
    """The name as a file would bring it. Raises GroupRefused."""
    if SEPARATOR in name:
        raise GroupRefused([f"the name contains {SEPARATOR}, which stands between groups in a student file"])
    if unfit := name_problems("name", name.strip(), LONGEST_GROUP_NAME):
        raise GroupRefused(unfit)
    answer = group_name(name.strip())
    if isinstance(answer, Fault):
        kind = KINDS[answer.code]
        raise GroupRefused([f"'{visible(name)}' cannot be the name: {kind.title}; {answer.hint or kind.repair}"])
    return answer.value if isinstance(answer, Noted) else answer


def _there_already(school: School, name: str) -> GroupRefused:
    return GroupRefused([f"{school.name} has a group '{name}' already; choose another name"])
