"""List, create, rename and delete groups, and add and remove their students.

A group contains students of one school. District and school managers see the groups of their
schools; instructors see the groups of their students.
"""

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import resolve_url

from rollbook.accounts.permissions import Permission
from rollbook.pagination import get_page, get_query_page
from rollbook.students import recognition, visibility
from rollbook.students.manual import edits_by_member, groups
from rollbook.students.manual.groups import InvalidGroup
from rollbook.students.models import Group, Student
from rollbook.text import count_of
from rollbook.web.pages.base.page_number import page_number
from rollbook.web.pages.base.questions import Question, ask
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.groups.forms import AddStudents, GroupName, NewGroup

PAGE_SIZE = 50
MAX_KEY_DIGITS = 18


@member_page(Permission.SEE_STUDENTS)
def index(page_request: PageRequest) -> HttpResponse:
    """Render the groups, each with the number of its students that the member sees."""
    visible = Q(student__in=visibility.visible_students(page_request.member))
    active = Count("student", filter=visible & Q(student__status="active"))
    inactive = Count("student", filter=visible & Q(student__status="inactive"))
    query = visibility.groups(page_request.member)
    counted = query.annotate(active=active, inactive=inactive)
    page = get_page(
        query.count(),
        page_number(page_request),
        PAGE_SIZE,
        lambda first, last: list(counted[first:last]),
    )
    page_request.audit("groups", "seen", f"page {page.number}")
    context = {"groups": page, "may_manage": page_request.may(Permission.MANAGE_GROUPS)}
    return page_request.render("groups/index.html", context)


@member_page(Permission.MANAGE_GROUPS, methods=FORM)
def new(page_request: PageRequest) -> HttpResponse:
    """Render the form for a new group, and create it."""
    schools = visibility.schools(page_request.member)
    form = NewGroup(schools, page_request.form_data)
    if form.is_valid():
        school = schools.get(organization_id=form.cleaned_data["school"])
        with form.collect_reasons("name"):
            group = groups.create(school, form.cleaned_data["name"])
            page_request.audit("add group", "ok", f"group {group.pk}")
            page_request.success(f"{group.name} added at {group.school.name}.")
            return page_request.redirect("group", group.pk)
    return page_request.render_form("groups/new.html", form)


@member_page(Permission.SEE_STUDENTS)
def detail(page_request: PageRequest, key: int) -> HttpResponse:
    """Render a group with its students."""
    group = _group(page_request, key, "group")
    return _render(page_request, group)


@member_page(Permission.MANAGE_GROUPS, methods=POST)
def rename(page_request: PageRequest, key: int) -> HttpResponse:
    """Rename a group."""
    group = _group(page_request, key, "rename group")
    old_name = group.name
    form = GroupName(page_request.form_data)
    if form.is_valid():
        author = edits_by_member.author(page_request.member, page_request.now)
        with form.collect_reasons("name"):
            groups.rename(group, form.cleaned_data["name"], author)
            page_request.audit("rename group", "ok", f"group {key}")
            page_request.success(f"{old_name} renamed to {group.name}.")
            return page_request.redirect("group", key)
    return _render(page_request, group, {"naming": form})


@member_page(Permission.MANAGE_GROUPS, methods=POST)
def remove(page_request: PageRequest, key: int) -> HttpResponse:
    """Delete a group; students who are in no other group move to Default."""
    group = _group(page_request, key, "remove group")
    if page := ask(page_request, _before_removal(group)):
        return page
    try:
        groups.remove(group, edits_by_member.author(page_request.member, page_request.now))
    except InvalidGroup as invalid:
        page_request.error(f"{group.name} was not deleted: {invalid}.")
        return page_request.redirect("group", key)
    page_request.audit("remove group", "ok", f"group {key}")
    page_request.success(
        f"{group.name} deleted. Students who were in no other group are now in Default."
    )
    return page_request.redirect("groups")


@member_page(Permission.MANAGE_GROUPS, methods=POST)
def add_students(page_request: PageRequest, key: int) -> HttpResponse:
    """Add students by student ID or username; if one is unknown, none is added."""
    group = _group(page_request, key, "put in group")
    form = AddStudents(_students_of_school(page_request, group), page_request.form_data)
    if not form.is_valid():
        return _render(page_request, group, {"joining": form})
    author = edits_by_member.author(page_request.member, page_request.now)
    added = groups.add_students(group, form.cleaned_data["students"], author)
    page_request.audit("put in group", "ok", f"group {key}: {added}")
    page_request.success(f"{count_of(added, 'student')} added to {group.name}.")
    return page_request.redirect("group", key)


@member_page(Permission.MANAGE_GROUPS, methods=POST)
def remove_students(page_request: PageRequest, key: int) -> HttpResponse:
    """Remove the selected students from a group."""
    group = _group(page_request, key, "take out of group")
    students = _students_of_school(page_request, group).filter(pk__in=_selected(page_request))
    author = edits_by_member.author(page_request.member, page_request.now)
    keys = list(students.values_list("pk", flat=True))
    removed = groups.remove_students(group, keys, author)
    page_request.audit("take out of group", "ok", f"group {key}: {removed}")
    if removed:
        page_request.success(f"{count_of(removed, 'student')} removed from {group.name}.")
    else:
        page_request.success("No students were selected, and none were removed.")
    return page_request.redirect("group", key)


def _before_removal(group: Group) -> Question:
    """Return the question before a group is deleted."""
    count = group.student_set.count()
    return Question(
        f"Delete {group.name}?",
        (
            f"{count_of(count, 'student')} will no longer be in the group. They stay at "
            f"{group.school.name}; those in no other group move to Default.",
            "Which students were in it stays in their histories. A student file that contains the "
            "group adds it again.",
        ),
        f"Delete {group.name}",
        resolve_url("group", group.pk),
    )


def _selected(page_request: PageRequest) -> list[int]:
    """Return the keys of the selected students; everything that is no key is ignored."""
    texts = page_request.request.POST.getlist("student")
    return [int(text) for text in texts if text.isdecimal() and len(text) <= MAX_KEY_DIGITS]


def _group(page_request: PageRequest, key: int, action: str) -> Group:
    """Return the group.

    Raises:
        Http404: if the member does not see such a group.
    """
    group = visibility.groups(page_request.member).filter(pk=key).first()
    return page_request.require(group, action, f"group {key}")


def _students_of_school(page_request: PageRequest, group: Group) -> QuerySet[Student]:
    return visibility.visible_students(page_request.member).filter(school=group.school_id)


def _render(
    page_request: PageRequest, group: Group, forms: Mapping[str, Any] | None = None
) -> HttpResponse:
    """Render the group with its students, and record that; with 422 if a form is invalid.

    Args:
        page_request: the request.
        group: the group.
        forms: the invalid form by its name in the template, if there is one.
    """
    visible = visibility.visible_students(page_request.member)
    students = visible.filter(groups=group).defer("password")
    page = get_query_page(
        students.order_by("last_name", "first_name", "pk"),
        page_number(page_request),
        PAGE_SIZE,
    )
    shown = {student.pk for student in page.items} | _students_in_forms(group, forms or {})
    page_request.audit("group", "seen", f"group {group.pk}, page {page.number}", shown)
    context = {
        "group": group,
        "students": page,
        "is_default": groups.is_default(group.name),
        "naming": GroupName(initial={"name": group.name}),
        "joining": AddStudents(Student.objects.none()),
        "may_manage": page_request.may(Permission.MANAGE_GROUPS),
        "may_edit": page_request.may(Permission.EDIT_STUDENTS),
        "form": next(iter((forms or {}).values()), None),
        **(forms or {}),
    }
    status = 422 if forms else 200
    return page_request.render("groups/detail.html", context, status)


def _students_in_forms(group: Group, invalid: Mapping[str, Any]) -> set[int]:
    """Return the primary keys of the students whom invalid forms name as they were submitted."""
    texts = [text for form in invalid.values() for text in form.data.dict().values()]
    return recognition.students_named(group.school.district_id, texts)
