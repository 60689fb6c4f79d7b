"""Home: how the latest update went, and what to do next."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse

from rollbook.accounts.auth import sessions
from rollbook.accounts.permissions import Permission
from rollbook.districts.local_dates import local_date
from rollbook.students import visibility
from rollbook.students.manual import transfers
from rollbook.updates import missing_files
from rollbook.updates.reporting.history import daily_summaries, latest_updates, list_updates
from rollbook.updates.reporting.report import find, report, report_without_problems
from rollbook.updates.reporting.status_line import StatusContext
from rollbook.updates.runner import worker_status
from rollbook.updates.state_machine import State
from rollbook.web.pages.base.view import PageRequest, member_page
from rollbook.web.pages.home.chart import chart
from rollbook.web.pages.home.headline import HomeState, headline
from rollbook.web.pages.updates.page_data import progress_of


@member_page()
def home(page_request: PageRequest) -> HttpResponse:
    """Render the latest updates, or for members who can't update students, what they can see."""
    if not page_request.may(Permission.UPDATE_STUDENTS):
        return _home_without_updates(page_request)
    district = page_request.district
    state = _home_state(page_request)
    today = local_date(district, page_request.now)
    summaries = daily_summaries(district, today)
    has_updates = any(summary.numbers for summary in summaries)
    context: dict[str, Any] = {
        "headline": headline(state, _status_context(page_request)),
        "live": state.live,
        "files": state.files,
        "progress": None,
        "chart": chart(summaries) if has_updates else None,
        "days": summaries[::-1],
        "pending_transfers": _pending_transfers(page_request),
        "offers_second_factor": _offers_second_factor(page_request),
    }
    if state.live:
        context["progress"] = progress_of(state.live, district, page_request.now)
    return page_request.render("home/index.html", context)


def _home_state(page_request: PageRequest) -> HomeState:
    latest = latest_updates(page_request.district)
    live = latest.running
    if live is None and latest.waiting:
        live = find(page_request.district, latest.waiting[0])
    live_report = report_without_problems(live) if live else None
    last_report = report(latest.last) if latest.last else None
    files = missing_files.status(page_request.district, page_request.now)
    return HomeState(live_report, latest.waiting, last_report, latest.received_at, files)


def _home_without_updates(page_request: PageRequest) -> HttpResponse:
    completed = list_updates(page_request.district, state=State.COMPLETED, size=1).items
    context = {
        "students": visibility.visible_students(page_request.member).count(),
        "may_see": page_request.may(Permission.SEE_STUDENTS),
        "role": page_request.member.role,
        "last": completed[0] if completed else None,
        "pending_transfers": _pending_transfers(page_request),
        "offers_second_factor": _offers_second_factor(page_request),
    }
    return page_request.render("home/students.html", context)


def _offers_second_factor(page_request: PageRequest) -> bool:
    """Return whether to offer two-step verification, as during a member's first session."""
    is_first = sessions.is_first(page_request.request)
    return is_first and not page_request.member.has_second_factor


def _pending_transfers(page_request: PageRequest) -> int:
    """Return how many transfers this member has to complete."""
    if not page_request.may(Permission.EDIT_STUDENTS):
        return 0
    return transfers.count_pending(page_request.member)


def _status_context(page_request: PageRequest) -> StatusContext:
    worker = worker_status()
    return StatusContext(page_request.now, settings.URL, worker.alive, worker.at)
