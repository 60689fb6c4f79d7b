"""Updates: every student file that came in, and all there is to say about one."""

from django.http import HttpResponse
from django_htmx.http import HttpResponseClientRefresh

from rollbook.doors.pages import errors, report_text
from rollbook.doors.pages.downloads import no_longer_kept
from rollbook.doors.pages.finding_updates import Filters, found
from rollbook.doors.pages.numbers import number_of_page
from rollbook.doors.pages.sections import SENSITIVE
from rollbook.doors.pages.update_facts import facts_of, progress_of
from rollbook.doors.pages.visit import POST, PageOrText, Visit, is_htmx, page
from rollbook.staff.permissions import Permission
from rollbook.updates import rows as row_table
from rollbook.updates.as_sent import Removed, require_kept
from rollbook.updates.cancel import cancel as cancel_update
from rollbook.updates.report import find, standing
from rollbook.updates.status_line import cut
from rollbook.updates.wording import moment


@page(Permission.UPDATE_STUDENTS)
def listed(visit: Visit) -> HttpResponse:
    filters = Filters(visit.request.GET, visit.district)
    facts = {"filters": filters, "updates": found(visit.district, filters, number_of_page(visit)), "used": filters.used}
    return visit.render("pages/updates.html", facts)


@page(Permission.UPDATE_STUDENTS)
def _page(visit: Visit, number: int) -> HttpResponse:
    update = visit.require(find(visit.district, number), "update", f"update {number}")
    visit.note("update", "seen", f"update {number}")
    return visit.render("pages/update.html", facts_of(update, visit.now))


one = PageOrText(_page, report_text.update)


@page(Permission.UPDATE_STUDENTS, watching=True)
def progress(visit: Visit, number: int) -> HttpResponse:
    """How far it is, for a page that asks every other second; when it has ended, the whole page is due again."""
    update = find(visit.district, number)
    if update is None:
        return errors.not_found(visit.request, visit)
    told = standing(update)
    if told.ended:
        if is_htmx(visit.request):
            return HttpResponseClientRefresh()
        return visit.redirect("update", number)
    facts = {"report": told, "progress": progress_of(told, visit.district, visit.now)}
    return visit.render("pages/part/progress.html", facts)


@page(Permission.UPDATE_STUDENTS)
def rows(visit: Visit, number: int) -> HttpResponse:
    """The rows that did something or were rejected."""
    update = visit.require(find(visit.district, number), "update rows", f"update {number}")
    visit.note("update rows", "seen", f"update {number}")
    try:
        require_kept(update, file=False)
    except Removed as removed:
        return no_longer_kept(visit, removed)
    outcome, search = visit.request.GET.get("outcome", ""), visit.request.GET.get("search", "").strip()[:100]
    facts = {
        "report": standing(update),
        "sensitive": SENSITIVE,
        "rows": row_table.rows_of(update, outcome or None, search, number_of_page(visit)),
        "outcomes": row_table.OUTCOMES,
        "outcome": outcome,
        "search": search,
    }
    return visit.render("pages/update_rows.html", facts)


@page(Permission.UPDATE_STUDENTS, methods=POST)
def cancel(visit: Visit, number: int) -> HttpResponse:
    result = cancel_update(visit.district, number)
    update = result.update
    if update is None or update.number != number:
        return visit.not_found("cancel", f"update {number}")
    visit.note("cancel", "done" if result.done else "nothing to cancel", f"update {number}")
    told = standing(update)
    if result.done:
        visit.say(f"Update {number} is canceled: {cut(told)}.")
    else:
        at = f" at {moment(told.ended_at, visit.now, told.time_zone)}" if told.ended_at else ""
        visit.complain(f"There was nothing to cancel: update {number} had ended already{at}.")
    return visit.redirect("update", number)
