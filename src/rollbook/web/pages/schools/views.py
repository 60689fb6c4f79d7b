"""Schools: the places of a district, one by one or out of a CSV file."""

from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt

from rollbook.web.pages.base import uploads
from rollbook.web.pages.schools.forms import NewSchool, SchoolName
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.http.upload_form import Form
from rollbook.web.http.error_codes import ApiError
from rollbook.studentfile.small_csv import CsvRejected
from rollbook.districts import schools
from rollbook.districts.schools import COLUMNS, InvalidSchool
from rollbook.accounts.permissions import Permission
from rollbook.updates import runner

LARGEST = 1 << 20
"""Bytes of a file of schools."""


@member_page(Permission.MANAGE_SCHOOLS)
def index(visit: PageRequest) -> HttpResponse:
    return visit.render("schools/index.html", {"schools": schools.schools_of(visit.district)})


@member_page(Permission.MANAGE_SCHOOLS, methods=FORM)
def new(visit: PageRequest) -> HttpResponse:
    form = NewSchool(visit.form_data)
    if form.is_valid():
        with form.collect_reasons():
            school = schools.add(visit.district, form.cleaned_data["organization_id"], form.cleaned_data["name"])
            visit.audit("add school", "ok", f"school {school.pk}, {school.organization_id}")
            visit.success(f"{school.name} is a school of {visit.district.name} now.")
            return visit.redirect("schools")
    return visit.render_form("schools/detail.html", form)


@member_page(Permission.MANAGE_SCHOOLS, methods=FORM)
def detail(visit: PageRequest, key: int) -> HttpResponse:
    school = visit.require(schools.find(visit.district, key), "rename school", f"school {key}")
    before = school.name
    form = SchoolName(visit.form_data, initial={"name": before})
    if form.is_valid():
        with form.collect_reasons():
            schools.rename(school, form.cleaned_data["name"])
            visit.audit("rename school", "ok", f"school {school.pk}, {school.organization_id}")
            visit.success(f"{before} is called {school.name} now.")
            return visit.redirect("schools")
    facts = {"school": school, "may_edit": visit.may(Permission.EDIT_STUDENTS)}
    return visit.render_form("schools/detail.html", form, facts)


@member_page(Permission.MANAGE_SCHOOLS, methods=POST)
def close(visit: PageRequest, key: int) -> HttpResponse:
    """Not while an update runs or waits: its rows may name the school."""
    school = visit.require(schools.find(visit.district, key), "close school", f"school {key}")
    try:
        if visit.district.pk in runner.busy_districts():
            raise InvalidSchool(["an update runs or waits, which may name the school; try again when it has ended"])
        schools.close(school)
    except InvalidSchool as refused:
        visit.audit("close school", "refused", f"school {key}")
        visit.error(f"{school.name} is not closed: {refused}.")
    else:
        visit.audit("close school", "ok", f"school {key}, {school.organization_id}")
        visit.success(f"{school.name} is closed.")
    return visit.redirect("schools")


@member_page(Permission.MANAGE_SCHOOLS)
def school_file(visit: PageRequest) -> HttpResponse:
    """Where a file of schools is chosen, and what it may say."""
    return _school_file(visit)


@csrf_exempt  # uploading.py reads the form itself, and then has its token compared
@member_page(Permission.MANAGE_SCHOOLS, methods=POST)
def load_file(visit: PageRequest) -> HttpResponse:
    """The schools of the file, if all of it is right."""
    try:
        return uploads.handle_upload(visit.request, lambda form: _loaded(visit, form))
    except ApiError as refused:
        visit.audit("load schools", "not taken", refused.code)
        return _school_file(visit, refused.status, uploads.said(refused))


def _loaded(visit: PageRequest, form: Form) -> HttpResponse:
    """The file has come in whole, from this member's own form."""
    try:
        file = schools.read(uploads.small_file(form, LARGEST))
    except CsvRejected as refused:
        visit.audit("load schools", "refused", refused.code)
        return _school_file(visit, 422, f"No school was loaded: {refused}.")
    if file.problems:
        visit.audit("load schools", "refused", f"{len(file.problems)} problems")
        return _school_file(
            visit, 422, "No school was loaded. Mend these lines, and send the file again.", file.problems
        )
    loaded = schools.load(visit.district, file.names)
    visit.audit("load schools", "ok", str(loaded))
    visit.success(f"Schools: {loaded}.")
    return visit.redirect("schools")


def _school_file(
    visit: PageRequest, status: int = 200, error: str = "", problems: list[tuple[int, str]] | None = None
) -> HttpResponse:
    facts = {"columns": ",".join(COLUMNS), "error": error, "problems": problems}
    return visit.render("schools/import.html", facts, status)
