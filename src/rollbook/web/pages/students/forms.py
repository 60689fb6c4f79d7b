"""The form of one student: a field for each column of the student file, in the words of people."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from rollbook.districts.models import School
from rollbook.studentfile.columns import BY_NAME, REQUIRED_TO_ADD
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.values.choices import CLASSIFICATIONS, FLAGS, GENDERS, GRADES, RACES
from rollbook.studentfile.values.free_text import SEPARATOR
from rollbook.web.pages.base.column_labels import SECTIONS, label, shown
from rollbook.web.pages.base.forms import EMAIL, FormWithReasons
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
    "STUDENT_ID": "1 to 32 of A-Z a-z 0-9 . _ -; capitals and leading zeros matter.",
    "DOB": "mm/dd/yyyy",
    "STAFF": "The login e-mails of those who see the student, one to a line.",
}
_LINES = "STAFF"


class StudentForm(FormWithReasons):
    """What a form says of a student. A field is called as its column, in lower case."""

    folds = False
    """Whether sensitive fields are shown only to whoever asks for them."""

    def __init__(
        self, columns: Iterable[str], required: Iterable[str], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        needed = set(required)
        self._columns = tuple(columns)
        for name in self._columns:
            self.fields[name.lower()] = _field(name, name in needed)

    @property
    def said(self) -> dict[str, str]:
        """Column to text, as a cell of a student file would have it; once the form is valid."""
        return {name: _cell(self.cleaned_data[name.lower()]) for name in self._columns}

    @property
    def sections(self) -> list[tuple[str, bool, list[forms.BoundField]]]:
        """Title, whether it is folded, which nothing is that was refused, and fields, as the record is shown."""
        found = []
        for section in SECTIONS:
            fields = [
                self[column.name.lower()]
                for column in section.columns
                if column.name in self._columns
            ]
            if fields:
                is_folded = (
                    self.folds and section.sensitive and not any(each.errors for each in fields)
                )
                found.append((section.title, is_folded, fields))
        return found

    def refuse_problems(self, problems: Iterable[Problem]) -> None:
        """Show each at its field; above all fields if it has none here."""
        for problem in problems:
            name = (problem.column or "").lower()
            self.add_reasons(name if name in self.fields else None, [problem.message])


class NewStudent(StudentForm):
    """A student who is to be added at one of these schools."""

    def __init__(self, schools: Iterable[School], *args: Any, **kwargs: Any) -> None:
        columns = [name for name in BY_NAME if name != "STATUS"]
        super().__init__(columns, REQUIRED_TO_ADD, *args, **kwargs)
        choices = [("", ""), *school_choices(schools)]
        self.fields["school_id"] = forms.ChoiceField(label=label("SCHOOL_ID"), choices=choices)
        self.fields["username"].help_text = "Leave it blank to have one made."
        self.fields[
            "password"
        ].help_text = "Leave it blank to have one made. It is shown once, and never again."
        self.fields[
            "groups"
        ].help_text = "Names of groups at the school, joined by &. Blank is the Default group."


class ChangedStudent(StudentForm):
    """A student who is to be changed; ``groups`` are the names of those at the school, the student's among them."""

    folds = True

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, groups: Iterable[str], *args: Any, **kwargs: Any) -> None:
        columns = [name for name in BY_NAME if name not in {"SCHOOL_ID", "STATUS", "PASSWORD"}]
        super().__init__(columns, [*REQUIRED_TO_ADD, "USERNAME"], *args, **kwargs)
        self.fields["groups"] = _several("GROUPS", groups, "None of them is the Default group.")


def initial_of(values: Mapping[str, str]) -> dict[str, Any]:
    """What the fields show at first, for a student with these texts."""
    return {name.lower(): _initial(name, text) for name, text in values.items()}


def _initial(name: str, text: str) -> Any:
    if name == _LINES:
        return text.replace(SEPARATOR, "\n")
    return text.split(SEPARATOR) if name in {"GROUPS", "CLASSIFICATIONS"} and text else text


def _cell(said: Any) -> str:
    """One text of a field of any kind: several choices, or several lines, are a list."""
    if isinstance(said, list):
        return SEPARATOR.join(said)
    return SEPARATOR.join(line.strip() for line in str(said).splitlines() if line.strip())


def _field(name: str, required: bool) -> forms.Field:
    facts: dict[str, Any] = {
        "label": label(name),
        "required": required,
        "help_text": HINTS.get(name, ""),
    }
    if name in CHOICES:
        choices = [("", ""), *((value, shown(name, value)) for value in CHOICES[name])]
        return forms.ChoiceField(choices=choices, **facts)
    if name == "CLASSIFICATIONS":
        return _several(name, CLASSIFICATIONS)
    if name == _LINES:
        return forms.CharField(widget=forms.Textarea({"rows": 3, **EMAIL}), **facts)
    return forms.CharField(
        widget=forms.TextInput({"autocomplete": "off", **(_EXACT if name in _TYPED else {})}),
        **facts,
    )


def _several(name: str, choices: Iterable[str], hint: str = "") -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label(name),
        required=False,
        help_text=hint,
        choices=[(each, each) for each in choices],
        widget=forms.CheckboxSelectMultiple,
    )


_TYPED = frozenset({"STUDENT_ID", "USERNAME", "PASSWORD", "PARENT_EMAIL_1", "PARENT_EMAIL_2"})
_EXACT = {"autocapitalize": "none", "spellcheck": "false"}
