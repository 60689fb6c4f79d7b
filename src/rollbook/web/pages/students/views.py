"""List the students that a member may see, show one with the history, and show who saw one."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django_htmx.http import replace_url

from rollbook.accounts import notices
from rollbook.accounts.notices import Notice
from rollbook.accounts.permissions import Permission
from rollbook.studentfile.columns import BY_NAME
from rollbook.students import absences, visibility
from rollbook.students.manual.resemblance import namesakes
from rollbook.text import count_of
from rollbook.web.pages.account.confirmation import ask_for_proof
from rollbook.web.pages.base.page_number import page_number
from rollbook.web.pages.base.sealed_search import (
    address_query,
    opened_query,
    plain_filters_ignored,
)
from rollbook.web.pages.base.view import FORM, PageRequest, is_htmx, member_page
from rollbook.web.pages.students.chosen import MAX_MATCHING
from rollbook.web.pages.students.filters import Filters, all_keys, search
from rollbook.web.pages.students.page_data import (
    history_of,
    record_of,
    rejected_of,
    students_quoted,
)
from rollbook.web.pages.students.viewers import Days
from rollbook.web.pages.updates.downloads import MASS_DOWNLOAD_ROWS, csv_response
from rollbook.web.pages.upload import template_csv

CSV_COLUMNS = (
    "STUDENT_ID",
    "USERNAME",
    "FIRST_NAME",
    "LAST_NAME",
    "SCHOOL_ID",
    "GRADE",
    "GROUPS",
    "STATUS",
)
HEADINGS = {"name": "Name", "id": "Student ID", "school": "School", "grade": "Grade"}


@member_page(Permission.SEE_STUDENTS, methods=FORM)
def index(page_request: PageRequest) -> HttpResponse:
    """Render the list of students; for htmx the table alone.

    Submitted filters lead to the address of their list.
    """
    if page_request.request.method != "POST":
        return plain_filters_ignored(page_request) or _list(page_request)
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
    shown = [student.pk for student in students.items]
    detail = f"page {students.number}, {_filtered_by(used)}"
    page_request.audit("students", "seen", detail, shown)
    context = {
        "filters": filters,
        "students": students,
        "used": used,
        "max_matching": MAX_MATCHING,
        "columns": _columns(filters.sort),
        "lacks_schools": _lacks_schools(page_request),
        **_rights(page_request),
    }
    if is_htmx(page_request.request):
        return page_request.render("students/parts/table.html", context)
    return page_request.render("students/index.html", context)


@member_page(Permission.SEE_STUDENTS, methods=FORM)
def list_csv(page_request: PageRequest) -> HttpResponseBase:
    """Download the students of all pages of a list, without confidential fields.

    A large file needs a recent proof of who the member is.
    """
    member = page_request.member
    filters = Filters(opened_query(member, page_request.request.GET), member)
    shown = all_keys(member, filters)
    detail = f"{count_of(len(shown), 'student')}, {_filtered_by(filters.used_filters)}"
    if len(shown) >= MASS_DOWNLOAD_ROWS:
        if question := ask_for_proof(page_request):
            return question
        notices.notify(Notice.MASS_DOWNLOAD, page_request.now, member, detail=detail)
    page_request.audit("students", "downloaded", detail, shown)
    columns = tuple(BY_NAME[name] for name in CSV_COLUMNS)
    lines = template_csv.lines(page_request.district, columns, shown)
    return csv_response(lines, f"students-{page_request.district.slug}.csv")


@member_page(Permission.SEE_STUDENTS)
def detail(page_request: PageRequest, key: int) -> HttpResponse:
    """Render one student without confidential fields."""
    return _render(page_request, key, confidential=False)


@member_page(Permission.SEE_CONFIDENTIAL)
def confidential(page_request: PageRequest, key: int) -> HttpResponse:
    """Render one student with confidential fields."""
    return _render(page_request, key, confidential=True)


@member_page(Permission.SEE_AUDIT)
def viewers(page_request: PageRequest, key: int) -> HttpResponse:
    """Render who saw a student, by key: the student may have been erased since."""
    days = Days(page_request.request.GET, page_request.district, page_request.now)
    student = visibility.student(page_request.member, key)
    events = days.events(key, page_number(page_request))
    if student is None and not events.total:
        return page_request.not_found("who saw", f"student with key {key}")
    shown = [key] if student else []
    page_request.audit("who saw", "seen", f"student with key {key}", shown)
    context = {"student": student, "key": key, "events": events, "days": days}
    return page_request.render("students/viewers.html", context)


def _render(page_request: PageRequest, key: int, *, confidential: bool) -> HttpResponse:
    found = visibility.student(page_request.member, key)
    student = page_request.require(found, "student", f"student with key {key}")
    visible = visibility.visible_students(page_request.member)
    others = namesakes(student, visible)
    history = history_of(student, page_number(page_request), confidential=confidential)
    rejected = rejected_of(student, confidential=confidential)
    quoted = students_quoted(student, rejected, history.items)
    shown = {key, *(other.pk for other in others), *quoted}
    page_request.audit("student", "seen", f"student with key {key}", shown)
    if confidential:
        page_request.audit_confidential("opened", f"student with key {key}", [key])
    context = {
        "student": student,
        "record": record_of(student, confidential=confidential),
        "staff": student.staff.order_by("last_name", "first_name", "pk"),
        "history": history,
        "rejected": rejected,
        "namesakes": others,
        "absence": absences.of_student(student.pk),
        "is_open": confidential,
        "may_open": page_request.may(Permission.SEE_CONFIDENTIAL),
        "may_see_audit": page_request.may(Permission.SEE_AUDIT),
        **_rights(page_request),
    }
    return page_request.render("students/detail.html", context)


def _filtered_by(used: list[str]) -> str:
    return f"filtered by {', '.join(used) or 'nothing'}"


def _columns(sort: str) -> list[dict[str, str]]:
    """Return the headings of the list, each with what a click on it sorts by."""
    columns = []
    for name, title in HEADINGS.items():
        directions = {name: "ascending", f"-{name}": "descending"}
        following = f"-{name}" if sort == name else name
        direction = directions.get(sort, "")
        columns.append({"title": title, "direction": direction, "sort": following})
    return columns


def _lacks_schools(page_request: PageRequest) -> bool:
    """Return whether the member's role is for schools, and the member has none."""
    member = page_request.member
    return not member.role.is_district_wide and not member.schools.exists()


def _rights(page_request: PageRequest) -> dict[str, bool]:
    return {
        "may_update": page_request.may(Permission.UPDATE_STUDENTS),
        "may_edit": page_request.may(Permission.EDIT_STUDENTS),
    }
