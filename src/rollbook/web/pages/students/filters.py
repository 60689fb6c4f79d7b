"""Filter, search and page the students that a member may see."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from django import forms
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Lower

from rollbook.accounts.models import Member
from rollbook.districts.models import School
from rollbook.pagination import Page, get_page
from rollbook.studentfile.values.choices import GRADES, STATUSES
from rollbook.students import similar_ids, visibility
from rollbook.students.models import Change, Student
from rollbook.students.name_keys import name_key
from rollbook.web.pages.base.filters import FilterForm

PAGE_SIZE = 50
FEW = 2_000
"""Up to so many students are sorted; more are read in their order from an index."""

MAX_QUERY_LENGTH = 100
MAX_UPDATE_NUMBER = 2**31 - 1


NAME = (Lower("last_name"), Lower("first_name"))
_GRADE_ORDER = {grade: number for number, grade in enumerate(dict.fromkeys(GRADES.values()))}
_GRADE = Case(
    *(When(grade=grade, then=Value(number)) for grade, number in _GRADE_ORDER.items()),
    default=Value(len(_GRADE_ORDER)),
)
SORTS: Mapping[str, tuple[Any, ...]] = {
    "name": NAME,
    "id": (F("student_id"), *NAME),
    "school": (Lower("school__name"), F("school"), *NAME),
    "grade": (_GRADE, *NAME),
}
"""What the list can be sorted by; each also in descending order, with a minus sign before it."""

DEFAULT_SORT = "name"


class Filters(FilterForm):
    """The filters of the list of students; every field may be left blank.

    Attributes:
        sort: a key of ``SORTS``, perhaps with a minus sign before it.
    """

    search = forms.CharField(
        label="Search students",
        help_text="Name, student ID, username or parent email",
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
        sort = data.get("sort", "")
        self.sort = sort if sort.removeprefix("-") in SORTS else DEFAULT_SORT
        schools: Any = self.fields["school"]
        schools.queryset = _schools(member)
        schools.label_from_instance = attrgetter("title")

    @property
    def others(self) -> list[forms.BoundField]:
        """Return the fields that are folded below the search."""
        return [self[name] for name in self.fields if name != "search"]

    @property
    def is_unfolded(self) -> bool:
        """Return whether one of the folded fields is set."""
        return bool(set(self.used_filters) - {"search"})


def search(member: Member, filters: Filters, number: int) -> Page[Student]:
    """Return page ``number`` of the students; no students if a filter is invalid."""
    students = _matching(member, filters)
    if filters.used_filters or not member.role.is_district_wide:
        keys = list(students.values_list("pk", flat=True))  # one scan finds and counts them
        total = len(keys)
    else:
        keys, total = [], students.count()
    if keys and total <= FEW:
        students = Student.objects.filter(pk__in=keys)
    elif filters.sort.removeprefix("-") == DEFAULT_SORT:
        students = students.filter(district=member.district_id)  # its index has this order
    return get_page(
        total,
        number,
        PAGE_SIZE,
        lambda first, last: _between(_sorted(students, filters), first, min(last, total), total),
    )


def all_keys(member: Member, filters: Filters) -> list[int]:
    """Return the primary keys of all students on all pages, in the order of the list."""
    return list(_sorted(_matching(member, filters), filters))


def _matching(member: Member, filters: Filters) -> QuerySet[Student]:
    students = visibility.visible_students(member)
    if not filters.is_valid():
        return students.none()
    return _apply_filters(students, member, filters.cleaned_data)


def _sorted(students: QuerySet[Student], filters: Filters) -> QuerySet[Student, int]:
    """Return only the sorted keys: sorting whole students would take several times as long."""
    ordered = students.order_by(*SORTS[filters.sort.removeprefix("-")], "pk")
    if filters.sort.startswith("-"):
        ordered = ordered.reverse()
    return ordered.values_list("pk", flat=True)


def _between(
    sorted_keys: QuerySet[Student, int], first: int, last: int, total: int
) -> list[Student]:
    """Return the students of one page, whose keys are read from the nearer end."""
    if total - last < first:
        return _load(list(sorted_keys.reverse()[total - last : total - first])[::-1])
    return _load(list(sorted_keys[first:last]))


def _load(keys: list[int]) -> list[Student]:
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
    students = students.alias(folded_id=similar_ids.FOLDED_ID)
    for name, to_query in _FILTERS.items():
        if values[name]:
            students = students.filter(to_query(member, values[name]))
    return students


def _by_words(member: Member, text: str) -> Q:
    """Match students for every word, which is part of a name, or begins one of their keys.

    If the text is the student ID or username of a student, only that student matches.
    """
    words = text.replace(",", " ").split()  # the list has names as "Brook, Ana"
    if len(words) == 1 and (keys := _holders(member, words[0])):
        return Q(pk__in=keys)
    query = Q()
    for word in words:
        query &= _by_email(word) if "@" in word else _by_word(word)
    return query


def _holders(member: Member, word: str) -> list[int]:
    """Return the keys of the students with this ID, except for leading zeros, or username.

    They are found by indexes. A word without a digit is rather a name.
    """
    if not any(map(str.isdecimal, word)):
        return []
    students = Student.objects.filter(district=member.district_id).alias(
        folded_id=similar_ids.FOLDED_ID
    )
    folded_id = similar_ids.fold(word)
    by_id = students.filter(folded_id=folded_id) if folded_id else students.none()
    keys = list(by_id.values_list("pk", flat=True))
    return keys or list(students.filter(username=word.lower()).values_list("pk", flat=True))


def _by_word(word: str) -> Q:
    folded_name = name_key(word, "").rstrip("\x1f")
    query = Q(name_key__contains=folded_name) | Q(username__startswith=word.lower())
    folded_id = similar_ids.fold(word)
    if folded_id:
        return query | Q(folded_id__startswith=folded_id)
    return query | Q(student_id__startswith=word)  # nothing but zeros


def _by_email(word: str) -> Q:
    return (
        Q(parent_email_1__istartswith=word)
        | Q(parent_email_2__istartswith=word)
        | Q(username__startswith=word.lower())
    )


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
