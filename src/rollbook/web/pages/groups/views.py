"""Groups: the students of one school taught together; a manager sees those of his schools, an instructor his own."""

from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse

from rollbook.accounts.permissions import Permission
from rollbook.pagination import page_of, page_of_query
from rollbook.students import visibility
from rollbook.students.manual import edits_by_member, groups
from rollbook.students.manual.groups import InvalidGroup
from rollbook.students.models import Group, Student
from rollbook.text import count_of
from rollbook.web.pages.base.page_number import number_of_page
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.groups.forms import AddStudents, GroupName, NewGroup

PAGE_SIZE = 50


@member_page(Permission.SEE_STUDENTS)
def index(page_request: PageRequest) -> HttpResponse:
    """Each with how many students of it the member sees."""
    seen = Q(student__in=visibility.visible_students(page_request.member))
    counts = {
        status: Count("student", filter=seen & Q(student__status=status))
        for status in ("active", "inactive")
    }
    found = visibility.groups(page_request.member)
    some = page_of(
        found.count(),
        number_of_page(page_request),
        PAGE_SIZE,
        lambda first, last: list(found.annotate(**counts)[first:last]),
    )
    page_request.audit("groups", "seen", f"page {some.number}")
    return page_request.render(
        "groups/index.html",
        {"groups": some, "may_manage": page_request.may(Permission.MANAGE_GROUPS)},
    )


@member_page(Permission.MANAGE_GROUPS, methods=FORM)
def new(page_request: PageRequest) -> HttpResponse:
    form = NewGroup(visibility.schools(page_request.member), page_request.form_data)
    if form.is_valid():
        school = visibility.schools(page_request.member).get(
            organization_id=form.cleaned_data["school"]
        )
        with form.collect_reasons("name"):
            group = groups.create(school, form.cleaned_data["name"])
            page_request.audit("add group", "ok", f"group {group.pk}")
            page_request.success(f"{group.name} is a group of {group.school.name} now.")
            return page_request.redirect("group", group.pk)
    return page_request.render_form("groups/new.html", form)


@member_page(Permission.SEE_STUDENTS)
def detail(page_request: PageRequest, key: int) -> HttpResponse:
    group = _group(page_request, key, "group")
    page_request.audit("group", "seen", f"group {key}, page {number_of_page(page_request)}")
    return _shown(page_request, group)


@member_page(Permission.MANAGE_GROUPS, methods=POST)
def rename(page_request: PageRequest, key: int) -> HttpResponse:
    group = _group(page_request, key, "rename group")
    before, form = group.name, GroupName(page_request.form_data)
    if form.is_valid():
        with form.collect_reasons("name"):
            groups.rename(
                group,
                form.cleaned_data["name"],
                edits_by_member.author(page_request.member, page_request.now),
            )
            page_request.audit("rename group", "ok", f"group {key}")
            page_request.success(f"{before} is called {group.name} now.")
            return page_request.redirect("group", key)
    return _shown(page_request, group, naming=form)


@member_page(Permission.MANAGE_GROUPS, methods=POST)
def remove(page_request: PageRequest, key: int) -> HttpResponse:
    group = _group(page_request, key, "remove group")
    try:
        groups.remove(group, edits_by_member.author(page_request.member, page_request.now))
    except InvalidGroup as refused:
        page_request.error(f"{group.name} is not removed: {refused}.")
        return page_request.redirect("group", key)
    page_request.audit("remove group", "ok", f"group {key}")
    page_request.success(
        f"{group.name} is removed. Whoever was in no other group is in Default now."
    )
    return page_request.redirect("groups")


@member_page(Permission.MANAGE_GROUPS, methods=POST)
def add_students(page_request: PageRequest, key: int) -> HttpResponse:
    """Students of the school, named by student ID or username; if one is unknown, nothing is done."""
    group = _group(page_request, key, "put in group")
    form = AddStudents(_of_school(page_request, group), page_request.form_data)
    if not form.is_valid():
        return _shown(page_request, group, joining=form)
    came = groups.add_students(
        group,
        form.cleaned_data["students"],
        edits_by_member.author(page_request.member, page_request.now),
    )
    page_request.audit("put in group", "ok", f"group {key}: {came}")
    page_request.success(f"{count_of(came, 'student')} came to {group.name}.")
    return page_request.redirect("group", key)


@member_page(Permission.MANAGE_GROUPS, methods=POST)
def remove_students(page_request: PageRequest, key: int) -> HttpResponse:
    """Those whose boxes are marked."""
    group = _group(page_request, key, "take out of group")
    marked = [
        int(text)
        for text in page_request.request.POST.getlist("student")
        if text.isdecimal() and len(text) < 19
    ]
    ours = _of_school(page_request, group).filter(pk__in=marked).values_list("pk", flat=True)
    left = groups.remove_students(
        group, list(ours), edits_by_member.author(page_request.member, page_request.now)
    )
    page_request.audit("take out of group", "ok", f"group {key}: {left}")
    page_request.success(
        f"{count_of(left, 'student')} left {group.name}."
        if left
        else "Nobody was marked, and nobody left."
    )
    return page_request.redirect("group", key)


def _group(page_request: PageRequest, key: int, action: str) -> Group:
    """Return the group if the member sees it. Raises Http404."""
    group = visibility.groups(page_request.member).filter(pk=key).first()
    return page_request.require(group, action, f"group {key}")


def _of_school(page_request: PageRequest, group: Group) -> QuerySet[Student]:
    return visibility.visible_students(page_request.member).filter(school=group.school_id)


def _shown(
    page_request: PageRequest,
    group: Group,
    naming: GroupName | None = None,
    joining: AddStudents | None = None,
) -> HttpResponse:
    """The group with its students; 422 if one of its forms was refused."""
    ours = visibility.visible_students(page_request.member).filter(groups=group).defer("password")
    students = page_of_query(
        ours.order_by("last_name", "first_name", "pk"), number_of_page(page_request), PAGE_SIZE
    )
    facts = {
        "group": group,
        "students": students,
        "is_default": groups.is_default(group.name),
        "naming": naming or GroupName(initial={"name": group.name}),
        "joining": joining or AddStudents(Student.objects.none()),
        "may_manage": page_request.may(Permission.MANAGE_GROUPS),
        "may_edit": page_request.may(Permission.EDIT_STUDENTS),
    }
    return page_request.render(
        "groups/detail.html", facts, status=422 if naming or joining else 200
    )
