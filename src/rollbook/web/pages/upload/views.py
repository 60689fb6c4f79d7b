"""The Update button: a template or your own file, the format with a checker, then apply."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from rollbook.accounts.permissions import Permission
from rollbook.districts.models import District
from rollbook.studentfile.columns import BY_NAME, COLUMNS
from rollbook.studentfile.problems.tally import ProblemGroup
from rollbook.studentfile.values.choices import CLASSIFICATIONS, RACES
from rollbook.students.models import Student
from rollbook.text import updates
from rollbook.updates.models import Draft
from rollbook.updates.receiving import drafts
from rollbook.updates.receiving.preview import FilePreview
from rollbook.updates.receiving.receive import QueueFull, Receipt, limits
from rollbook.updates.state_machine import Mode
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.upload_form import Form
from rollbook.web.pages.base import uploads
from rollbook.web.pages.base.column_labels import SECTIONS
from rollbook.web.pages.base.view import POST, PageRequest, member_page
from rollbook.web.pages.upload import template_csv

GONE = 404  # and not 410: nobody is to learn which drafts there were
CHOSEN = "column"
LISTS: Mapping[str, Any] = {"races": RACES, "classifications": CLASSIFICATIONS}


@member_page(Permission.UPDATE_STUDENTS)
def template_or_file(page_request: PageRequest) -> HttpResponse:
    facts = {
        "sections": SECTIONS,
        **LISTS,
        "preselected": template_csv.PRESELECTED,
        "students": Student.objects.filter(district=page_request.district).count(),
    }
    return page_request.render("upload/upload.html", facts)


@member_page(Permission.UPDATE_STUDENTS)
def template(page_request: PageRequest) -> HttpResponseBase:
    """The chosen columns as a file, for a form that is sent with GET; without a choice the usual ones."""
    query = page_request.request.GET
    chosen = template_csv.columns(
        [name for name in query.getlist(CHOSEN) if name in BY_NAME] or template_csv.PRESELECTED
    )
    with_students = query.get("students") == "yes"
    page_request.audit(
        "template", "downloaded", "with the students" if with_students else "without students"
    )
    name = (
        f"{page_request.district.slug}-students.csv" if with_students else "students-template.csv"
    )
    return StreamingHttpResponse(
        template_csv.lines(page_request.district, chosen, with_students),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@member_page(Permission.UPDATE_STUDENTS)
def the_format(page_request: PageRequest) -> HttpResponse:
    return _format(page_request)


@csrf_exempt  # uploading.py reads the form itself, and then has its token compared
@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def upload(page_request: PageRequest) -> HttpResponse:
    try:
        return uploads.handle_upload(page_request.request, lambda form: _kept(page_request, form))
    except ApiError as refused:
        page_request.audit("draft", "not taken", refused.code)
        answer = _format(page_request, status=refused.status, error=uploads.said(refused))
        if refused.retry_after:
            answer.headers["Retry-After"] = str(refused.retry_after)
        return answer


@member_page(Permission.UPDATE_STUDENTS)
def draft(page_request: PageRequest, key: UUID) -> HttpResponse:
    found = drafts.find(page_request.member, key, page_request.now)
    if found is None:
        return _sent_or_gone(page_request, key)
    findings = drafts.load_preview(found)
    page_request.audit("draft", "seen", f"draft {key}")
    facts = {
        "draft": found,
        "found": findings,
        "groups": [group for group in findings.groups if not _is_told(findings, group)],
        "fine": findings.rows - findings.rejected,
        "kept_until": found.created_at + drafts.LIFETIME,
    }
    return page_request.render("upload/preview.html", facts)


@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def apply(page_request: PageRequest, key: UUID) -> HttpResponse:
    found = drafts.find(page_request.member, key, page_request.now)
    if found is None:
        return _sent_or_gone(page_request, key)
    mode = page_request.request.POST.get("mode", Mode.UPDATE)
    if mode not in list(Mode) or drafts.load_preview(found).refusal:
        page_request.error("Nothing was applied. Look at what was found, and choose again.")
        return page_request.redirect("draft", key)
    try:
        return _begun(page_request, drafts.submit(found, Mode(mode)))
    except QueueFull as full:
        page_request.error(_queue_full(page_request.district, full, found))
        return page_request.redirect("draft", key)
    except drafts.DraftExpired:
        return _sent_or_gone(page_request, key)


@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def discard(page_request: PageRequest, key: UUID) -> HttpResponse:
    found = drafts.find(page_request.member, key, page_request.now)
    if found is None:
        return _sent_or_gone(page_request, key)
    drafts.discard(found)
    page_request.audit("draft", "discarded", f"draft {key}")
    page_request.success(f"{found.file_name} is forgotten. Nothing of it was applied.")
    return page_request.redirect("students-format")


def _format(page_request: PageRequest, status: int = 200, error: str = "") -> HttpResponse:
    facts: dict[str, Any] = {
        "columns": COLUMNS,
        **LISTS,
        "encodings": uploads.ENCODINGS,
        "chosen": page_request.request.GET.get(uploads.ENCODING, ""),
        "limits": limits(),
        "error": error,
    }
    return page_request.render("upload/template.html", facts, status)


def _is_told(findings: FilePreview, group: ProblemGroup) -> bool:
    """Whether these are what the page begins with: why the whole file is refused."""
    return findings.refusal is not None and findings.refusal.code == group.code


def _kept(page_request: PageRequest, form: Form) -> HttpResponse:
    """The file has come in whole, from this member's own form."""
    upload = form.require_upload()
    kept = drafts.create(
        page_request.member,
        upload.incoming,
        file_name=upload.name,
        encoding=uploads.encoding_of(form),
        now=page_request.now,
    )
    page_request.audit(
        "draft", "refused" if drafts.load_preview(kept).refusal else "kept", f"draft {kept.pk}"
    )
    return page_request.redirect("draft", kept.pk)


def _begun(page_request: PageRequest, receipt: Receipt) -> HttpResponse:
    """On to the update, as which ``start`` would have answered."""
    update = receipt.update
    page_request.audit(
        "start", "replayed" if receipt.replayed else update.state, f"update {update.number}"
    )
    if receipt.replayed:
        page_request.success(
            f"This file is update {update.number} already; nothing was begun twice."
        )
    elif receipt.same_as:
        page_request.success(
            f"The file is the same as that of update {receipt.same_as.number}, so little may change."
        )
    return page_request.redirect("update", update.number)


def _sent_or_gone(page_request: PageRequest, key: UUID) -> HttpResponse:
    """The draft cannot be sent any more: the update it became, or that there is none."""
    sent = drafts.find_submitted(page_request.member, key)
    if sent:
        page_request.success(f"This file was sent already: it is update {sent.number}.")
        return page_request.redirect("update", sent.number)
    return page_request.render(
        "upload/draft_expired.html", {"hours": drafts.LIFETIME // timedelta(hours=1)}, GONE
    )


def _queue_full(district: District, full: QueueFull, found: Draft) -> str:
    return (
        f"{updates(full.waiting).capitalize()} of {district.name} wait already, and no more can. "
        f"{found.file_name} is still here: apply it when one of them has ended, or cancel one that you do not need."
    )
