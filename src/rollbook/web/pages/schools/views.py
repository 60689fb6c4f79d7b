"""Schools: the places of a district, one by one or out of a CSV file."""

from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt

from rollbook.accounts.permissions import Permission
from rollbook.districts import schools
from rollbook.districts.schools import COLUMNS, InvalidSchool
from rollbook.studentfile.small_csv import CsvRejected
from rollbook.updates import runner
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.upload_form import Form
from rollbook.web.pages.base import uploads
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.schools.forms import NewSchool, SchoolName

LARGEST = 1 << 20
"""Bytes of a file of schools."""


@member_page(Permission.MANAGE_SCHOOLS)
def index(page_request: PageRequest) -> HttpResponse:
    return page_request.render(
        "schools/index.html", {"schools": schools.schools_of(page_request.district)}
    )


@member_page(Permission.MANAGE_SCHOOLS, methods=FORM)
def new(page_request: PageRequest) -> HttpResponse:
    form = NewSchool(page_request.form_data)
    if form.is_valid():
        with form.collect_reasons():
            school = schools.add(
                page_request.district,
                form.cleaned_data["organization_id"],
                form.cleaned_data["name"],
            )
            page_request.audit("add school", "ok", f"school {school.pk}, {school.organization_id}")
            page_request.success(f"{school.name} is a school of {page_request.district.name} now.")
            return page_request.redirect("schools")
    return page_request.render_form("schools/detail.html", form)


@member_page(Permission.MANAGE_SCHOOLS, methods=FORM)
def detail(page_request: PageRequest, key: int) -> HttpResponse:
    school = page_request.require(
        schools.find(page_request.district, key), "rename school", f"school {key}"
    )
    before = school.name
    form = SchoolName(page_request.form_data, initial={"name": before})
    if form.is_valid():
        with form.collect_reasons():
            schools.rename(school, form.cleaned_data["name"])
            page_request.audit(
                "rename school", "ok", f"school {school.pk}, {school.organization_id}"
            )
            page_request.success(f"{before} is called {school.name} now.")
            return page_request.redirect("schools")
    facts = {"school": school, "may_edit": page_request.may(Permission.EDIT_STUDENTS)}
    return page_request.render_form("schools/detail.html", form, facts)


@member_page(Permission.MANAGE_SCHOOLS, methods=POST)
def close(page_request: PageRequest, key: int) -> HttpResponse:
    """Not while an update runs or waits: its rows may name the school."""
    school = page_request.require(
        schools.find(page_request.district, key), "close school", f"school {key}"
    )
    try:
        if page_request.district.pk in runner.busy_districts():
            raise InvalidSchool(
                ["an update runs or waits, which may name the school; try again when it has ended"]
            )
        schools.close(school)
    except InvalidSchool as refused:
        page_request.audit("close school", "refused", f"school {key}")
        page_request.error(f"{school.name} is not closed: {refused}.")
    else:
        page_request.audit("close school", "ok", f"school {key}, {school.organization_id}")
        page_request.success(f"{school.name} is closed.")
    return page_request.redirect("schools")


@member_page(Permission.MANAGE_SCHOOLS)
def school_file(page_request: PageRequest) -> HttpResponse:
    """Where a file of schools is chosen, and what it may say."""
    return _school_file(page_request)


@csrf_exempt  # uploading.py reads the form itself, and then has its token compared
@member_page(Permission.MANAGE_SCHOOLS, methods=POST)
def load_file(page_request: PageRequest) -> HttpResponse:
    """The schools of the file, if all of it is right."""
    try:
        return uploads.handle_upload(page_request.request, lambda form: _loaded(page_request, form))
    except ApiError as refused:
        page_request.audit("load schools", "not taken", refused.code)
        return _school_file(page_request, refused.status, uploads.said(refused))


def _loaded(page_request: PageRequest, form: Form) -> HttpResponse:
    """The file has come in whole, from this member's own form."""
    try:
        file = schools.read(uploads.small_file(form, LARGEST))
    except CsvRejected as refused:
        page_request.audit("load schools", "refused", refused.code)
        return _school_file(page_request, 422, f"No school was loaded: {refused}.")
    if file.problems:
        page_request.audit("load schools", "refused", f"{len(file.problems)} problems")
        return _school_file(
            page_request,
            422,
            "No school was loaded. Mend these lines, and send the file again.",
            file.problems,
        )
    loaded = schools.load(page_request.district, file.names)
    page_request.audit("load schools", "ok", str(loaded))
    page_request.success(f"Schools: {loaded}.")
    return page_request.redirect("schools")


def _school_file(
    page_request: PageRequest,
    status: int = 200,
    error: str = "",
    problems: list[tuple[int, str]] | None = None,
) -> HttpResponse:
    facts = {"columns": ",".join(COLUMNS), "error": error, "problems": problems}
    return page_request.render("schools/import.html", facts, status)
