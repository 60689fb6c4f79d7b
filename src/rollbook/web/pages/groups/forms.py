"""What is said of groups: a name, a school, and who is to be in one."""

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
"""Students who are put into a group at once."""


class GroupName(FormWithReasons):
    name = forms.CharField(label="Name")


class NewGroup(GroupName):
    def __init__(self, schools: Iterable[School], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["school"] = forms.ChoiceField(choices=school_choices(schools))


class AddStudents(FormWithReasons):
    """Students by student ID or username; those of ``students`` can be named. Its value is their keys."""

    students = forms.CharField(
        label="Student IDs or usernames",
        help_text="One to a line.",
        widget=forms.Textarea({"rows": 4, "autocapitalize": "none", "spellcheck": "false"}),
    )

    def __init__(self, students: QuerySet[Student], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._students = students

    def clean_students(self) -> list[int]:
        words = list(dict.fromkeys(str(self.cleaned_data["students"]).split()))
        if len(words) > MAX_STUDENTS:
            raise forms.ValidationError(f"At most {MAX_STUDENTS:,} at once are possible.")
        asked = Q(student_id__in=words) | Q(username__in=[word.lower() for word in words])
        found: dict[str, int] = {}
        for pk, student_id, username in self._students.filter(asked).values_list(
            "pk", "student_id", "username"
        ):
            found |= {username: pk} | ({student_id: pk} if student_id else {})
        unknown = [word for word in words if word not in found and word.lower() not in found]
        if unknown:
            named = ", ".join(printable_excerpt(word) for word in unknown[:10]) + (
                ", …" if len(unknown) > 10 else ""
            )
            raise forms.ValidationError(
                f"The school has no student {named}. Nobody was put into the group."
            )
        return [found[word] if word in found else found[word.lower()] for word in words]
