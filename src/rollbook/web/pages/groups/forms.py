"""The forms of groups: their name and school, and the students to add."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from rollbook.districts.models import School
from rollbook.studentfile.problems.problem import printable_excerpt
from rollbook.students.models import Student
from rollbook.web.pages.base.forms import FormWithReasons
from rollbook.web.pages.schools.forms import school_choices

MAX_STUDENTS = 1000
"""Students that are added to a group at once."""

MAX_NAMED = 10
"""Unknown students that an error names."""


class GroupName(FormWithReasons):
    """The form to rename a group."""

    name = forms.CharField(label="Name")


class NewGroup(GroupName):
    """The form for a new group at one of these schools."""

    def __init__(self, schools: Iterable[School], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["school"] = forms.ChoiceField(choices=school_choices(schools))


class AddStudents(FormWithReasons):
    """The form to add students by student ID or username; its value is a list of their keys.

    Only students of the query passed to the constructor are found.
    """

    students = forms.CharField(
        label="Student IDs or usernames",
        help_text="One per line.",
        widget=forms.Textarea({"rows": 4, "autocapitalize": "none", "spellcheck": "false"}),
    )

    def __init__(self, students: QuerySet[Student], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._students = students

    def clean_students(self) -> list[int]:
        """Return the keys of the students.

        Raises:
            ValidationError: if there are too many, or if one is unknown.
        """
        words = list(dict.fromkeys(str(self.cleaned_data["students"]).split()))
        if len(words) > MAX_STUDENTS:
            raise forms.ValidationError(
                f"You can add up to {MAX_STUDENTS:,} students at a time; these are {len(words):,}."
            )
        key_by_word = self._keys(words)
        keys = [key_by_word.get(word) or key_by_word.get(word.lower()) for word in words]
        unknown = [word for word, key in zip(words, keys, strict=True) if key is None]
        if unknown:
            names = ", ".join(printable_excerpt(word) for word in unknown[:MAX_NAMED])
            more = ", …" if len(unknown) > MAX_NAMED else ""
            raise forms.ValidationError(
                f"These students aren’t at the school: {names}{more}. "
                "No students were added to the group."
            )
        return [key for key in keys if key]

    def _keys(self, words: list[str]) -> dict[str, int]:
        """Return the keys of the students with these IDs or usernames, by both."""
        usernames = [word.lower() for word in words]
        query = Q(student_id__in=words) | Q(username__in=usernames)
        students = self._students.filter(query)
        keys: dict[str, int] = {}
        for pk, student_id, username in students.values_list("pk", "student_id", "username"):
            keys[username] = pk
            if student_id:
                keys[student_id] = pk
        return keys
