"""The forms that choose the school to which students are transferred."""

from collections.abc import Iterable
from typing import Any

from django import forms

from rollbook.districts.models import School
from rollbook.web.pages.base.forms import FormWithReasons
from rollbook.web.pages.schools.forms import school_choices

REQUEST_TRANSFER = "?"
"""Choice in the place of a School ID: the district chooses the school."""


class CompleteTransfer(FormWithReasons):
    """The form with which the district chooses one of these schools."""

    marks_optional = True

    def __init__(self, schools: Iterable[School], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", ""), *school_choices(schools)]
        self.fields["target"] = forms.ChoiceField(label="New school", choices=choices)


class NewTransfer(CompleteTransfer):
    """The form for a new transfer to one of these schools.

    Members who may not transfer to every school can ask the district to choose the school.
    """

    note = forms.CharField(
        label="Where should they go?",
        required=False,
        help_text="A note for the district if it should choose the school. Don't enter names.",
    )

    def __init__(
        self, schools: Iterable[School], *args: Any, may_request: bool, **kwargs: Any
    ) -> None:
        super().__init__(schools, *args, **kwargs)
        if not may_request:
            del self.fields["note"]
            return
        target: Any = self.fields["target"]
        other = (REQUEST_TRANSFER, "Another school (ask the district)")
        target.choices = [*target.choices, other]
