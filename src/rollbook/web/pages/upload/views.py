"""Update students from a file: upload it, see what the check finds, and apply it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from rollbook.accounts import notices
from rollbook.accounts.notices import Notice
from rollbook.accounts.permissions import Permission
from rollbook.districts import modes
from rollbook.districts.models import School
from rollbook.districts.modes import Channel
from rollbook.studentfile.columns import BY_NAME, COLUMNS, CONFIDENTIAL, Column
from rollbook.studentfile.problems.tally import ProblemGroup
from rollbook.studentfile.values.choices import CLASSIFICATIONS, RACES
from rollbook.students import recognition, snapshots
from rollbook.students.models import Student
from rollbook.text import format_short_time
from rollbook.updates.models import Draft
from rollbook.updates.receiving import drafts
from rollbook.updates.receiving.file_limits import file_limits
from rollbook.updates.receiving.kept_bytes import QuotaExceeded
from rollbook.updates.receiving.preview import FilePreview
from rollbook.updates.receiving.suggested_mode import suggest_mode
from rollbook.updates.state_machine import Mode
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.upload_form import Form
from rollbook.web.pages.account.confirmation import ask_for_proof
from rollbook.web.pages.base import uploads
from rollbook.web.pages.base.column_labels import SECTIONS
from rollbook.web.pages.base.listed_problems import list_problems
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.mapping.result_columns import ResultColumns, columns_of_draft
from rollbook.web.pages.updates.downloads import csv_response
from rollbook.web.pages.upload import template_csv
from rollbook.web.pages.upload.checking import check, check_if_possible

EXPIRED_STATUS = 404  # rather than 410, which would disclose which drafts there were
COLUMN_FIELD = "column"
VALUE_LISTS: Mapping[str, Any] = {"races": RACES, "classifications": CLASSIFICATIONS}


@member_page(Permission.UPDATE_STUDENTS, methods=FORM)
def template(page_request: PageRequest) -> HttpResponseBase:
    """Return a CSV file with the chosen columns; the usual ones if none is chosen.

    The file with all students needs a recent proof of who the member is.
    """
    query = page_request.request.GET
    names = [name for name in query.getlist(COLUMN_FIELD) if name in BY_NAME]
    columns = template_csv.columns(names or template_csv.PRESELECTED)
    students: list[int] = []
    file_name = "students-template.csv"
    if query.get("students") == "yes":
        if question := ask_for_proof(page_request):
            return question
        notices.notify(
            Notice.MASS_DOWNLOAD, page_request.now, page_request.member, detail="all students"
        )
        students = snapshots.list_district(page_request.district.pk)
        file_name = f"{page_request.district.slug}-students.csv"
        columns = _record_roster(page_request, columns, students)
    else:
        page_request.audit("template", "downloaded", "without students")
    return StreamingHttpResponse(
        template_csv.lines(page_request.district, columns, students),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def _record_roster(
    page_request: PageRequest, columns: tuple[Column, ...], students: list[int]
) -> tuple[Column, ...]:
    """Record that students are downloaded, and return the columns that the member may see."""
    page_request.audit("template", "downloaded", "with the students", students)
    if not page_request.may(Permission.SEE_CONFIDENTIAL):
        return tuple(column for column in columns if column.name not in CONFIDENTIAL)
    confidential = [column.name for column in columns if column.name in CONFIDENTIAL]
    if confidential:
        detail = f"template: {', '.join(confidential)}"
        page_request.audit_confidential("downloaded", detail, students)
    return columns


@member_page(Permission.UPDATE_STUDENTS)
def sample(page_request: PageRequest) -> HttpResponseBase:
    """Return a student file with made-up students, to try what a check finds."""
    page_request.audit("template", "downloaded", "sample data")
    school = School.objects.filter(district=page_request.district).order_by("pk").first()
    lines = template_csv.sample_lines(school.organization_id if school else "1")
    return csv_response(lines, "sample-students.csv")


@member_page(Permission.UPDATE_STUDENTS)
def upload_form(page_request: PageRequest) -> HttpResponse:
    """Render the form to upload a file, with templates below."""
    return _render_upload_form(page_request)


@csrf_exempt  # uploads.handle_upload reads the form itself, and then checks its token
@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def upload(page_request: PageRequest) -> HttpResponse:
    """Receive a file, and check it: by itself, and then against the roster."""
    try:
        return uploads.handle_upload(
            page_request.request, lambda form: _create_draft(page_request, form)
        )
    except ApiError as refused:
        page_request.audit("draft", "not taken", refused.code)
        message = uploads.user_message(refused)
        response = _render_upload_form(page_request, status=refused.status, error=message)
        if refused.retry_after:
            response.headers["Retry-After"] = str(refused.retry_after)
        return response
    except QuotaExceeded as exceeded:
        page_request.audit("draft", "not taken", "quota_exceeded")
        message = f"Your file wasn’t kept: {exceeded}."
        return _render_upload_form(page_request, status=413, error=message)


@member_page(Permission.UPDATE_STUDENTS)
def draft(page_request: PageRequest, key: UUID) -> HttpResponse:
    """Render what was found in a file that wasn't checked against the roster."""
    found = drafts.find_draft(page_request.member, key, page_request.now)
    if found is None:
        return _submitted_or_expired(page_request, key)
    return render_draft(page_request, found)


@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def apply(page_request: PageRequest, key: UUID) -> HttpResponse:
    """Check the draft against the roster in the chosen mode."""
    found = drafts.find_draft(page_request.member, key, page_request.now)
    if found is None:
        return _submitted_or_expired(page_request, key)
    mode = page_request.request.POST.get("mode", Mode.UPDATE)
    is_refused = drafts.load_preview(found).refusal
    if is_refused or mode not in modes.allowed_modes(found.district, Channel.PAGES):
        page_request.error("Nothing was applied. Check the problems below, and choose again.")
        return page_request.redirect("draft", key)
    try:
        return check(page_request, found, Mode(mode))
    except drafts.DraftExpired:
        return _submitted_or_expired(page_request, key)


@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def discard(page_request: PageRequest, key: UUID) -> HttpResponse:
    """Delete a draft, and offer to choose another file."""
    found = drafts.find_draft(page_request.member, key, page_request.now)
    if found is None:
        return _submitted_or_expired(page_request, key)
    drafts.discard_draft(found)
    page_request.audit("draft", "discarded", f"draft {key}")
    page_request.success(f"{found.file_name} deleted. Nothing was applied.")
    return page_request.redirect("students-format")


def render_draft(
    page_request: PageRequest, found: Draft, columns: ResultColumns | None = None
) -> HttpResponse:
    """Render the result of a file that wasn't checked against the roster.

    Args:
        page_request: The request.
        found: The draft.
        columns: Its columns, with the form that was submitted; None: none was.
    """
    preview = drafts.load_preview(found)
    suggested = suggest_mode(found, found.district)
    columns = columns or columns_of_draft(page_request, found, preview.refusal)
    time_zone = page_request.district.time_zone
    texts = [*_texts(preview), *(column.name for column in columns.columns)]
    shown = recognition.students_named(page_request.district.pk, texts)
    page_request.audit("draft", "seen", f"draft {found.pk}", shown)
    context = {
        "draft": found,
        "preview": preview,
        "columns": columns,
        "problems": list_problems(_shown_below(preview), confidential=True),
        "accepted": preview.rows - preview.rejected,
        "modes": modes.allowed_modes(page_request.district, Channel.PAGES),
        "mode": suggested.mode if suggested else "",
        "delete_at": format_short_time(
            found.created_at + drafts.LIFETIME, page_request.now, time_zone
        ),
    }
    status = columns.form.page_status if columns.form else 200
    return page_request.render("upload/preview.html", context, status)


def _render_upload_form(
    page_request: PageRequest, status: int = 200, error: str = ""
) -> HttpResponse:
    context: dict[str, Any] = {
        "columns": COLUMNS,
        **VALUE_LISTS,
        "encodings": uploads.ENCODINGS,
        "chosen": page_request.request.GET.get(uploads.ENCODING, ""),
        "limits": file_limits(),
        "error": error,
        "sections": SECTIONS,
        "preselected": template_csv.PRESELECTED,
        "students": Student.objects.filter(district=page_request.district).count(),
        "may_see_confidential": page_request.may(Permission.SEE_CONFIDENTIAL),
    }
    return page_request.render("upload/upload.html", context, status)


def _shown_below(preview: FilePreview) -> list[ProblemGroup]:
    """Return the problems without those on top of the page: why the file is not accepted."""
    refusal = preview.refusal.code if preview.refusal else ""
    return [group for group in preview.groups if group.code != refusal]


def _texts(preview: FilePreview) -> list[str]:
    """Return the texts of a preview that can name students."""
    problems = [*preview.problems]
    for group in preview.groups:
        problems += group.first
    return [f"{problem.found} {problem.hint}" for problem in problems]


def _create_draft(page_request: PageRequest, form: Form) -> HttpResponse:
    """Keep the uploaded file as a draft; called after the form's token was checked."""
    upload = form.require_upload()
    created = drafts.create_draft(
        page_request.member,
        upload.incoming,
        file_name=upload.name,
        encoding=uploads.chosen_encoding(form),
        now=page_request.now,
    )
    result = "refused" if drafts.load_preview(created).refusal else "kept"
    page_request.audit("draft", result, f"draft {created.pk}")
    return check_if_possible(page_request, created)


def _submitted_or_expired(page_request: PageRequest, key: UUID) -> HttpResponse:
    """Redirect to the update that the draft has become, or tell that there is no such draft."""
    submitted = drafts.find_submitted(page_request.member, key)
    if submitted:
        if page_request.request.method == "POST":
            page_request.success(f"This file was already checked as update {submitted.number}.")
        return page_request.redirect("update", submitted.number)
    context = {"hours": drafts.LIFETIME // timedelta(hours=1)}
    return page_request.render("upload/draft_expired.html", context, EXPIRED_STATUS)
