"""The first steps of a new district, and which of them are done."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse

from rollbook.accounts.members.members import result_recipients
from rollbook.accounts.permissions import Permission
from rollbook.districts.models import School
from rollbook.students.models import Student
from rollbook.updates.reporting.history import LatestUpdates
from rollbook.web.pages.base.view import PageRequest


@dataclass(frozen=True)
class Step:
    """A step: what to do, where, and whether it is done."""

    label: str
    address: str
    is_done: bool


def steps_of(page_request: PageRequest, latest: LatestUpdates) -> list[Step]:
    """Return the first steps that the member may take; none once a script has sent a file."""
    return [] if latest.has_feed else list(_steps(page_request))


def _steps(page_request: PageRequest) -> Iterator[Step]:
    district = page_request.district
    if page_request.may(Permission.MANAGE_SCHOOLS):
        schools = School.objects.filter(district=district)
        yield Step("Add your schools", reverse("schools"), schools.exists())
    students = Student.objects.filter(district=district)
    yield Step("Load your students from a file", reverse("students-format"), students.exists())
    yield Step("Set up the nightly script", reverse("automation"), is_done=False)
    if page_request.may(Permission.MANAGE_SETTINGS):
        has_recipients = bool(result_recipients(district))
        yield Step("Choose who gets the results by email", reverse("settings"), has_recipients)
    has_second_factor = page_request.member.has_second_factor
    yield Step("Turn on two-step verification", reverse("second-factor"), has_second_factor)
