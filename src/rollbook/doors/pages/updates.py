"""Updates: every student file that came in, and all there is to say about one."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django_htmx.http import HttpResponseClientRefresh

from rollbook.doors.pages import errors, report_text
from rollbook.doors.pages.finding_updates import Filters, found
from rollbook.doors.pages.numbers import number_of_page
from rollbook.doors.pages.update_facts import facts_of, progress_of
from rollbook.doors.pages.visit import POST, Visit, page
from rollbook.staff.permissions import Permission
from rollbook.updates import rows as row_table
from rollbook.updates.cancel import cancel as cancel_update
from rollbook.updates.models import Update
from rollbook.updates.report import find, report
from rollbook.updates.wording import counted, moment


@page(Permission.UPDATE_STUDENTS)
def listed(visit: Visit) -> HttpResponse:
    filters = Filters(visit.request.GET, visit.district)
    facts = {"filters": filters, "updates": found(visit.district, filters, number_of_page(visit)), "used": filters.used}
    return visit.render("pages/updates.html", facts)


@page(Permission.UPDATE_STUDENTS)
def _page(visit: Visit, number: int) -> HttpResponse:
    update = find(visit.district, number)
    visit.note("update", "seen" if update else "not found", f"update {number}")
    if update is None:
        return errors.not_found(visit.request, visit)
    return visit.render("pages/update.html", facts_of(update, visit.now))


def one(request: HttpRequest, number: int) -> HttpResponseBase:
    """The page for browsers; for curl, which signs in with each call, the same facts as lines."""
    if "Authorization" in request.headers or not errors.wants_page(request):
        return report_text.update(request, number)
    return _page(request, number)


one.rule = _page.rule  # type: ignore[attr-defined]


@page(Permission.UPDATE_STUDENTS, watching=True)
def progress(visit: Visit, number: int) -> HttpResponse:
    """How far it is, for a page that asks every other second; when it has ended, the whole page is due again."""
    update = find(visit.district, number)
    if update is None:
        return errors.not_found(visit.request, visit)
    told = report(update)
    if told.ended:
        return HttpResponseClientRefresh() if visit.request.htmx else visit.redirect("update", number)  # type: ignore[attr-defined]
    return visit.render("pages/part/progress.html", {"report": told, "progress": progress_of(told, update, visit.now)})


@page(Permission.UPDATE_STUDENTS)
def rows(visit: Visit, number: int) -> HttpResponse:
    """The rows that did something or were rejected."""
    update = find(visit.district, number)
    visit.note("update rows", "seen" if update else "not found", f"update {number}")
    if update is None:
        return errors.not_found(visit.request, visit)
    outcome, search = visit.request.GET.get("outcome", ""), visit.request.GET.get("search", "").strip()[:100]
    facts = {
        "report": report(update),
        "rows": row_table.rows_of(update, outcome or None, search, number_of_page(visit)),
        "outcomes": row_table.OUTCOMES,
        "outcome": outcome,
        "search": search,
    }
    return visit.render("pages/update_rows.html", facts)


@page(Permission.UPDATE_STUDENTS, methods=POST)
def cancel(visit: Visit, number: int) -> HttpResponse:
    result = cancel_update(visit.district, number)
    visit.note("cancel", _how(result.update, done=result.done), f"update {number}")
    if result.update is None or result.update.number != number:
        return errors.not_found(visit.request, visit)
    told = report(result.update)
    if result.done:
        stay = f"{counted(told.changed, 'student')} {'stays' if told.changed == 1 else 'stay'} updated"
        left = f"{counted(told.not_processed, 'row')} {'was' if told.not_processed == 1 else 'were'} not processed"
        visit.say(f"Update {number} is canceled: {stay}, {left}.")
    else:
        at = f" at {moment(told.ended_at, visit.now, told.time_zone)}" if told.ended_at else ""
        visit.complain(f"There was nothing to cancel: update {number} had ended already{at}.")
    return visit.redirect("update", number)


def _how(update: Update | None, *, done: bool) -> str:
    if update is None:
        return "not found"
    return "done" if done else "nothing to cancel"
