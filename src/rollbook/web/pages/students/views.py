"""Students: the list of those a member may see, and one of them with all that was ever changed."""

from django.http import HttpResponse

from rollbook.accounts.permissions import Permission
from rollbook.students import visibility
from rollbook.web.pages.base.page_number import number_of_page
from rollbook.web.pages.base.view import PageRequest, is_htmx, member_page
from rollbook.web.pages.students.filters import Filters, search
from rollbook.web.pages.students.page_data import history_of, record_of, rejected_of


@member_page(Permission.SEE_STUDENTS)
def index(page_request: PageRequest) -> HttpResponse:
    """The whole page, or for htmx the list alone."""
    filters = Filters(page_request.request.GET, page_request.member)
    students = search(page_request.member, filters, number_of_page(page_request))
    used = filters.used
    page_request.audit(
        "students", "seen", f"page {students.number}, filtered by {', '.join(used) or 'nothing'}"
    )
    facts = {"filters": filters, "students": students, "used": used, **_rights(page_request)}
    part = is_htmx(page_request.request)
    return page_request.render(
        "students/parts/table.html" if part else "students/index.html", facts
    )


@member_page(Permission.SEE_STUDENTS)
def detail(page_request: PageRequest, key: int) -> HttpResponse:
    student = page_request.require(
        visibility.student(page_request.member, key), "student", f"student with key {key}"
    )
    page_request.audit("student", "seen", f"student with key {key}")
    facts = {
        "student": student,
        "record": record_of(student),
        "staff": student.staff.order_by("last_name", "first_name", "pk"),
        "history": history_of(student, number_of_page(page_request)),
        "rejected": rejected_of(student),
        **_rights(page_request),
    }
    return page_request.render("students/detail.html", facts)


def _rights(page_request: PageRequest) -> dict[str, bool]:
    return {
        "may_update": page_request.may(Permission.UPDATE_STUDENTS),
        "may_edit": page_request.may(Permission.EDIT_STUDENTS),
    }
