"""Map the columns of a file on its result page, and check the file again."""

import json
from uuid import UUID

from django.http import HttpResponse

from rollbook.accounts.permissions import Permission
from rollbook.studentfile.mapping.edit import with_fix
from rollbook.studentfile.mapping.errors import InvalidMapping
from rollbook.studentfile.mapping.sizes import MAX_DOCUMENT_BYTES
from rollbook.updates.mappings.choice import FileMappings
from rollbook.updates.models import Draft, UpdateJob
from rollbook.updates.planning import decisions
from rollbook.updates.receiving import drafts
from rollbook.updates.receiving.files import FileMissing
from rollbook.updates.reporting.report import find
from rollbook.web.pages.base import errors
from rollbook.web.pages.base.view import POST, PageRequest, member_page
from rollbook.web.pages.mapping.header_form import HeaderForm
from rollbook.web.pages.mapping.result_columns import columns_of_draft, columns_of_update
from rollbook.web.pages.mapping.saving import save_mapping
from rollbook.web.pages.plan.views import is_undecided, render_plan
from rollbook.web.pages.upload.checking import check_if_possible
from rollbook.web.pages.upload.views import render_draft

_GONE = "Nothing was changed: the file is no longer stored. Upload it again."


@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def of_draft(page_request: PageRequest, key: UUID) -> HttpResponse:
    """Map the columns of a file that was not accepted, and check it again."""
    if not page_request.may(Permission.MANAGE_SETTINGS):
        return _not_allowed(page_request, f"columns of draft {key}")
    draft = drafts.find_draft(page_request.member, key, page_request.now)
    if draft is None:
        submitted = drafts.find_submitted(page_request.member, key)
        update = page_request.require(submitted, "draft", f"columns of draft {key}")
        return page_request.redirect("update", update.number)
    refusal = drafts.load_preview(draft).refusal
    columns = columns_of_draft(page_request, draft, refusal, page_request.request.POST)
    form = columns.form
    if form is None:
        page_request.error("This file has no columns that could be mapped.")
        return page_request.redirect("draft", key)
    if form.is_valid():
        with form.collect_reasons():
            return _read_again(page_request, draft, form)
    return render_draft(page_request, draft, columns)


@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def of_update(page_request: PageRequest, number: int) -> HttpResponse:
    """Map the columns of the file of a plan, and check the file again as another update.

    A fix, in the fields ``column`` and ``step``, is a step of a mapping for this file.
    """
    if not page_request.may(Permission.MANAGE_SETTINGS):
        return _not_allowed(page_request, f"columns of update {number}")
    found = find(page_request.district, number)
    update = page_request.require(found, "mapping", f"update {number}")
    data = page_request.request.POST
    columns = columns_of_update(page_request, update, data)
    form = columns.form
    if form is None or not is_undecided(update):
        page_request.error("Nothing was changed: this plan no longer waits, or its file is gone.")
        return page_request.redirect("update", number)
    if data.get("step"):
        return _check_with_fix(page_request, update, data.get("column", ""), data["step"])
    if form.is_valid():
        with form.collect_reasons():
            mappings = _save(page_request, form)
            return _check_again(page_request, update, mappings)
    return render_plan(page_request, update, columns=columns, status=form.page_status)


def _read_again(page_request: PageRequest, draft: Draft, form: HeaderForm) -> HttpResponse:
    """Read a draft through the mapping that was submitted, and check it against the roster."""
    mappings = _save(page_request, form)
    try:
        drafts.read_again(draft, mappings, page_request.now)
    except FileMissing:
        page_request.error(_GONE)
        return page_request.redirect("draft", draft.pk)
    except drafts.DraftExpired:
        return page_request.redirect("draft", draft.pk)
    return check_if_possible(page_request, draft)


def _check_with_fix(
    page_request: PageRequest, update: UpdateJob, column: str, step: str
) -> HttpResponse:
    try:
        parsed = json.loads(step[:MAX_DOCUMENT_BYTES])
        mapping = with_fix(update.mapping_document, update.header, column, parsed)
    except (ValueError, RecursionError, InvalidMapping):
        page_request.error("This fix can’t be added to the mapping of the file.")
        return page_request.redirect("update", update.number)
    mappings = save_mapping(page_request, mapping, update.header, for_next_files=False)
    return _check_again(page_request, update, mappings)


def _check_again(
    page_request: PageRequest, update: UpdateJob, mappings: FileMappings
) -> HttpResponse:
    """Check the file of a plan through another mapping.

    The plan of a dry run is then replaced; one that is held waits until somebody decides.
    """
    try:
        draft = drafts.of_update(update, page_request.member, page_request.now, mappings)
    except FileMissing:
        page_request.error(_GONE)
        return page_request.redirect("update", update.number)
    page_request.audit("draft", "kept", f"draft {draft.pk}, the file of update {update.number}")
    response = check_if_possible(page_request, draft)
    started = drafts.find_submitted(page_request.member, draft.pk)
    if started and update.is_check:
        decisions.replace_plan(update, started)
    return response


def _save(page_request: PageRequest, form: HeaderForm) -> FileMappings:
    mapping, for_next_files = form.require_mapping(), form.cleaned_data["save"]
    return save_mapping(page_request, mapping, form.names, for_next_files=for_next_files)


def _not_allowed(page_request: PageRequest, what: str) -> HttpResponse:
    page_request.audit("mapping", "not allowed", what)
    return errors.not_allowed(page_request.request, page_request)
