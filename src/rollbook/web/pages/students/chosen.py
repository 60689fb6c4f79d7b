"""Read which students were selected in a list, and which versions of them a question was about."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import resolve_url

from rollbook.students import visibility
from rollbook.students.models import Student
from rollbook.web.pages.base.view import PageRequest
from rollbook.web.pages.students.filters import PAGE_SIZE
from rollbook.web.pages.students.page_data import short_name

STUDENT = "student"
"""The field of a selected student: the primary key, and in an answer the version, too."""

LISTED, ALL = "listed", "all"
"""The fields of every student on the page, and of the box that selects them all."""

LIST = "list"
"""The field with the query of the list to return to."""

MAX_DIGITS = 18
NONE_SELECTED = "No students were selected. Select them in the list first."


@dataclass(frozen=True)
class Chosen:
    """The selected students that the member sees, by name.

    Attributes:
        students: The students as they are now.
        versions: Those for which the form has a version: primary key to version.
    """

    students: Sequence[Student]
    versions: dict[int, int]

    @property
    def keys(self) -> list[int]:
        """Return the primary keys."""
        return [student.pk for student in self.students]

    @property
    def names(self) -> list[str]:
        """Return what identifies each student."""
        return [short_name(student) for student in self.students]

    @property
    def is_as_asked(self) -> bool:
        """Return whether the form has the versions of all students."""
        return self.versions.keys() == set(self.keys)


def chosen(page_request: PageRequest) -> Chosen:
    """Return the selected students of a submitted list, at most those of one page."""
    form = page_request.request.POST
    texts = form.getlist(LISTED) if form.get(ALL) else form.getlist(STUDENT)
    versions: dict[int, int] = {}
    keys: list[int] = []
    for text in texts[:PAGE_SIZE]:
        key, _, version = text.partition(":")
        keys.append(number_or_zero(key))
        if version:
            versions[number_or_zero(key)] = number_or_zero(version)
    visible = visibility.visible_students(page_request.member).filter(pk__in=keys)
    students = visible.select_related("school").defer("password")
    return Chosen(list(students.order_by("last_name", "first_name", "pk")), versions)


def fields_of(page_request: PageRequest, selection: Chosen) -> list[tuple[str, str]]:
    """Return the fields with which a question about the students is answered."""
    fields = [(STUDENT, f"{student.pk}:{student.version}") for student in selection.students]
    return [*fields, (LIST, _list_query(page_request))]


def list_address(page_request: PageRequest) -> str:
    """Return the address of the list in which the students were selected."""
    return f"{resolve_url('students')}?{_list_query(page_request)}"


def back_to_list(page_request: PageRequest) -> HttpResponse:
    """Return a redirect to the list in which the students were selected."""
    return HttpResponseRedirect(list_address(page_request))


def number_or_zero(text: str) -> int:
    """Return a number of a form; 0, which no student has as key, if it is none."""
    return int(text) if text.isdecimal() and len(text) <= MAX_DIGITS else 0


def _list_query(page_request: PageRequest) -> str:
    return QueryDict(page_request.request.POST.get(LIST, "")).urlencode()
