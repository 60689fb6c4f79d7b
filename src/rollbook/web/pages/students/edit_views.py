"""Students by hand: add one, change one, let one go; who may do that only for some schools has their students alone."""

from django.http import HttpResponse
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.accounts.permissions import Permission
from rollbook.studentfile.problems.problem import Problem
from rollbook.students import snapshots, visibility
from rollbook.students.manual import edits, edits_by_member
from rollbook.students.manual.edits import AddResult, InvalidStudent
from rollbook.students.manual.edits_by_member import StudentNotVisible
from rollbook.students.models import Group, Student
from rollbook.web.pages.base.column_labels import label
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.students.forms import ChangedStudent, NewStudent, initial_of


@sensitive_post_parameters()
@member_page(Permission.EDIT_STUDENTS, methods=FORM)
def new(page_request: PageRequest) -> HttpResponse:
    """The username and the password are shown with the answer, this once."""
    form = NewStudent(visibility.schools(page_request.member), page_request.form_data)
    if form.is_valid() and (added := _added(page_request, form)):
        student = Student.objects.defer("password").get(pk=added.pk)
        facts = {"student": student, "added": added, "warnings": _told(added.warnings)}
        return page_request.render("students/added.html", facts)
    return page_request.render_form("students/new.html", form)


@sensitive_post_parameters()
@member_page(Permission.EDIT_STUDENTS, methods=FORM)
def edit(page_request: PageRequest, key: int) -> HttpResponse:
    student = page_request.require(
        visibility.student(page_request.member, key), "edit student", f"student with key {key}"
    )
    record = snapshots.load_with_links([key])[key]
    groups = (
        Group.objects.filter(school=student.school_id)
        .order_by("name_key")
        .values_list("name", flat=True)
    )
    initial = initial_of(edits.form_values(record)) | {"version": record.version}
    form = ChangedStudent(groups, page_request.form_data, initial=initial)
    if form.is_valid() and _edited(page_request, key, form):
        return page_request.redirect("student", key)
    if not form.is_bound:
        page_request.audit("student", "seen", f"student with key {key}, to be edited")
    return page_request.render_form("students/edit.html", form, {"student": student})


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def deactivate(page_request: PageRequest, key: int) -> HttpResponse:
    return _with_status(
        page_request, key, "inactive", "is not active any more; what the record says stays"
    )


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def reactivate(page_request: PageRequest, key: int) -> HttpResponse:
    return _with_status(page_request, key, "active", "is active again")


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def new_password(page_request: PageRequest, key: int) -> HttpResponse:
    """Shown with the answer, this once."""
    student = page_request.require(
        visibility.student(page_request.member, key), "new password", f"student with key {key}"
    )
    try:
        password = edits_by_member.new_password(page_request.member, key, page_request.now)
    except StudentNotVisible:
        return page_request.not_found("new password", f"student with key {key}")
    page_request.audit("new password", "ok", f"student with key {key}")
    return page_request.render("students/password.html", {"student": student, "password": password})


def _added(page_request: PageRequest, form: NewStudent) -> AddResult | None:
    """The new student; if there is none, the form says why."""
    try:
        added = edits_by_member.add(page_request.member, form.said, page_request.now)
    except InvalidStudent as refused:
        form.refuse_problems(refused.problems)
        return None
    page_request.audit("add student", "ok", f"student with key {added.pk}")
    return added


def _edited(page_request: PageRequest, key: int, form: ChangedStudent) -> bool:
    """Whether the student is as the form says; if not, it says why."""
    try:
        edited = edits_by_member.edit(
            page_request.member, key, form.said, form.cleaned_data["version"], page_request.now
        )
    except InvalidStudent as refused:
        form.refuse_problems(refused.problems)
        return False
    except StudentNotVisible:
        form.add_reasons(None, ["the student is not at one of your schools any more"])
        return False
    page_request.audit(
        "edit student", "ok", f"student with key {key}: {', '.join(edited.columns) or 'nothing'}"
    )
    if edited.columns:
        page_request.success(f"Changed: {', '.join(label(name) for name in edited.columns)}.")
    else:
        page_request.success("Nothing was changed.")
    for warning in _told(edited.warnings):
        page_request.warning(warning)
    return True


def _with_status(page_request: PageRequest, key: int, status: str, told: str) -> HttpResponse:
    student = page_request.require(
        visibility.student(page_request.member, key), "edit student", f"student with key {key}"
    )
    try:
        edits_by_member.set_status(page_request.member, key, status, page_request.now)
    except (StudentNotVisible, InvalidStudent):
        page_request.error(
            "Nothing was changed: the student is not yours any more, or changes this moment. Try again."
        )
    else:
        page_request.audit("edit student", "ok", f"student with key {key}: {status}")
        page_request.success(f"{student.first_name} {student.last_name} {told}.")
    return page_request.redirect("student", key)


def _told(warnings: tuple[Problem, ...]) -> list[str]:
    return [f"{label(problem.column or '')}: {problem.message}." for problem in warnings]
