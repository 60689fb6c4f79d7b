"""Students by hand: add one, change one, let one go; who may do that only for some schools has their students alone."""

from django.http import HttpResponse
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.web.pages.base.column_labels import label
from rollbook.web.pages.students.forms import ChangedStudent, NewStudent, initial_of
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.studentfile.problems.problem import Problem
from rollbook.students import snapshots
from rollbook.students.manual import edits
from rollbook.students.manual.edits import AddResult, InvalidStudent
from rollbook.students.models import Group, Student
from rollbook.students import visibility
from rollbook.students.manual import edits_by_member
from rollbook.students.manual.edits_by_member import StudentNotVisible
from rollbook.accounts.permissions import Permission


@sensitive_post_parameters()
@member_page(Permission.EDIT_STUDENTS, methods=FORM)
def new(visit: PageRequest) -> HttpResponse:
    """The username and the password are shown with the answer, this once."""
    form = NewStudent(visibility.schools(visit.member), visit.form_data)
    if form.is_valid() and (added := _added(visit, form)):
        student = Student.objects.defer("password").get(pk=added.pk)
        facts = {"student": student, "added": added, "warnings": _told(added.warnings)}
        return visit.render("students/added.html", facts)
    return visit.render_form("students/new.html", form)


@sensitive_post_parameters()
@member_page(Permission.EDIT_STUDENTS, methods=FORM)
def edit(visit: PageRequest, key: int) -> HttpResponse:
    student = visit.require(visibility.student(visit.member, key), "edit student", f"student with key {key}")
    record = snapshots.load_with_links([key])[key]
    groups = Group.objects.filter(school=student.school_id).order_by("name_key").values_list("name", flat=True)
    initial = initial_of(edits.form_values(record)) | {"edition": record.edition}
    form = ChangedStudent(groups, visit.form_data, initial=initial)
    if form.is_valid() and _edited(visit, key, form):
        return visit.redirect("student", key)
    if not form.is_bound:
        visit.audit("student", "seen", f"student with key {key}, to be edited")
    return visit.render_form("students/edit.html", form, {"student": student})


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def deactivate(visit: PageRequest, key: int) -> HttpResponse:
    return _with_status(visit, key, "inactive", "is not active any more; what the record says stays")


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def reactivate(visit: PageRequest, key: int) -> HttpResponse:
    return _with_status(visit, key, "active", "is active again")


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def new_password(visit: PageRequest, key: int) -> HttpResponse:
    """Shown with the answer, this once."""
    student = visit.require(visibility.student(visit.member, key), "new password", f"student with key {key}")
    try:
        password = edits_by_member.new_password(visit.member, key, visit.now)
    except StudentNotVisible:
        return visit.not_found("new password", f"student with key {key}")
    visit.audit("new password", "ok", f"student with key {key}")
    return visit.render("students/password.html", {"student": student, "password": password})


def _added(visit: PageRequest, form: NewStudent) -> AddResult | None:
    """The new student; if there is none, the form says why."""
    try:
        added = edits_by_member.add(visit.member, form.said, visit.now)
    except InvalidStudent as refused:
        form.refuse_problems(refused.problems)
        return None
    visit.audit("add student", "ok", f"student with key {added.pk}")
    return added


def _edited(visit: PageRequest, key: int, form: ChangedStudent) -> bool:
    """Whether the student is as the form says; if not, it says why."""
    try:
        edited = edits_by_member.edit(visit.member, key, form.said, form.cleaned_data["edition"], visit.now)
    except InvalidStudent as refused:
        form.refuse_problems(refused.problems)
        return False
    except StudentNotVisible:
        form.add_reasons(None, ["the student is not at one of your schools any more"])
        return False
    visit.audit("edit student", "ok", f"student with key {key}: {', '.join(edited.columns) or 'nothing'}")
    if edited.columns:
        visit.success(f"Changed: {', '.join(label(name) for name in edited.columns)}.")
    else:
        visit.success("Nothing was changed.")
    for warning in _told(edited.warnings):
        visit.warning(warning)
    return True


def _with_status(visit: PageRequest, key: int, status: str, told: str) -> HttpResponse:
    student = visit.require(visibility.student(visit.member, key), "edit student", f"student with key {key}")
    try:
        edits_by_member.set_status(visit.member, key, status, visit.now)
    except (StudentNotVisible, InvalidStudent):
        visit.error("Nothing was changed: the student is not yours any more, or changes this moment. Try again.")
    else:
        visit.audit("edit student", "ok", f"student with key {key}: {status}")
        visit.success(f"{student.first_name} {student.last_name} {told}.")
    return visit.redirect("student", key)


def _told(warnings: tuple[Problem, ...]) -> list[str]:
    return [f"{label(problem.column or '')}: {problem.message}." for problem in warnings]
