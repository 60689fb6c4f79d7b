"""List the students that a member may see, and show one of them with the history."""

from django.http import HttpResponse
from django.shortcuts import redirect, resolve_url
from django_htmx.http import replace_url

from rollbook.accounts.permissions import Permission
from rollbook.students import visibility
from rollbook.students.manual.resemblance import namesakes
from rollbook.web.pages.base.page_number import page_number
from rollbook.web.pages.base.sealed_search import address_query, opened_query
from rollbook.web.pages.base.view import FORM, PageRequest, is_htmx, member_page
from rollbook.web.pages.students.filters import Filters, search
from rollbook.web.pages.students.page_data import history_of, record_of, rejected_of


@member_page(Permission.SEE_STUDENTS, methods=FORM)
def index(page_request: PageRequest) -> HttpResponse:
    """Render the list of students; for htmx the table alone.

    A submitted search leads to the address of its list.
    """
    if page_request.request.method != "POST":
        return _list(page_request)
    query = address_query(page_request.member, page_request.request.POST)
    address = f"{resolve_url('students')}?{query.urlencode()}"
    if not is_htmx(page_request.request):
        return redirect(address)
    page_request.request.GET = query  # type: ignore[assignment]
    return replace_url(_list(page_request), address)


def _list(page_request: PageRequest) -> HttpResponse:
    query = opened_query(page_request.member, page_request.request.GET)
    filters = Filters(query, page_request.member)
    students = search(page_request.member, filters, page_number(page_request))
    used = filters.used_filters
    names = ", ".join(used) or "nothing"
    page_request.audit("students", "seen", f"page {students.number}, filtered by {names}")
    context = {"filters": filters, "students": students, "used": used, **_rights(page_request)}
    if is_htmx(page_request.request):
        return page_request.render("students/parts/table.html", context)
    return page_request.render("students/index.html", context)


@member_page(Permission.SEE_STUDENTS)
def detail(page_request: PageRequest, key: int) -> HttpResponse:
    """Render one student."""
    found = visibility.student(page_request.member, key)
    student = page_request.require(found, "student", f"student with key {key}")
    page_request.audit("student", "seen", f"student with key {key}")
    context = {
        "student": student,
        "record": record_of(student),
        "staff": student.staff.order_by("last_name", "first_name", "pk"),
        "history": history_of(student, page_number(page_request)),
        "rejected": rejected_of(student),
        "namesakes": namesakes(student, visibility.visible_students(page_request.member)),
        **_rights(page_request),
    }
    return page_request.render("students/detail.html", context)


def _rights(page_request: PageRequest) -> dict[str, bool]:
    return {
        "may_update": page_request.may(Permission.UPDATE_STUDENTS),
        "may_edit": page_request.may(Permission.EDIT_STUDENTS),
    }
