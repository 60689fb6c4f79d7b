"""Home: how the latest update went, and what to do next."""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http import HttpResponse

from rollbook.accounts.auth import sessions
from rollbook.accounts.managers import district_managers
from rollbook.accounts.permissions import Permission
from rollbook.districts.local_dates import local_date
from rollbook.students import visibility
from rollbook.students.manual import transfers
from rollbook.updates import missing_files
from rollbook.updates.reporting.history import (
    LatestUpdates,
    daily_summaries,
    latest_updates,
    list_updates,
)
from rollbook.updates.reporting.report import find, report, report_without_problems
from rollbook.updates.reporting.status_line import StatusContext
from rollbook.updates.runner import worker_status
from rollbook.updates.state_machine import State
from rollbook.web.pages.base.view import PageRequest, member_page
from rollbook.web.pages.home.attention import items_of
from rollbook.web.pages.home.chart import chart
from rollbook.web.pages.home.checklist import steps_of
from rollbook.web.pages.home.headline import HomeState, headline
from rollbook.web.pages.home.nights import nights_of, since_first_file
from rollbook.web.pages.plan.page_data import find_deciders
from rollbook.web.pages.updates.page_data import progress_of

DAYS = 30
MAX_MANAGERS = 3


@member_page()
def home(page_request: PageRequest) -> HttpResponse:
    """Render the latest updates, or for members who can't update students, what they can see."""
    if not page_request.may(Permission.UPDATE_STUDENTS):
        return _home_without_updates(page_request)
    district = page_request.district
    latest = latest_updates(district)
    state = _home_state(page_request, latest)
    today = local_date(district, page_request.now)
    summaries = since_first_file(daily_summaries(district, today, DAYS))
    has_updates = any(summary.numbers for summary in summaries)
    context: dict[str, Any] = {
        "headline": headline(state, _status_context(page_request)),
        "live": state.live,
        "attention": items_of(page_request, latest, is_scheduled=state.files is not None),
        "steps": steps_of(page_request, latest),
        "by_hand": latest.by_hand,
        "files": state.files,
        "progress": None,
        "chart": chart(summaries, DAYS) if has_updates else None,
        "nights": nights_of(summaries),
        "days": summaries[::-1],
        "offers_second_factor": _offers_second_factor(page_request),
    }
    if state.live:
        context["progress"] = progress_of(state.live, district, page_request.now)
    return page_request.render("home/index.html", context)


def _home_state(page_request: PageRequest, latest: LatestUpdates) -> HomeState:
    live = latest.running
    if live is None and latest.waiting:
        live = find(page_request.district, latest.waiting[0])
    live_report = report_without_problems(live) if live else None
    last_report = report(latest.last) if latest.last else None
    files = missing_files.status(page_request.district, page_request.now)
    state = HomeState(live_report, latest.waiting, last_report, latest.received_at, files)
    held = next((update for update in latest.plans if update.state == State.HELD), None)
    if held is None:
        return state
    deciders = find_deciders(held, page_request.member)
    return replace(
        state,
        held=report_without_problems(held),
        may_approve=deciders.may_approve,
        deciders=tuple(member.name for member in deciders.members),
    )


def _home_without_updates(page_request: PageRequest) -> HttpResponse:
    completed = list_updates(page_request.district, state=State.COMPLETED, size=1).items
    role = page_request.member.role
    lacks_school = not role.is_district_wide and not page_request.member.schools.exists()
    context = {
        "lacks_school": lacks_school,
        "managers": district_managers(page_request.district)[:MAX_MANAGERS] if lacks_school else [],
        "students": visibility.visible_students(page_request.member).count(),
        "may_see": page_request.may(Permission.SEE_STUDENTS),
        "role": role,
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
