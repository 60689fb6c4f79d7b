"""Check a draft against the roster, so that its page shows what would change."""

from django.http import HttpResponse

from rollbook.districts.models import District
from rollbook.districts.modes import ModeNotAllowed
from rollbook.text import format_short_time, name_updates
from rollbook.updates.models import Draft
from rollbook.updates.planning import decisions
from rollbook.updates.receiving import drafts
from rollbook.updates.receiving.receive import QueueFull, Receipt
from rollbook.updates.receiving.suggested_mode import suggest_mode
from rollbook.updates.reporting.report import applied_before
from rollbook.updates.state_machine import Mode
from rollbook.web.pages.base.view import PageRequest


def check_if_possible(page_request: PageRequest, draft: Draft) -> HttpResponse:
    """Check a draft against the roster in the suggested mode, and redirect to its result.

    If the file or all of its rows can't be used, its own page shows why, and nothing is started.
    """
    preview = drafts.load_preview(draft)
    suggested = suggest_mode(draft, draft.district)
    if suggested is None or preview.refusal or preview.rejected == preview.rows:
        return page_request.redirect("draft", draft.pk)
    try:
        return check(page_request, draft, suggested.mode)
    except (drafts.DraftExpired, ModeNotAllowed):  # since a moment ago
        return page_request.redirect("draft", draft.pk)


def check(page_request: PageRequest, draft: Draft, mode: Mode) -> HttpResponse:
    """Start the check of a draft against the roster, and redirect to its result.

    Raises:
        DraftExpired: The draft no longer exists.
        ModeNotAllowed: The district doesn't allow the mode on pages.
    """
    try:
        receipt = drafts.submit_draft(draft, mode, is_check=True)
    except QueueFull as full:
        page_request.error(_queue_full(page_request.district, full, draft))
        return page_request.redirect("draft", draft.pk)
    if not receipt.replayed:
        decisions.replace_dry_runs_of_file(receipt.update)
    return _started(page_request, receipt)


def _started(page_request: PageRequest, receipt: Receipt) -> HttpResponse:
    """Record the new update, and redirect to it."""
    update = receipt.update
    result = "replayed" if receipt.replayed else update.state
    page_request.audit("start", result, f"update {update.number}")
    if receipt.replayed:
        page_request.success(
            f"This file is already being processed as update {update.number}; "
            "no second update was started."
        )
    elif before := applied_before(update):
        at = format_short_time(before.received_at, page_request.now, update.district.time_zone)
        page_request.success(
            f"Update {before.number}, received {at}, already applied this file, "
            "so there may be few changes."
        )
    return page_request.redirect("update", update.number)


def _queue_full(district: District, full: QueueFull, found: Draft) -> str:
    return (
        f"The queue is full: {name_updates(full.waiting)} of {district.name} are already waiting. "
        f"We’ve kept {found.file_name}. Try again when one of them has finished, "
        "or cancel one you don’t need."
    )
