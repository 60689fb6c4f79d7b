"""List the updates of a district; show, watch and cancel one of them."""

from collections.abc import Mapping
from dataclasses import replace

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, resolve_url
from django_htmx.http import HttpResponseClientRefresh

from rollbook.accounts.permissions import Permission
from rollbook.districts.modes import ModeNotAllowed
from rollbook.pagination import Page
from rollbook.text import format_short_time, printable
from rollbook.updates import watching
from rollbook.updates.cancel import cancel as cancel_update
from rollbook.updates.exports.names_as_sent import with_names_as_sent
from rollbook.updates.exports.original_rows import RemovedByRetention, ensure_not_removed
from rollbook.updates.mappings.proposals import is_mappable
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import decisions
from rollbook.updates.receiving import drafts
from rollbook.updates.receiving.drafts import NothingToRetry
from rollbook.updates.receiving.files import FileMissing
from rollbook.updates.receiving.receive import QueueFull
from rollbook.updates.reporting import missing_students, timeline
from rollbook.updates.reporting import rows as row_table
from rollbook.updates.reporting.plan_figures import Figure
from rollbook.updates.reporting.report import find, report_without_problems
from rollbook.updates.reporting.rows import RowView
from rollbook.updates.reporting.state_words import badge_words
from rollbook.updates.reporting.status_line import cancellation_summary
from rollbook.updates.state_machine import Mode, State
from rollbook.web.pages.base import errors
from rollbook.web.pages.base.page_number import page_number
from rollbook.web.pages.base.sealed_search import (
    address_query,
    opened_query,
    plain_filters_ignored,
)
from rollbook.web.pages.base.view import FORM, POST, PageOrText, PageRequest, is_htmx, member_page
from rollbook.web.pages.plan.plan_words import figure_words
from rollbook.web.pages.plan.views import is_undecided, render_plan
from rollbook.web.pages.updates import plain_text
from rollbook.web.pages.updates.downloads import no_longer_kept
from rollbook.web.pages.updates.filters import Filters, search
from rollbook.web.pages.updates.page_data import context_of, progress_of

MAX_SEARCH_LENGTH = 100

_WHY_NOT: Mapping[type[Exception], str] = {
    NothingToRetry: "Nothing was started: this update has nothing left to process, or a later one "
    "has completed, whose changes an older file would undo.",
    FileMissing: "Nothing was started: the file is no longer stored. Upload your own copy of it.",
    QueueFull: "Nothing was started: too many updates are waiting. Try again when one has ended.",
    ModeNotAllowed: "Nothing was started: your district no longer allows this use of a file here.",
}


@member_page(Permission.UPDATE_STUDENTS)
def index(page_request: PageRequest) -> HttpResponse:
    """Render the list of updates."""
    filters = Filters(page_request.request.GET, page_request.district)
    context = {
        "filters": filters,
        "updates": search(page_request.district, filters, page_number(page_request)),
        "used": filters.used_filters,
    }
    return page_request.render("updates/index.html", context)


@member_page(Permission.UPDATE_STUDENTS)
def _page(page_request: PageRequest, number: int) -> HttpResponse:
    update = page_request.require(find(page_request.district, number), "update", f"update {number}")
    watching.record(update, page_request.member, page_request.now)
    if is_undecided(update):
        return render_plan(page_request, update)
    context = context_of(
        update, page_request.now, page_request.request.GET, page_number(page_request)
    )
    page = context["table"].page
    shown = row_table.students_shown(update, page.items if page else ())
    page_request.audit("update", "seen", f"update {number}", shown)
    may_map = page_request.may(Permission.MANAGE_SETTINGS) and not update.file_removed_at
    context["is_mappable"] = may_map and is_mappable(context["report"].refusal)
    return page_request.render("updates/detail.html", context)


detail = PageOrText(_page, plain_text.update)


@member_page(Permission.UPDATE_STUDENTS, background_poll=True)
def progress(page_request: PageRequest, number: int) -> HttpResponse:
    """Render the progress of an update, which its page polls every two seconds.

    When the update has ended, or its plan waits, the whole page is reloaded.
    """
    update = find(page_request.district, number)
    if update is None:
        return errors.not_found(page_request.request, page_request)
    current = report_without_problems(update)
    if current.ended or is_undecided(update):
        if is_htmx(page_request.request):
            return HttpResponseClientRefresh()
        return page_request.redirect("update", number)
    current_progress = progress_of(current, page_request.district, page_request.now)
    context = {"report": current, "progress": current_progress}
    if page_request.request.GET.get("page") != "update":
        return page_request.render("updates/parts/progress.html", context)
    context |= {"state": badge_words(current).word, "timeline": timeline.timeline(update)}
    return page_request.render("updates/parts/live.html", context)


@member_page(Permission.UPDATE_STUDENTS, methods=FORM)
def rows(page_request: PageRequest, number: int) -> HttpResponse:
    """Render the rows that changed something or were rejected.

    Submitted filters lead to the address of their list.
    """
    found = find(page_request.district, number)
    update = page_request.require(found, "update rows", f"update {number}")
    if page_request.request.method == "POST":
        query = address_query(page_request.member, page_request.request.POST)
        return redirect(f"{resolve_url('update-rows', number)}?{query.urlencode()}")
    if ignored := plain_filters_ignored(page_request):
        return ignored
    try:
        ensure_not_removed(update, file=False)
    except RemovedByRetention as removed:
        page_request.audit("update rows", "removed", f"update {number}")
        return no_longer_kept(page_request, removed)
    query = opened_query(page_request.member, page_request.request.GET)
    outcome = query.get("outcome", "")
    search_text = query.get("search", "").strip()[:MAX_SEARCH_LENGTH]
    may_open = page_request.may(Permission.SEE_CONFIDENTIAL)
    is_open = may_open and query.get("confidential") == "yes"
    figure = None if search_text or outcome else _figure(update, query)
    page = _rows(page_request, update, figure, outcome, search_text)
    shown = row_table.students_shown(update, page.items)
    page_request.audit("update rows", "seen", f"update {number}", shown)
    if is_open:
        page_request.audit_confidential("opened", f"rows of update {number}", shown)
    else:
        page = replace(page, items=[row.without_confidential() for row in page.items])
    page = replace(page, items=with_names_as_sent(update, page.items))
    context = {
        "report": report_without_problems(update),
        "may_open": may_open,
        "is_open": is_open,
        "rows": page,
        "figure": figure_words(figure, page_request.district) if figure else "",
        "outcomes": row_table.OUTCOMES,
        "outcome": outcome,
        "search": search_text,
    }
    return page_request.render("updates/rows.html", context)


def _figure(update: UpdateJob, query: QueryDict) -> Figure | None:
    """Return the figure of the plan whose rows the address names; None if it names none."""
    if update.summary is None:
        return None
    return Figure.of(query.get("figure", ""), printable(query.get("school", ""), MAX_SEARCH_LENGTH))


def _rows(
    page_request: PageRequest,
    update: UpdateJob,
    figure: Figure | None,
    outcome: str,
    search: str,
) -> Page[RowView]:
    number = page_number(page_request)
    if figure:
        return row_table.rows_of_figure(update, figure, number)
    return row_table.rows_of(update, outcome or None, search, number)


@member_page(Permission.UPDATE_STUDENTS)
def missing(page_request: PageRequest, number: int) -> HttpResponse:
    """Render the list of the students whom a file in full sync doesn't name."""
    found = find(page_request.district, number)
    update = page_request.require(found, "missing students", f"update {number}")
    try:
        ensure_not_removed(update, file=False)
    except RemovedByRetention as removed:
        page_request.audit("missing students", "removed", f"update {number}")
        return no_longer_kept(page_request, removed)
    page = missing_students.page_of(update, page_number(page_request))
    shown = {each.student.pk for each in page.items}
    page_request.audit("missing students", "seen", f"update {number}", shown)
    context = {
        "report": report_without_problems(update),
        "missing": page,
        "district": page_request.district,
    }
    return page_request.render("updates/missing.html", context)


@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def again(page_request: PageRequest, number: int) -> HttpResponse:
    """Start a new update with the file of one that ended before all of it was applied.

    With a mode, start another dry run of a file whose plan waits, instead of that plan.
    """
    found = find(page_request.district, number)
    update = page_request.require(found, "retry update", f"update {number}")
    try:
        mode = page_request.request.POST.get("mode", "")
        if mode in set(Mode):
            return _check_again(page_request, update, Mode(mode))
        receipt = drafts.start_again(update, page_request.member, page_request.now)
    except (NothingToRetry, FileMissing, QueueFull, ModeNotAllowed) as refused:
        page_request.audit("retry update", "not started", f"update {number}")
        page_request.error(_WHY_NOT[type(refused)])
        return page_request.redirect("update", number)
    started = receipt.update.number
    page_request.audit("retry update", "started", f"update {number} as update {started}")
    if receipt.replayed:
        page_request.success(f"This file is already being processed as update {started}.")
    else:
        page_request.success(f"Update {started} started with the file of update {number}.")
    return page_request.redirect("update", started)


def _check_again(page_request: PageRequest, update: UpdateJob, mode: Mode) -> HttpResponse:
    """Check a file again, perhaps in another mode, and discard the plan that it had before."""
    receipt = drafts.check_again(update, page_request.member, mode, page_request.now)
    started = receipt.update
    page_request.audit(
        "retry update", "started", f"update {update.number} as update {started.number}"
    )
    decisions.replace_plan(update, started)
    return page_request.redirect("update", started.number)


@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def cancel(page_request: PageRequest, number: int) -> HttpResponse:
    """Cancel an update."""
    result = cancel_update(page_request.district, number)
    update = result.update
    if update is None or update.number != number:
        return page_request.not_found("cancel", f"update {number}")
    audit_result = "done" if result.is_canceled else "nothing to cancel"
    page_request.audit("cancel", audit_result, f"update {number}")
    current = report_without_problems(update)
    if current.state is State.DISCARDED and result.is_canceled:
        page_request.success(f"Update {number} discarded. Nothing was applied.")
    elif result.is_canceled:
        page_request.success(f"Update {number} canceled: {cancellation_summary(current)}.")
    else:
        at = ""
        if current.ended_at:
            at = f" at {format_short_time(current.ended_at, page_request.now, current.time_zone)}"
        page_request.error(f"Nothing to cancel: update {number} had already ended{at}.")
    return page_request.redirect("update", number)
