"""Home: did last night work, and who acts next."""

from django.conf import settings
from django.http import HttpResponse

from rollbook.web.pages.home.chart import chart
from rollbook.web.pages.home.headline import HomeState, headline
from rollbook.web.pages.updates.page_data import progress_of
from rollbook.web.pages.base.view import PageRequest, member_page
from rollbook.districts.local_dates import local_date
from rollbook.students import visibility
from rollbook.students.manual import transfers
from rollbook.accounts.permissions import Permission
from rollbook.updates.reporting.history import daily_summaries, latest_updates, list_updates
from rollbook.updates.state_machine import State
from rollbook.updates.reporting.report import find, report, report_without_problems
from rollbook.updates.runner import worker_status
from rollbook.updates.reporting.status_line import StatusContext


@member_page()
def home(visit: PageRequest) -> HttpResponse:
    """For those who update students; all others are told of the students whom they see."""
    if not visit.may(Permission.UPDATE_STUDENTS):
        return _of_students(visit)
    found = latest_updates(visit.district)
    live = found.running or (find(visit.district, found.waiting[0]) if found.waiting else None)
    told = report_without_problems(live) if live else None
    night = HomeState(told, found.waiting, report(found.last) if found.last else None, found.received_at)
    last_nights = daily_summaries(visit.district, local_date(visit.district, visit.now))
    facts = {
        "sentence": headline(night, _scene(visit)),
        "live": told,
        "progress": progress_of(told, visit.district, visit.now) if told else None,
        "chart": chart(last_nights) if any(each.numbers for each in last_nights) else None,
        "nights": last_nights[::-1],
        "handed_over": _handed_over(visit),
    }
    return visit.render("home/index.html", facts)


def _of_students(visit: PageRequest) -> HttpResponse:
    completed = list_updates(visit.district, state=State.COMPLETED, size=1).items
    facts = {
        "students": visibility.visible_students(visit.member).count(),
        "may_see": visit.may(Permission.SEE_STUDENTS),
        "role": visit.member.role,
        "last": completed[0] if completed else None,
        "handed_over": _handed_over(visit),
    }
    return visit.render("home/students.html", facts)


def _handed_over(visit: PageRequest) -> int:
    """How many transfers wait for this member."""
    return transfers.count_pending(visit.member) if visit.may(Permission.EDIT_STUDENTS) else 0


def _scene(visit: PageRequest) -> StatusContext:
    seen = worker_status()
    return StatusContext(visit.now, settings.URL, seen.alive, seen.at)
