"""Read which students were selected in a list, and which versions of them a question was about.

They are selected one by one, or all that match the filters of the list. Then the question contains
a digest of the students and their versions instead of each student.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import resolve_url

from rollbook.students import visibility
from rollbook.students.models import Student
from rollbook.web.pages.base.sealed_search import opened_query
from rollbook.web.pages.base.view import PageRequest
from rollbook.web.pages.students.filters import PAGE_SIZE, Filters, all_keys
from rollbook.web.pages.students.page_data import short_name

STUDENT = "student"
"""The field of a selected student: the primary key, and in an answer the version, too."""

LISTED, ALL = "listed", "all"
"""The fields of every student on the page, and of the box that selects them all."""

LIST = "list"
"""The field with the query of the list to return to."""

MATCHING, DIGEST = "matching", "digest"
"""The fields of the box that selects all students who match, and of what its question was about."""

MAX_MATCHING = 1500
"""Students who can be selected at a time."""

MAX_NAMED = 20
"""Students whom a question names if there are more than fit on a page."""

MAX_DIGITS = 18
NONE_SELECTED = "No students were selected. Select them in the list first."
TOO_MANY = (
    f"Nothing was changed: you can select up to {MAX_MATCHING:,} students at a time. Filter the "
    "list first."
)
CHANGED_SINCE = (
    "Nothing was changed: at least one of the students has changed since you were asked. "
    "Select them again."
)


@dataclass(frozen=True)
class Chosen:
    """The selected students that the member sees, by name.

    Attributes:
        students: The students as they are now.
        versions: Those for which the form has a version: primary key to version.
        asked: What the form says that the question was about, if all who match were selected;
            else None.
        is_too_many: Whether more students match than can be selected.
    """

    students: Sequence[Student]
    versions: dict[int, int]
    asked: str | None = None
    is_too_many: bool = False

    @property
    def keys(self) -> list[int]:
        """Return the primary keys."""
        return [student.pk for student in self.students]

    @property
    def names(self) -> list[str]:
        """Return what identifies each student; of many, of the first ones."""
        named = [short_name(student) for student in self.named]
        others = len(self.students) - len(named)
        return [*named, f"and {others:,} more"] if others else named

    @property
    def named(self) -> Sequence[Student]:
        """Return the students that a question names."""
        return self.students if len(self.students) <= PAGE_SIZE else self.students[:MAX_NAMED]

    @property
    def digest(self) -> str:
        """Return what identifies the students in their versions."""
        versions = sorted((student.pk, student.version) for student in self.students)
        return hashlib.sha256(repr(versions).encode()).hexdigest()

    @property
    def is_as_asked(self) -> bool:
        """Return whether the question was about exactly these students in their versions."""
        if self.asked is not None:
            return self.asked == self.digest
        return self.versions.keys() == set(self.keys)


def chosen(page_request: PageRequest) -> Chosen:
    """Return the selected students of a submitted list: those of one page, or all who match."""
    form = page_request.request.POST
    if form.get(MATCHING):
        return _matching(page_request)
    texts = form.getlist(LISTED) if form.get(ALL) else form.getlist(STUDENT)
    versions: dict[int, int] = {}
    keys: list[int] = []
    for text in texts[:PAGE_SIZE]:
        key, _, version = text.partition(":")
        keys.append(number_or_zero(key))
        if version:
            versions[number_or_zero(key)] = number_or_zero(version)
    return Chosen(_load(page_request, keys), versions)


def _matching(page_request: PageRequest) -> Chosen:
    """Return all students who match the filters of the list, unless they are too many."""
    member, form = page_request.member, page_request.request.POST
    filters = Filters(opened_query(member, QueryDict(form.get(LIST, ""))), member)
    keys = all_keys(member, filters)
    if len(keys) > MAX_MATCHING:
        return Chosen([], {}, "", is_too_many=True)
    students = _load(page_request, keys)
    versions = {student.pk: student.version for student in students}
    return Chosen(students, versions, form.get(DIGEST, ""))


def _load(page_request: PageRequest, keys: Sequence[int]) -> list[Student]:
    visible = visibility.visible_students(page_request.member).filter(pk__in=keys)
    students = visible.select_related("school").defer("password")
    return list(students.order_by("last_name", "first_name", "pk"))


def fields_of(page_request: PageRequest, selection: Chosen) -> list[tuple[str, str]]:
    """Return the fields with which a question about the students is answered."""
    back = (LIST, _list_query(page_request))
    if selection.asked is not None:
        return [(MATCHING, "yes"), (DIGEST, selection.digest), back]
    fields = [(STUDENT, f"{student.pk}:{student.version}") for student in selection.students]
    return [*fields, back]


def refused_selection(page_request: PageRequest, selection: Chosen) -> HttpResponse | None:
    """Return a redirect to the list that says why nothing can be done; None if something can."""
    if selection.students:
        return None
    page_request.error(TOO_MANY if selection.is_too_many else NONE_SELECTED)
    return back_to_list(page_request)


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
