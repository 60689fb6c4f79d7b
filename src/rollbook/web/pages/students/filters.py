"""Filter, search and page the students that a member may see."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from rollbook.accounts.models import Member
from rollbook.districts.models import School
from rollbook.pagination import Page, get_page
from rollbook.studentfile.values.choices import GRADES, STATUSES
from rollbook.students import visibility
from rollbook.students.models import Change, Student
from rollbook.students.name_keys import name_key
from rollbook.web.pages.base.filters import FilterForm

PAGE_SIZE = 50
MAX_QUERY_LENGTH = 100
MAX_UPDATE_NUMBER = 2**31 - 1


class Filters(FilterForm):
    """The filters of the list of students; every field may be left blank."""

    search = forms.CharField(
        label="Name or ID",
        required=False,
        max_length=MAX_QUERY_LENGTH,
        widget=forms.TextInput({"type": "search"}),
    )
    school = forms.ModelChoiceField(
        School.objects.none(), required=False, empty_label="All schools"
    )
    grade = forms.ChoiceField(
        required=False,
        choices=[("", "All grades"), *((grade, grade) for grade in dict.fromkeys(GRADES.values()))],
    )
    group = forms.CharField(required=False, max_length=MAX_QUERY_LENGTH)
    status = forms.ChoiceField(
        required=False, choices=[("", "All statuses"), *((status, status) for status in STATUSES)]
    )
    update = forms.IntegerField(
        label="Changed by update", required=False, min_value=1, max_value=MAX_UPDATE_NUMBER
    )

    def __init__(self, data: Mapping[str, Any], member: Member) -> None:
        super().__init__(data)
        schools: Any = self.fields["school"]
        schools.queryset = _schools(member)
        schools.label_from_instance = attrgetter("title")


def search(member: Member, filters: Filters, number: int) -> Page[Student]:
    """Return page ``number`` of the students by name; no students if a filter is invalid."""
    students = visibility.visible_students(member)
    if filters.is_valid():
        students = _apply_filters(students, member, filters.cleaned_data)
    else:
        students = students.none()
    total = students.count()
    return get_page(
        total,
        number,
        PAGE_SIZE,
        lambda first, last: _between(students, first, min(last, total), total),
    )


def _between(students: QuerySet[Student], first: int, last: int, total: int) -> list[Student]:
    """Sort only the keys, from the nearer end, and then fetch the students of one page."""
    ordered = students.order_by(Lower("last_name"), Lower("first_name"), "pk").values_list(
        "pk", flat=True
    )
    if total - last < first:
        keys = list(ordered.reverse()[total - last : total - first])[::-1]
    else:
        keys = list(ordered[first:last])
    by_key = (
        Student.objects.select_related("school")
        .prefetch_related("groups")
        .defer("password")
        .in_bulk(keys)
    )
    return [by_key[key] for key in keys if key in by_key]


def _schools(member: Member) -> QuerySet[School]:
    """Return the schools of the member's students; district-wide roles see all schools."""
    schools = School.objects.filter(district=member.district_id).order_by("name", "organization_id")
    if member.role.is_district_wide:
        return schools
    return schools.filter(pk__in=visibility.visible_students(member).values("school"))


def _apply_filters(
    students: QuerySet[Student], member: Member, values: Mapping[str, Any]
) -> QuerySet[Student]:
    for name, to_query in _FILTERS.items():
        if values[name]:
            students = students.filter(to_query(member, values[name]))
    return students


def _by_words(member: Member, text: str) -> Q:
    """Match students for every word: it is in their name, or starts their ID or username."""
    query = Q()
    for word in text.replace(",", " ").split():  # the list has names as "Brook, Ana"
        folded = name_key(word, "").rstrip("\x1f")
        query &= (
            Q(name_key__contains=folded)
            | Q(student_id__istartswith=word)
            | Q(username__startswith=word.lower())
        )
    return query


def _in_group(member: Member, text: str) -> Q:
    of_group = Student.groups.through.objects.filter(
        group__school__district=member.district_id, group__name_key__contains=text.casefold()
    )
    return Q(pk__in=of_group.values("student"))


def _changed_by(member: Member, number: int) -> Q:
    changes = Change.objects.filter(update__district=member.district_id, update__number=number)
    return Q(pk__in=changes.values("student"))


_FILTERS: Mapping[str, Callable[[Member, Any], Q]] = {
    "search": _by_words,
    "school": lambda _, school: Q(school=school),
    "grade": lambda _, grade: Q(grade=grade),
    "group": _in_group,
    "status": lambda _, status: Q(status=status),
    "update": _changed_by,
}
