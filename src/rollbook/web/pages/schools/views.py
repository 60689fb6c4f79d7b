"""Schools: list, add, rename and close the schools of a district, or load them from a CSV file."""

from django.http import HttpResponse
from django.shortcuts import resolve_url
from django.views.decorators.csrf import csrf_exempt

from rollbook.accounts.members.members import staff_of_school
from rollbook.accounts.models import Member
from rollbook.accounts.permissions import Permission
from rollbook.districts import schools
from rollbook.districts.models import School
from rollbook.districts.schools import COLUMNS, InvalidSchool
from rollbook.studentfile.small_csv import CsvRejected
from rollbook.students.manual.schools import (
    add_school,
    close_school,
    list_schools,
    load_schools,
)
from rollbook.text import count_of
from rollbook.updates import runner
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.upload_form import Form
from rollbook.web.pages.base import uploads
from rollbook.web.pages.base.questions import Question, ask
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.schools.forms import NewSchool, SchoolName

MAX_FILE_BYTES = 1 << 20


@member_page(Permission.MANAGE_SCHOOLS)
def index(page_request: PageRequest) -> HttpResponse:
    """List the schools with the numbers of their students."""
    context = {"schools": list_schools(page_request.district)}
    return page_request.render("schools/index.html", context)


@member_page(Permission.MANAGE_SCHOOLS, methods=FORM)
def new(page_request: PageRequest) -> HttpResponse:
    """Add a school."""
    form = NewSchool(page_request.form_data)
    if form.is_valid():
        with form.collect_reasons():
            school = add_school(
                page_request.district,
                form.cleaned_data["organization_id"],
                form.cleaned_data["name"],
            )
            page_request.audit("add school", "ok", f"school {school.pk}, {school.organization_id}")
            page_request.success(f"School added: {school.name}.")
            return page_request.redirect("schools")
    return page_request.render_form("schools/detail.html", form)


@member_page(Permission.MANAGE_SCHOOLS, methods=FORM)
def detail(page_request: PageRequest, key: int) -> HttpResponse:
    """Show a school, and rename it."""
    school = page_request.require(
        schools.find(page_request.district, key), "rename school", f"school {key}"
    )
    old_name = school.name
    form = SchoolName(page_request.form_data, initial={"name": old_name})
    if form.is_valid():
        with form.collect_reasons():
            schools.rename(school, form.cleaned_data["name"])
            page_request.audit(
                "rename school", "ok", f"school {school.pk}, {school.organization_id}"
            )
            page_request.success(f"School renamed: {old_name} is now {school.name}.")
            return page_request.redirect("schools")
    context = {"school": school, "may_edit": page_request.may(Permission.EDIT_STUDENTS)}
    return page_request.render_form("schools/detail.html", form, context)


@member_page(Permission.MANAGE_SCHOOLS, methods=POST)
def close(page_request: PageRequest, key: int) -> HttpResponse:
    """Close a school, unless an update is running or queued: its rows may refer to the school."""
    school = page_request.require(
        schools.find(page_request.district, key), "close school", f"school {key}"
    )
    question = _before_closing(school)
    if question and (page := ask(page_request, question)):
        return page
    try:
        if page_request.district.pk in runner.busy_districts():
            raise InvalidSchool(
                [
                    "an update that may refer to it is running or queued;"
                    " try again when the update has finished"
                ]
            )
        close_school(school)
    except InvalidSchool as error:
        page_request.audit("close school", "refused", f"school {key}")
        page_request.error(f"{school.name} wasn’t closed: {error}.")
    else:
        page_request.audit("close school", "ok", f"school {key}, {school.organization_id}")
        page_request.success(f"School closed: {school.name}.")
    return page_request.redirect("schools")


def _before_closing(school: School) -> Question | None:
    """Return the question before a school is closed; None if its students prevent that anyway."""
    if school.student_set.exists():
        return None
    staff = staff_of_school(school)
    effects = [
        "The school and its groups are removed, which can’t be undone. Rows of student files that "
        "refer to it will be rejected.",
    ]
    if staff:
        effects.append(
            f"{count_of(len(staff), 'staff member')} will no longer be assigned to it. Those "
            "without another school can still sign in, but won’t see any students until you assign "
            "one:"
        )
    return Question(
        f"Close {school.name}?",
        effects,
        f"Close {school.name}",
        resolve_url("school", school.pk),
        [_with_schools(member, others) for member, others in staff],
    )


def _with_schools(member: Member, others: int) -> str:
    left = f"also at {count_of(others, 'other school')}" if others else "at no other school"
    return f"{member.name} ({member.email}), {left}"


@member_page(Permission.MANAGE_SCHOOLS)
def school_file(page_request: PageRequest) -> HttpResponse:
    """Show the form that uploads a file of schools."""
    return _render_import(page_request)


@csrf_exempt  # handle_upload() reads the form itself and then checks its CSRF token
@member_page(Permission.MANAGE_SCHOOLS, methods=POST)
def load_file(page_request: PageRequest) -> HttpResponse:
    """Load the schools of the uploaded file, or none if any line has a problem."""
    try:
        return uploads.handle_upload(page_request.request, lambda form: _load(page_request, form))
    except ApiError as error:
        page_request.audit("load schools", "not taken", error.code)
        return _render_import(page_request, error.status, uploads.user_message(error))


def _load(page_request: PageRequest, form: Form) -> HttpResponse:
    """Load the schools of a form whose CSRF token has been checked."""
    try:
        file = schools.read(uploads.small_file(form, MAX_FILE_BYTES))
    except CsvRejected as error:
        page_request.audit("load schools", "refused", error.code)
        return _render_import(page_request, 422, f"No school was loaded: {error}.")
    if file.problems:
        page_request.audit("load schools", "refused", f"{len(file.problems)} problems")
        return _render_import(
            page_request,
            422,
            "No school was loaded. Fix these lines, then upload the file again.",
            file.problems,
        )
    loaded = load_schools(page_request.district, file.names)
    page_request.audit("load schools", "ok", str(loaded))
    page_request.success(f"Schools loaded: {loaded}.")
    return page_request.redirect("schools")


def _render_import(
    page_request: PageRequest,
    status: int = 200,
    error: str = "",
    problems: list[tuple[int, str]] | None = None,
) -> HttpResponse:
    context = {"columns": ",".join(COLUMNS), "error": error, "problems": problems}
    return page_request.render("schools/import.html", context, status)
