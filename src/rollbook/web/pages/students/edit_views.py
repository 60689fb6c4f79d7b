"""Add a student, edit one, deactivate or reactivate one, and set a new password.

Members who may edit only the students of some schools find only those students.
"""

from collections.abc import Sequence

from django.http import HttpResponse
from django.shortcuts import resolve_url
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.accounts.permissions import Permission
from rollbook.districts.local_dates import local_date
from rollbook.districts.models import School
from rollbook.studentfile.problems.problem import Problem
from rollbook.students import recognition, snapshots, visibility
from rollbook.students.manual import edits, edits_by_member
from rollbook.students.manual.edits import AddResult, InvalidStudent
from rollbook.students.manual.edits_by_member import StudentNotVisible
from rollbook.students.manual.resemblance import ConfirmationRequired
from rollbook.students.models import Student
from rollbook.text import join_words
from rollbook.web.pages.base.column_labels import label
from rollbook.web.pages.base.questions import Question, ask
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.students.chosen import number_or_zero
from rollbook.web.pages.students.forms import (
    ChangedStudent,
    NewStudent,
    SchoolChoices,
    StudentForm,
    initial_of,
)
from rollbook.web.pages.students.page_data import short_name

VERSION = "version"
"""The field with the version of the student that a question was about."""


@sensitive_post_parameters()
@member_page(Permission.EDIT_STUDENTS, methods=FORM)
def new(page_request: PageRequest) -> HttpResponse:
    """Render the form for a new student; after it, username and password are shown once.

    The school is chosen first, because its groups and staff are in the form.
    """
    schools = list(visibility.schools(page_request.member))
    school = _chosen_school(page_request, schools)
    if school is None and page_request.form_data is None:
        return page_request.render("students/new_school.html", {"schools": schools})
    choices = SchoolChoices.at(school) if school else SchoolChoices()
    initial = {"school_id": school.organization_id} if school else {}
    form = NewStudent(schools, choices, page_request.form_data, initial=initial)
    _show_all_errors(page_request, form)
    if form.is_valid() and (added := _add(page_request, form)):
        student = Student.objects.defer("password").get(pk=added.pk)
        context = {"student": student, "added": added, "warnings": _messages(added.warnings)}
        return page_request.render("students/added.html", context)
    if form.is_bound:
        _record_form(page_request, form, "new student", set())
    return page_request.render_form("students/new.html", form)


@sensitive_post_parameters()
@member_page(Permission.EDIT_STUDENTS, methods=FORM)
def edit(page_request: PageRequest, key: int) -> HttpResponse:
    """Render the form of a student, and save it."""
    student = _student(page_request, key, "edit student")
    snapshot = snapshots.load_with_links([key])[key]
    choices = SchoolChoices.at(student.school, student.staff.all())
    initial = initial_of(edits.form_values(snapshot)) | {"version": snapshot.version}
    confidential = page_request.may(Permission.SEE_CONFIDENTIAL)
    form = ChangedStudent(
        choices,
        page_request.form_data,
        initial=initial,
        confidential=confidential,
    )
    _show_all_errors(page_request, form)
    if form.is_valid() and _save(page_request, key, form):
        return page_request.redirect("student", key)
    _record_form(page_request, form, f"student with key {key}, to be edited", {key})
    if confidential:
        page_request.audit_confidential("opened", f"student with key {key}, to be edited", [key])
    return page_request.render_form("students/edit.html", form, {"student": student})


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def deactivate(page_request: PageRequest, key: int) -> HttpResponse:
    """Make a student inactive, once the member has confirmed it."""
    student = _student(page_request, key, "edit student")
    name = f"{student.first_name} {student.last_name}"
    question = Question(
        f"Deactivate {name}?",
        (
            "The record, username, student ID and history are kept, and you can reactivate the "
            "student at any time.",
            "A student file that says the student is active reactivates them, too.",
        ),
        f"Deactivate {name}",
        resolve_url("student", key),
    )
    result = "deactivated. The record is kept."
    asked = _ask(page_request, key, question)
    return asked or _set_status(page_request, student, "inactive", result)


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def reactivate(page_request: PageRequest, key: int) -> HttpResponse:
    """Make an inactive student active again."""
    student = _student(page_request, key, "edit student")
    return _set_status(page_request, student, "active", "reactivated.")


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def new_password(page_request: PageRequest, key: int) -> HttpResponse:
    """Set a random password, once the member has confirmed it, and show it once.

    Submitting the confirmation again, such as by reloading the page, sets no other one.
    """
    student = _student(page_request, key, "new password")
    name = f"{student.first_name} {student.last_name}"
    question = Question(
        f"Set a new password for {name}?",
        (
            "The current password stops working right away.",
            "We show the new one once, on the next page, for you to write down.",
        ),
        "Set new password",
        resolve_url("student", key),
        kept=((VERSION, str(student.version)),),
    )
    return _ask(page_request, key, question) or _set_password(page_request, student)


def _chosen_school(page_request: PageRequest, schools: Sequence[School]) -> School | None:
    """Return the school that was chosen, or the only one."""
    form = page_request.form_data
    query = page_request.request.GET
    chosen = query.get("school") if form is None else form.get("school_id")
    for school in schools:
        if chosen == school.organization_id or len(schools) == 1:
            return school
    return None


def _student(page_request: PageRequest, key: int, action: str) -> Student:
    """Return the student.

    Raises:
        Http404: if the member does not see such a student.
    """
    student = visibility.student(page_request.member, key)
    return page_request.require(student, action, f"student with key {key}")


def _add(page_request: PageRequest, form: NewStudent) -> AddResult | None:
    """Add the student; if that fails, return None, with the reasons in the form."""
    try:
        added = edits_by_member.add(
            page_request.member,
            form.cells,
            page_request.now,
            is_confirmed=form.cleaned_data["is_confirmed"],
        )
    except ConfirmationRequired as required:
        _ask_to_confirm(page_request, form, required)
        return None
    except InvalidStudent as invalid:
        form.refuse_problems(invalid.problems)
        return None
    warnings = _messages(added.warnings)
    shown = {added.pk, *recognition.students_named(page_request.district.pk, warnings)}
    page_request.audit("add student", "ok", f"student with key {added.pk}", shown)
    return added


def _save(page_request: PageRequest, key: int, form: ChangedStudent) -> bool:
    """Save the form and return True; if that fails, return False, with the reasons in the form."""
    version = form.cleaned_data["version"]
    try:
        edited = edits_by_member.edit(
            page_request.member,
            key,
            form.cells,
            version,
            page_request.now,
            is_confirmed=form.cleaned_data["is_confirmed"],
        )
    except ConfirmationRequired as required:
        _ask_to_confirm(page_request, form, required)
        return False
    except InvalidStudent as invalid:
        form.refuse_problems(invalid.problems)
        return False
    except StudentNotVisible:
        form.add_reasons(None, ["the student is no longer at one of your schools"])
        return False
    columns = ", ".join(edited.columns) or "nothing"
    page_request.audit("edit student", "ok", f"student with key {key}: {columns}", [key])
    labels = ", ".join(label(name) for name in edited.columns)
    message = f"Saved: {labels}." if labels else "Nothing was changed."
    page_request.success(message)
    for warning in _messages(edited.warnings):
        page_request.warning(warning)
    return True


def _show_all_errors(page_request: PageRequest, form: StudentForm) -> None:
    """Add the errors that the rules of student files find to those of a form that isn't valid."""
    if form.is_bound and not form.is_valid():
        today = local_date(page_request.district, page_request.now)
        form.refuse_problems(edits.invalid_cells(form.valid_cells, today))


def _record_form(
    page_request: PageRequest, form: StudentForm, detail: str, shown: set[int]
) -> None:
    """Record whom the page of a form shows, which may have been refused.

    Its errors and the values that were entered can name other students.
    """
    texts = [str(message) for errors in form.errors.values() for message in errors]
    if form.is_bound:
        texts += [form.data.get(name, "") for name in ("student_id", "username")]
    named = recognition.students_named(page_request.district.pk, texts)
    page_request.audit("student", "seen", detail, shown | named)


def _ask_to_confirm(
    page_request: PageRequest, form: StudentForm, required: ConfirmationRequired
) -> None:
    """Ask in the form; only students whom the member may see are named."""
    visible = visibility.visible_students(page_request.member).filter(pk__in=required.students)
    named = [short_name(student) for student in visible.order_by("pk")]
    who = f": {join_words(named)}" if named else " at a school that you can't see"
    form.ask_to_confirm(
        f"another student has nearly the same name and date of birth, or student ID{who}. "
        "If they are two people, select the box at the end of the form and save again"
    )


def _ask(page_request: PageRequest, key: int, question: Question) -> HttpResponse | None:
    """Return the page that asks about a student, which is recorded; None once it is answered."""
    page = ask(page_request, question)
    if page:
        page_request.audit("student", "seen", f"student with key {key}, in a question", [key])
    return page


def _set_status(
    page_request: PageRequest, student: Student, status: str, result: str
) -> HttpResponse:
    key = student.pk
    try:
        edits_by_member.set_status(page_request.member, key, status, page_request.now)
    except (StudentNotVisible, InvalidStudent):
        page_request.error(
            "Nothing was changed: the student is no longer at one of your schools, "
            "or is being changed right now. Try again."
        )
    else:
        page_request.audit("edit student", "ok", f"student with key {key}: {status}", [key])
        page_request.success(f"{student.first_name} {student.last_name} {result}")
    return page_request.redirect("student", key)


def _set_password(page_request: PageRequest, student: Student) -> HttpResponse:
    member, key = page_request.member, student.pk
    version = number_or_zero(page_request.request.POST.get(VERSION, ""))
    try:
        password = edits_by_member.new_password(member, key, page_request.now, version)
    except StudentNotVisible:
        return page_request.not_found("new password", f"student with key {key}")
    except InvalidStudent:
        page_request.error(
            "No password was set: the student has changed since you were asked, perhaps because "
            "a new password was already set. Try again if you still need one."
        )
        return page_request.redirect("student", key)
    page_request.audit("new password", "ok", f"student with key {key}", [key])
    context = {"student": student, "password": password}
    return page_request.render("students/password.html", context)


def _messages(warnings: tuple[Problem, ...]) -> list[str]:
    return [f"{label(problem.column or '')}: {problem.message}." for problem in warnings]
