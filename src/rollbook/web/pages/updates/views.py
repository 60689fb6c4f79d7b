"""Updates: every student file that came in, and all there is to say about one."""

from django.http import HttpResponse
from django_htmx.http import HttpResponseClientRefresh

from rollbook.web.pages.base import errors
from rollbook.web.pages.updates import plain_text
from rollbook.web.pages.updates.downloads import no_longer_kept
from rollbook.web.pages.updates.filters import Filters, search
from rollbook.web.pages.base.page_number import number_of_page
from rollbook.web.pages.base.column_labels import SENSITIVE
from rollbook.web.pages.updates.page_data import facts_of, progress_of
from rollbook.web.pages.base.view import POST, PageOrText, PageRequest, is_htmx, member_page
from rollbook.accounts.permissions import Permission
from rollbook.updates.reporting import rows as row_table
from rollbook.updates.exports.original_rows import RemovedByRetention, ensure_not_removed
from rollbook.updates.cancel import cancel as cancel_update
from rollbook.updates.reporting.report import find, report_without_problems
from rollbook.updates.reporting.status_line import cancellation_summary
from rollbook.text import format_time


@member_page(Permission.UPDATE_STUDENTS)
def index(visit: PageRequest) -> HttpResponse:
    filters = Filters(visit.request.GET, visit.district)
    facts = {"filters": filters, "updates": search(visit.district, filters, number_of_page(visit)), "used": filters.used}
    return visit.render("updates/index.html", facts)


@member_page(Permission.UPDATE_STUDENTS)
def _page(visit: PageRequest, number: int) -> HttpResponse:
    update = visit.require(find(visit.district, number), "update", f"update {number}")
    visit.audit("update", "seen", f"update {number}")
    return visit.render("updates/detail.html", facts_of(update, visit.now))


detail = PageOrText(_page, plain_text.update)


@member_page(Permission.UPDATE_STUDENTS, watching=True)
def progress(visit: PageRequest, number: int) -> HttpResponse:
    """How far it is, for a page that asks every other second; when it has ended, the whole page is due again."""
    update = find(visit.district, number)
    if update is None:
        return errors.not_found(visit.request, visit)
    told = report_without_problems(update)
    if told.ended:
        if is_htmx(visit.request):
            return HttpResponseClientRefresh()
        return visit.redirect("update", number)
    facts = {"report": told, "progress": progress_of(told, visit.district, visit.now)}
    return visit.render("updates/parts/progress.html", facts)


@member_page(Permission.UPDATE_STUDENTS)
def rows(visit: PageRequest, number: int) -> HttpResponse:
    """The rows that did something or were rejected."""
    update = visit.require(find(visit.district, number), "update rows", f"update {number}")
    visit.audit("update rows", "seen", f"update {number}")
    try:
        ensure_not_removed(update, file=False)
    except RemovedByRetention as removed:
        return no_longer_kept(visit, removed)
    outcome, search = visit.request.GET.get("outcome", ""), visit.request.GET.get("search", "").strip()[:100]
    facts = {
        "report": report_without_problems(update),
        "sensitive": SENSITIVE,
        "rows": row_table.rows_of(update, outcome or None, search, number_of_page(visit)),
        "outcomes": row_table.OUTCOMES,
        "outcome": outcome,
        "search": search,
    }
    return visit.render("updates/rows.html", facts)


@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def cancel(visit: PageRequest, number: int) -> HttpResponse:
    result = cancel_update(visit.district, number)
    update = result.update
    if update is None or update.number != number:
        return visit.not_found("cancel", f"update {number}")
    visit.audit("cancel", "done" if result.done else "nothing to cancel", f"update {number}")
    told = report_without_problems(update)
    if result.done:
        visit.success(f"Update {number} is canceled: {cancellation_summary(told)}.")
    else:
        at = f" at {format_time(told.ended_at, visit.now, told.time_zone)}" if told.ended_at else ""
        visit.error(f"There was nothing to cancel: update {number} had ended already{at}.")
    return visit.redirect("update", number)
