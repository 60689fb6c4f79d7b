"""Updates: every student file that came in, and all there is to say about one."""

from django.http import HttpResponse
from django_htmx.http import HttpResponseClientRefresh

from rollbook.accounts.permissions import Permission
from rollbook.text import format_time
from rollbook.updates.cancel import cancel as cancel_update
from rollbook.updates.exports.original_rows import RemovedByRetention, ensure_not_removed
from rollbook.updates.reporting import rows as row_table
from rollbook.updates.reporting.report import find, report_without_problems
from rollbook.updates.reporting.status_line import cancellation_summary
from rollbook.web.pages.base import errors
from rollbook.web.pages.base.column_labels import SENSITIVE
from rollbook.web.pages.base.page_number import number_of_page
from rollbook.web.pages.base.view import POST, PageOrText, PageRequest, is_htmx, member_page
from rollbook.web.pages.updates import plain_text
from rollbook.web.pages.updates.downloads import no_longer_kept
from rollbook.web.pages.updates.filters import Filters, search
from rollbook.web.pages.updates.page_data import facts_of, progress_of


@member_page(Permission.UPDATE_STUDENTS)
def index(page_request: PageRequest) -> HttpResponse:
    filters = Filters(page_request.request.GET, page_request.district)
    facts = {
        "filters": filters,
        "updates": search(page_request.district, filters, number_of_page(page_request)),
        "used": filters.used,
    }
    return page_request.render("updates/index.html", facts)


@member_page(Permission.UPDATE_STUDENTS)
def _page(page_request: PageRequest, number: int) -> HttpResponse:
    update = page_request.require(find(page_request.district, number), "update", f"update {number}")
    page_request.audit("update", "seen", f"update {number}")
    return page_request.render("updates/detail.html", facts_of(update, page_request.now))


detail = PageOrText(_page, plain_text.update)


@member_page(Permission.UPDATE_STUDENTS, watching=True)
def progress(page_request: PageRequest, number: int) -> HttpResponse:
    """How far it is, for a page that asks every other second; when it has ended, the whole page is due again."""
    update = find(page_request.district, number)
    if update is None:
        return errors.not_found(page_request.request, page_request)
    told = report_without_problems(update)
    if told.ended:
        if is_htmx(page_request.request):
            return HttpResponseClientRefresh()
        return page_request.redirect("update", number)
    facts = {"report": told, "progress": progress_of(told, page_request.district, page_request.now)}
    return page_request.render("updates/parts/progress.html", facts)


@member_page(Permission.UPDATE_STUDENTS)
def rows(page_request: PageRequest, number: int) -> HttpResponse:
    """The rows that did something or were rejected."""
    update = page_request.require(
        find(page_request.district, number), "update rows", f"update {number}"
    )
    page_request.audit("update rows", "seen", f"update {number}")
    try:
        ensure_not_removed(update, file=False)
    except RemovedByRetention as removed:
        return no_longer_kept(page_request, removed)
    outcome, search = (
        page_request.request.GET.get("outcome", ""),
        page_request.request.GET.get("search", "").strip()[:100],
    )
    facts = {
        "report": report_without_problems(update),
        "sensitive": SENSITIVE,
        "rows": row_table.rows_of(update, outcome or None, search, number_of_page(page_request)),
        "outcomes": row_table.OUTCOMES,
        "outcome": outcome,
        "search": search,
    }
    return page_request.render("updates/rows.html", facts)


@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def cancel(page_request: PageRequest, number: int) -> HttpResponse:
    result = cancel_update(page_request.district, number)
    update = result.update
    if update is None or update.number != number:
        return page_request.not_found("cancel", f"update {number}")
    page_request.audit("cancel", "done" if result.done else "nothing to cancel", f"update {number}")
    told = report_without_problems(update)
    if result.done:
        page_request.success(f"Update {number} is canceled: {cancellation_summary(told)}.")
    else:
        at = (
            f" at {format_time(told.ended_at, page_request.now, told.time_zone)}"
            if told.ended_at
            else ""
        )
        page_request.error(f"There was nothing to cancel: update {number} had ended already{at}.")
    return page_request.redirect("update", number)
