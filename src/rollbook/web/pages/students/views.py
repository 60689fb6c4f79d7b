"""Students: the list of those a member may see, and one of them with all that was ever changed."""

from django.http import HttpResponse

from rollbook.web.pages.students.filters import Filters, search
from rollbook.web.pages.base.page_number import number_of_page
from rollbook.web.pages.students.page_data import history_of, record_of, rejected_of
from rollbook.web.pages.base.view import PageRequest, is_htmx, member_page
from rollbook.students import visibility
from rollbook.accounts.permissions import Permission


@member_page(Permission.SEE_STUDENTS)
def index(visit: PageRequest) -> HttpResponse:
    """The whole page, or for htmx the list alone."""
    filters = Filters(visit.request.GET, visit.member)
    students = search(visit.member, filters, number_of_page(visit))
    used = filters.used
    visit.audit("students", "seen", f"page {students.number}, filtered by {', '.join(used) or 'nothing'}")
    facts = {"filters": filters, "students": students, "used": used, **_rights(visit)}
    part = is_htmx(visit.request)
    return visit.render("students/parts/table.html" if part else "students/index.html", facts)


@member_page(Permission.SEE_STUDENTS)
def detail(visit: PageRequest, key: int) -> HttpResponse:
    student = visit.require(visibility.student(visit.member, key), "student", f"student with key {key}")
    visit.audit("student", "seen", f"student with key {key}")
    facts = {
        "student": student,
        "record": record_of(student),
        "staff": student.staff.order_by("last_name", "first_name", "pk"),
        "history": history_of(student, number_of_page(visit)),
        "rejected": rejected_of(student),
        **_rights(visit),
    }
    return visit.render("students/detail.html", facts)


def _rights(visit: PageRequest) -> dict[str, bool]:
    return {"may_update": visit.may(Permission.UPDATE_STUDENTS), "may_edit": visit.may(Permission.EDIT_STUDENTS)}
