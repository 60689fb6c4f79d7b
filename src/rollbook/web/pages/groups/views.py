"""Groups: the students of one school taught together; a manager sees those of his schools, an instructor his own."""

from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse

from rollbook.web.pages.groups.forms import AddStudents, GroupName, NewGroup
from rollbook.web.pages.base.page_number import number_of_page
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.students.manual import groups
from rollbook.students.manual.groups import InvalidGroup
from rollbook.students.models import Group, Student
from rollbook.students import visibility
from rollbook.students.manual import edits_by_member
from rollbook.accounts.permissions import Permission
from rollbook.pagination import page_of, page_of_query
from rollbook.text import count_of

PAGE_SIZE = 50


@member_page(Permission.SEE_STUDENTS)
def index(visit: PageRequest) -> HttpResponse:
    """Each with how many students of it the member sees."""
    seen = Q(student__in=visibility.visible_students(visit.member))
    counts = {status: Count("student", filter=seen & Q(student__status=status)) for status in ("active", "inactive")}
    found = visibility.groups(visit.member)
    some = page_of(
        found.count(), number_of_page(visit), PAGE_SIZE, lambda first, last: list(found.annotate(**counts)[first:last])
    )
    visit.audit("groups", "seen", f"page {some.number}")
    return visit.render("groups/index.html", {"groups": some, "may_manage": visit.may(Permission.MANAGE_GROUPS)})


@member_page(Permission.MANAGE_GROUPS, methods=FORM)
def new(visit: PageRequest) -> HttpResponse:
    form = NewGroup(visibility.schools(visit.member), visit.form_data)
    if form.is_valid():
        school = visibility.schools(visit.member).get(organization_id=form.cleaned_data["school"])
        with form.collect_reasons("name"):
            group = groups.create(school, form.cleaned_data["name"])
            visit.audit("add group", "ok", f"group {group.pk}")
            visit.success(f"{group.name} is a group of {group.school.name} now.")
            return visit.redirect("group", group.pk)
    return visit.render_form("groups/new.html", form)


@member_page(Permission.SEE_STUDENTS)
def detail(visit: PageRequest, key: int) -> HttpResponse:
    group = _group(visit, key, "group")
    visit.audit("group", "seen", f"group {key}, page {number_of_page(visit)}")
    return _shown(visit, group)


@member_page(Permission.MANAGE_GROUPS, methods=POST)
def rename(visit: PageRequest, key: int) -> HttpResponse:
    group = _group(visit, key, "rename group")
    before, form = group.name, GroupName(visit.form_data)
    if form.is_valid():
        with form.collect_reasons("name"):
            groups.rename(group, form.cleaned_data["name"], edits_by_member.author(visit.member, visit.now))
            visit.audit("rename group", "ok", f"group {key}")
            visit.success(f"{before} is called {group.name} now.")
            return visit.redirect("group", key)
    return _shown(visit, group, naming=form)


@member_page(Permission.MANAGE_GROUPS, methods=POST)
def remove(visit: PageRequest, key: int) -> HttpResponse:
    group = _group(visit, key, "remove group")
    try:
        groups.remove(group, edits_by_member.author(visit.member, visit.now))
    except InvalidGroup as refused:
        visit.error(f"{group.name} is not removed: {refused}.")
        return visit.redirect("group", key)
    visit.audit("remove group", "ok", f"group {key}")
    visit.success(f"{group.name} is removed. Whoever was in no other group is in Default now.")
    return visit.redirect("groups")


@member_page(Permission.MANAGE_GROUPS, methods=POST)
def add_students(visit: PageRequest, key: int) -> HttpResponse:
    """Students of the school, named by student ID or username; if one is unknown, nothing is done."""
    group = _group(visit, key, "put in group")
    form = AddStudents(_of_school(visit, group), visit.form_data)
    if not form.is_valid():
        return _shown(visit, group, joining=form)
    came = groups.add_students(group, form.cleaned_data["students"], edits_by_member.author(visit.member, visit.now))
    visit.audit("put in group", "ok", f"group {key}: {came}")
    visit.success(f"{count_of(came, 'student')} came to {group.name}.")
    return visit.redirect("group", key)


@member_page(Permission.MANAGE_GROUPS, methods=POST)
def remove_students(visit: PageRequest, key: int) -> HttpResponse:
    """Those whose boxes are marked."""
    group = _group(visit, key, "take out of group")
    marked = [int(text) for text in visit.request.POST.getlist("student") if text.isdecimal() and len(text) < 19]
    ours = _of_school(visit, group).filter(pk__in=marked).values_list("pk", flat=True)
    left = groups.remove_students(group, list(ours), edits_by_member.author(visit.member, visit.now))
    visit.audit("take out of group", "ok", f"group {key}: {left}")
    visit.success(f"{count_of(left, 'student')} left {group.name}." if left else "Nobody was marked, and nobody left.")
    return visit.redirect("group", key)


def _group(visit: PageRequest, key: int, action: str) -> Group:
    """Return the group if the member sees it. Raises Http404."""
    group = visibility.groups(visit.member).filter(pk=key).first()
    return visit.require(group, action, f"group {key}")


def _of_school(visit: PageRequest, group: Group) -> QuerySet[Student]:
    return visibility.visible_students(visit.member).filter(school=group.school_id)


def _shown(visit: PageRequest, group: Group, naming: GroupName | None = None, joining: AddStudents | None = None) -> HttpResponse:
    """The group with its students; 422 if one of its forms was refused."""
    ours = visibility.visible_students(visit.member).filter(groups=group).defer("password")
    students = page_of_query(ours.order_by("last_name", "first_name", "pk"), number_of_page(visit), PAGE_SIZE)
    facts = {
        "group": group,
        "students": students,
        "is_default": groups.is_default(group.name),
        "naming": naming or GroupName(initial={"name": group.name}),
        "joining": joining or AddStudents(Student.objects.none()),
        "may_manage": visit.may(Permission.MANAGE_GROUPS),
        "may_edit": visit.may(Permission.EDIT_STUDENTS),
    }
    return visit.render("groups/detail.html", facts, status=422 if naming or joining else 200)
