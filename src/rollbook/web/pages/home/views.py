"""Home: did last night work, and who acts next."""

from django.conf import settings
from django.http import HttpResponse

from rollbook.accounts.permissions import Permission
from rollbook.districts.local_dates import local_date
from rollbook.students import visibility
from rollbook.students.manual import transfers
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
    """For those who update students; all others are told of the students whom they see."""
    if not page_request.may(Permission.UPDATE_STUDENTS):
        return _of_students(page_request)
    found = latest_updates(page_request.district)
    live = found.running or (
        find(page_request.district, found.waiting[0]) if found.waiting else None
    )
    told = report_without_problems(live) if live else None
    night = HomeState(
        told, found.waiting, report(found.last) if found.last else None, found.received_at
    )
    last_nights = daily_summaries(
        page_request.district, local_date(page_request.district, page_request.now)
    )
    facts = {
        "sentence": headline(night, _scene(page_request)),
        "live": told,
        "progress": progress_of(told, page_request.district, page_request.now) if told else None,
        "chart": chart(last_nights) if any(each.numbers for each in last_nights) else None,
        "nights": last_nights[::-1],
        "handed_over": _handed_over(page_request),
    }
    return page_request.render("home/index.html", facts)


def _of_students(page_request: PageRequest) -> HttpResponse:
    completed = list_updates(page_request.district, state=State.COMPLETED, size=1).items
    facts = {
        "students": visibility.visible_students(page_request.member).count(),
        "may_see": page_request.may(Permission.SEE_STUDENTS),
        "role": page_request.member.role,
        "last": completed[0] if completed else None,
        "handed_over": _handed_over(page_request),
    }
    return page_request.render("home/students.html", facts)


def _handed_over(page_request: PageRequest) -> int:
    """How many transfers wait for this member."""
    return (
        transfers.count_pending(page_request.member)
        if page_request.may(Permission.EDIT_STUDENTS)
        else 0
    )


def _scene(page_request: PageRequest) -> StatusContext:
    seen = worker_status()
    return StatusContext(page_request.now, settings.URL, seen.alive, seen.at)
