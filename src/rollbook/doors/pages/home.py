"""Home: did last night work, and who acts next."""

from datetime import datetime

from django.http import HttpResponse

from rollbook.doors.pages.chart import chart
from rollbook.doors.pages.last_night import Scene, sentence
from rollbook.doors.pages.update_facts import progress_of
from rollbook.doors.pages.visit import Visit, page
from rollbook.roster.models import District
from rollbook.staff import seeing
from rollbook.staff.permissions import Permission
from rollbook.updates.days import day_of
from rollbook.updates.history import LastNight, last_night, nights
from rollbook.updates.report import report
from rollbook.updates.running import worker_seen


@page()
def home(visit: Visit) -> HttpResponse:
    """For those who update students; all others are told of the students whom they see."""
    if not visit.may(Permission.UPDATE_STUDENTS):
        return _of_students(visit)
    night = last_night(visit.district)
    last_nights = nights(visit.district, day_of(visit.district, visit.now))
    facts = {
        "sentence": sentence(_scene(visit.district, night, visit.now)),
        **_running(night, visit.now),
        "waiting": night.waiting,
        "chart": chart(last_nights) if any(each.numbers for each in last_nights) else None,
        "nights": last_nights[::-1],
    }
    return visit.render("pages/home.html", facts)


def _running(night: LastNight, now: datetime) -> dict[str, object]:
    if night.running is None:
        return {}
    told = report(night.running)
    return {"running": told, "progress": progress_of(told, night.running, now)}


def _of_students(visit: Visit) -> HttpResponse:
    last = last_night(visit.district).last
    facts = {"students": seeing.students(visit.member).count(), "last": last}
    return visit.render("pages/home_students.html", facts)


def _scene(district: District, night: LastNight, now: datetime) -> Scene:
    return Scene(
        night=night,
        running=report(night.running) if night.running else None,
        last=report(night.last) if night.last else None,
        seen=worker_seen(),
        now=now,
        time_zone=district.time_zone,
    )
