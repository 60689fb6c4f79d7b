"""Propose, try, save, show and remove column mappings."""

import json
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import urlencode

from rollbook.accounts.permissions import Permission
from rollbook.studentfile.mapping.choice import RequestedMapping
from rollbook.studentfile.mapping.edit import with_fix
from rollbook.studentfile.mapping.errors import InvalidMapping
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.studentfile.mapping.sample import Sample
from rollbook.studentfile.mapping.sizes import MAX_DOCUMENT_BYTES
from rollbook.updates.mappings import store
from rollbook.updates.mappings.proposals import propose_for
from rollbook.updates.models import Draft, UpdateJob
from rollbook.updates.receiving import drafts
from rollbook.updates.receiving.files import FileMissing
from rollbook.updates.state_machine import PLAN_WAITING, State
from rollbook.web.pages.base.questions import Question, ask
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.mapping.forms import (
    ColumnsForm,
    DocumentForm,
    document_of,
    initial_columns,
)
from rollbook.web.pages.mapping.page_data import example_of
from rollbook.web.pages.mapping.result_columns import name_to_save, sample_of
from rollbook.web.pages.mapping.saving import save_mapping
from rollbook.web.pages.upload.checking import check_if_possible

VERSIONS_SHOWN = 10
_FIX = ("column", "step")
"""The fields of a fix."""


@member_page(Permission.MANAGE_SETTINGS)
def index(page_request: PageRequest) -> HttpResponse:
    """List the column mappings."""
    context = {
        "mappings": store.find_all(page_request.district.pk),
        "may_upload": page_request.may(Permission.UPDATE_STUDENTS),
    }
    return page_request.render("mapping/index.html", context)


@member_page(Permission.MANAGE_SETTINGS)
def detail(page_request: PageRequest, name: str) -> HttpResponse:
    """Show a column mapping."""
    district = page_request.district
    found = page_request.require(store.find(district.pk, name), "mapping", name)
    context = {
        "stored": found,
        "mapping": found.mapping,
        "document": document_of(found.mapping) if found.mapping else "",
        "versions": store.versions(district.pk, name, VERSIONS_SHOWN),
    }
    return page_request.render("mapping/detail.html", context)


@member_page(Permission.MANAGE_SETTINGS, methods=POST)
def remove(page_request: PageRequest, name: str) -> HttpResponse:
    """Remove a column mapping."""
    page_request.require(store.find(page_request.district.pk, name), store.ACTION, name)
    question = Question(
        f"Remove the column mapping {name}?",
        (
            "Files with the columns of your student information system are not accepted without "
            "it, beginning with the next one.",
            "Updates that used it keep their results. To use it again, map the columns of a file "
            "again.",
        ),
        f"Remove {name}",
        resolve_url("mapping", name),
    )
    if page := ask(page_request, question):
        return page
    removed = store.remove(page_request.district, name, page_request.member, page_request.now)
    page_request.require(removed, store.ACTION, name)
    page_request.audit(store.ACTION, "removed", name)
    page_request.success(f"{name} was removed. It applies to no file anymore.")
    return page_request.redirect("mappings")


@member_page(Permission.MANAGE_SETTINGS, methods=POST)
def of_update(page_request: PageRequest, number: int) -> HttpResponse:
    """Open the file of a refused update or of a plan again, to map its columns or to add a fix.

    A fix is a step of a mapping, in the fields ``column`` and ``step``.
    """
    updates = UpdateJob.objects.filter(
        district=page_request.district, state__in=(State.REFUSED, *PLAN_WAITING), split_from=None
    )
    update = page_request.require(
        updates.filter(number=number, file_removed_at=None).first(), "mapping", f"update {number}"
    )
    try:
        draft = drafts.of_update(update, page_request.member, page_request.now)
    except FileMissing:
        page_request.error("The file of this update is no longer stored. Upload it again.")
        return page_request.redirect("update", number)
    page_request.audit("draft", "kept", f"draft {draft.pk}, the file of update {number}")
    fix = {name: page_request.request.POST.get(name, "") for name in _FIX}
    if all(fix.values()):
        return redirect(f"{resolve_url('draft-mapping', draft.pk)}?{urlencode(fix)}")
    return page_request.redirect("draft-mapping", draft.pk)


@member_page(Permission.MANAGE_SETTINGS, methods=FORM)
def of_draft(page_request: PageRequest, key: UUID) -> HttpResponse:
    """Propose a mapping for an uploaded file, try it on the file, and save it."""
    draft = drafts.find_draft(page_request.member, key, page_request.now)
    if draft is None:
        submitted = drafts.find_submitted(page_request.member, key)
        update = page_request.require(submitted, "draft", f"mapping of draft {key}")
        return page_request.redirect("update", update.number)
    sample = sample_of(draft)
    if sample is None:
        page_request.error("This file has no columns that could be mapped.")
        return page_request.redirect("draft", key)
    base, title = _base(page_request, draft, sample)
    form = _form(page_request, sample, base)
    if form is not None and form.is_valid() and form.mapping:
        if page_request.request.POST.get("do") == "save":
            with form.collect_reasons():
                return _save(page_request, draft, form.mapping)
        else:
            return _render(page_request, draft, sample, form.mapping, form, is_trial=True)
    mapping = form.mapping if form and form.mapping else base
    return _render(page_request, draft, sample, mapping, form, title=title)


def _base(
    page_request: PageRequest, draft: Draft, sample: Sample
) -> tuple[MappingDocument | None, str]:
    """Return what the page begins with, and the system whose preset it is, if it is one.

    That is the mapping of the file, if it has one, or what is proposed. A fix is added to it.
    """
    current, query = draft.mapping_document, page_request.request.GET
    if query.get("column") and query.get("step"):
        try:
            step = json.loads(query["step"][:MAX_DOCUMENT_BYTES])
            return with_fix(current, sample.names, query["column"], step), ""
        except (ValueError, RecursionError, InvalidMapping):
            page_request.error("This fix can’t be added to the mapping of the file.")
    if current:
        return current.as_version(current.version, name_to_save(current.name)), ""
    proposal = propose_for(page_request.district, sample)
    return (proposal.mapping, proposal.title) if proposal else (None, "")


def _form(
    page_request: PageRequest, sample: Sample, base: MappingDocument | None
) -> ColumnsForm | DocumentForm | None:
    """Return the form that was submitted; None if none was."""
    data = page_request.form_data
    if data is None:
        return None
    if data.get("form") == "document":
        return DocumentForm(data)
    plain = DocumentForm({"document": data.get("document", "")})
    plain.is_valid()
    return ColumnsForm(sample.names, plain.mapping or base or _nothing(), data)


def _nothing() -> MappingDocument:
    return MappingDocument("student-file", 0, ())


def _save(page_request: PageRequest, draft: Draft, mapping: MappingDocument) -> HttpResponse:
    """Save the mapping, read the uploaded file through it, and check it against the roster."""
    choice = save_mapping(page_request, mapping, draft.header, for_next_files=True)
    try:
        drafts.read_again(draft, choice, page_request.now)
    except drafts.DraftExpired:
        return page_request.redirect("draft", draft.pk)
    return check_if_possible(page_request, draft)


def _render(
    page_request: PageRequest,
    draft: Draft,
    sample: Sample,
    mapping: MappingDocument | None,
    form: ColumnsForm | DocumentForm | None,
    *,
    title: str = "",
    is_trial: bool = False,
) -> HttpResponse:
    shown = mapping or _nothing()
    columns = ColumnsForm(sample.names, shown)
    columns.initial = initial_columns(shown)
    document = DocumentForm(initial={"document": document_of(shown)})
    if form and form.errors:
        columns = form if isinstance(form, ColumnsForm) else columns
        document = form if isinstance(form, DocumentForm) else document
    example = example_of(page_request, sample, mapping) if mapping else None
    preview = None
    if is_trial and mapping:
        preview = drafts.try_mapping(draft, RequestedMapping(mapping), page_request.now)
    students = example.students if example else set()
    page_request.audit("draft", "seen", f"mapping of draft {draft.pk}", students)
    context = {
        "draft": draft,
        "form": form,
        "title": title,
        "mapping": mapping,
        "columns": columns,
        "document": document,
        "example": example,
        "preview": preview,
        "accepted": preview.checked - preview.rejected if preview else 0,
    }
    status = form.page_status if form and form.errors else 200
    return page_request.render("mapping/draft.html", context, status)
