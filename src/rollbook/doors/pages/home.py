"""Home: did last night work, and who acts next."""

from django.conf import settings
from django.http import HttpResponse

from rollbook.doors.pages.chart import chart
from rollbook.doors.pages.last_night import Night, sentence
from rollbook.doors.pages.update_facts import progress_of
from rollbook.doors.pages.visit import Visit, page
from rollbook.roster.days import day_of
from rollbook.staff import seeing, transferring
from rollbook.staff.permissions import Permission
from rollbook.updates.history import last_night, listed, nights
from rollbook.updates.moves import State
from rollbook.updates.report import find, report, standing
from rollbook.updates.running import worker_seen
from rollbook.updates.status_line import Scene


@page()
def home(visit: Visit) -> HttpResponse:
    """For those who update students; all others are told of the students whom they see."""
    if not visit.may(Permission.UPDATE_STUDENTS):
        return _of_students(visit)
    found = last_night(visit.district)
    live = found.running or (find(visit.district, found.waiting[0]) if found.waiting else None)
    told = standing(live) if live else None
    night = Night(told, found.waiting, report(found.last) if found.last else None, found.received_at)
    last_nights = nights(visit.district, day_of(visit.district, visit.now))
    facts = {
        "sentence": sentence(night, _scene(visit)),
        "live": told,
        "progress": progress_of(told, visit.district, visit.now) if told else None,
        "chart": chart(last_nights) if any(each.numbers for each in last_nights) else None,
        "nights": last_nights[::-1],
        "handed_over": _handed_over(visit),
    }
    return visit.render("pages/home.html", facts)


def _of_students(visit: Visit) -> HttpResponse:
    completed = listed(visit.district, state=State.COMPLETED, size=1).items
    facts = {
        "students": seeing.students(visit.member).count(),
        "may_see": visit.may(Permission.SEE_STUDENTS),
        "role": visit.member.role,
        "last": completed[0] if completed else None,
        "handed_over": _handed_over(visit),
    }
    return visit.render("pages/home_students.html", facts)


def _handed_over(visit: Visit) -> int:
    """How many transfers wait for this member."""
    return transferring.waiting(visit.member) if visit.may(Permission.EDIT_STUDENTS) else 0


def _scene(visit: Visit) -> Scene:
    seen = worker_seen()
    return Scene(visit.now, settings.URL, seen.alive, seen.at)
