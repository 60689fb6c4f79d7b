"""The forms of one student: a field for each column of the student file, labeled for people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from rollbook.accounts.members.members import working_at
from rollbook.accounts.models import Member
from rollbook.districts.models import School
from rollbook.studentfile.columns import BY_NAME, CONFIDENTIAL, REQUIRED_TO_ADD
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.values.choices import CLASSIFICATIONS, FLAGS, GENDERS, GRADES, RACES
from rollbook.studentfile.values.free_text import join_list, split_list
from rollbook.students.models import Group
from rollbook.web.pages.base.column_labels import SECTIONS, display_value, label
from rollbook.web.pages.base.forms import FormWithReasons
from rollbook.web.pages.schools.forms import school_choices

CHOICES: Mapping[str, tuple[str, ...]] = {
    "GENDER": tuple(dict.fromkeys(GENDERS.values())),
    "GRADE": tuple(dict.fromkeys(GRADES.values())),
    "RACE": tuple(RACES.values()),
    **dict.fromkeys(
        ("ELL", "SPECIAL_ED", "TITLE_1", "MIGRANT"), tuple(dict.fromkeys(FLAGS.values()))
    ),
}
HINTS: Mapping[str, str] = {
    "STUDENT_ID": (
        "Up to 64 of A-Z, a-z, 0-9, period, underscore and hyphen. "
        "Capitals and leading zeros matter."
    ),
    "LAST_NAME": "For a student with only one name, enter -.",
    "DOB": "mm/dd/yyyy",
}


@dataclass(frozen=True)
class SchoolChoices:
    """What can be chosen at one school.

    Attributes:
        groups: The names of its groups.
        staff: The email and the name of the members who work there, and of those who are linked.
    """

    groups: Sequence[str] = ()
    staff: Sequence[tuple[str, str]] = ()

    @classmethod
    def at(cls, school: School, linked: Iterable[Member] = ()) -> "SchoolChoices":
        """Return the choices at a school, and the staff who are linked with the student."""
        groups = Group.objects.filter(school=school).order_by("name_key")
        names = tuple(groups.values_list("name", flat=True))
        staff = {each.email: each for each in (*working_at(school), *linked)}
        return cls(names, [(email, f"{each.name}, {email}") for email, each in staff.items()])


class StudentForm(FormWithReasons):
    """The base of both forms; a field has the name of its column, in lower case."""

    marks_optional = True

    is_confirmed = forms.BooleanField(
        label="This is another student: save anyway", required=False, widget=forms.HiddenInput
    )

    def __init__(
        self,
        columns: Iterable[str],
        required: Iterable[str],
        choices: SchoolChoices,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        needed = set(required)
        self._columns = tuple(columns)
        for name in self._columns:
            self.fields[name.lower()] = _field(name, required=name in needed)
        groups = [(name, name) for name in choices.groups]
        self.fields["groups"] = _several("GROUPS", groups, "None selected: the Default group.")
        hint = "They see the student."
        self.fields["staff"] = _several("STAFF", choices.staff, hint)

    def ask_to_confirm(self, question: str) -> None:
        """Ask whether the student is another one than those whom the question names."""
        self.fields["is_confirmed"].widget = forms.CheckboxInput()
        self.add_reasons(None, [question])

    @property
    def cells(self) -> dict[str, str]:
        """Return the text of each column as in a student file; the form must be valid."""
        return {name: _cell(self.cleaned_data[name.lower()]) for name in self._columns}

    @property
    def valid_cells(self) -> dict[str, str]:
        """Return the text of the columns that have no error; the form must be bound."""
        valid = self.cleaned_data.keys()
        columns = [name for name in self._columns if name.lower() in valid]
        return {name: _cell(self.cleaned_data[name.lower()]) for name in columns}

    @property
    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return title and fields of each section."""
        sections = []
        for section in SECTIONS:
            names = [column.name for column in section.columns]
            fields = [self[name.lower()] for name in names if name in self._columns]
            if fields:
                sections.append((section.title, fields))
        return sections

    def refuse_problems(self, problems: Iterable[Problem]) -> None:
        """Show each problem at its field, or above all fields if the form has no such field."""
        for problem in problems:
            name = (problem.column or "").lower()
            field = name if name in self.fields else None
            self.add_reasons(field, [problem.message])


class NewStudent(StudentForm):
    """The form for a new student at one of these schools, with the choices at the chosen one."""

    def __init__(
        self, schools: Iterable[School], choices: SchoolChoices, *args: Any, **kwargs: Any
    ) -> None:
        columns = [name for name in BY_NAME if name != "STATUS"]
        super().__init__(columns, REQUIRED_TO_ADD, choices, *args, **kwargs)
        self.fields["school_id"] = forms.ChoiceField(
            label=label("SCHOOL_ID"),
            choices=[("", ""), *school_choices(schools)],
            help_text="Groups and staff below are those of this school.",
        )
        hints = {
            "username": "Leave blank to generate one.",
            "password": "Leave blank to generate one. It is shown only once.",
        }
        for name, hint in hints.items():
            self.fields[name].help_text = hint


class ChangedStudent(StudentForm):
    """The form to edit a student.

    Args:
        choices: The choices at the student's school.
        confidential: Whether the form has confidential fields; without them, they don't change.
    """

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, choices: SchoolChoices, *args: Any, confidential: bool, **kwargs: Any
    ) -> None:
        left_out = {"SCHOOL_ID", "STATUS", "PASSWORD"}
        if not confidential:
            left_out |= CONFIDENTIAL
        columns = [name for name in BY_NAME if name not in left_out]
        super().__init__(columns, [*REQUIRED_TO_ADD, "USERNAME"], choices, *args, **kwargs)


def initial_of(values: Mapping[str, str]) -> dict[str, Any]:
    """Return the initial values of the fields for a student with these texts."""
    return {name.lower(): _initial(name, text) for name, text in values.items()}


def _initial(name: str, text: str) -> Any:
    return split_list(text) if name in _SEVERAL and text else text


def _cell(value: Any) -> str:
    """Return a field's value as one text: several choices become a list."""
    return join_list(value) if isinstance(value, list) else str(value)


def _field(name: str, *, required: bool) -> forms.Field:
    options: dict[str, Any] = {
        "label": label(name),
        "required": required,
        "help_text": HINTS.get(name, ""),
    }
    if name in CHOICES:
        choices = [("", ""), *((value, display_value(name, value)) for value in CHOICES[name])]
        return forms.ChoiceField(choices=choices, **options)
    if name == "CLASSIFICATIONS":
        return _several(name, [(choice, choice) for choice in CLASSIFICATIONS])
    attributes = {"autocomplete": "off"}
    if name in _TYPED:
        attributes |= _EXACT
    return forms.CharField(widget=forms.TextInput(attributes), **options)


def _several(
    name: str, choices: Iterable[tuple[str, str]], hint: str = ""
) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label(name),
        required=False,
        help_text=hint,
        choices=list(choices),
        widget=forms.CheckboxSelectMultiple,
    )


_SEVERAL = frozenset({"GROUPS", "STAFF", "CLASSIFICATIONS"})
_TYPED = frozenset({"STUDENT_ID", "USERNAME", "PASSWORD", "PARENT_EMAIL_1", "PARENT_EMAIL_2"})
_EXACT = {"autocapitalize": "none", "spellcheck": "false"}
