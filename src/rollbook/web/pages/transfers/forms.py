"""Where students are to go."""

from collections.abc import Iterable
from typing import Any

from django import forms

from rollbook.districts.models import School
from rollbook.web.pages.base.forms import FormWithReasons
from rollbook.web.pages.schools.forms import school_choices

HAND_OVER = "?"
"""No organization ID: the district is asked."""


class Finishing(FormWithReasons):
    """One of these schools."""

    def __init__(self, schools: Iterable[School], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", ""), *school_choices(schools)]
        self.fields["target"] = forms.ChoiceField(label="To the school", choices=choices)


class Transferring(Finishing):
    """One of these schools, or, for who may ask, wherever the district says."""

    note = forms.CharField(
        label="Where should they go?",
        required=False,
        help_text="For the district, if it is to say. No names.",
    )

    def __init__(self, schools: Iterable[School], may_ask: bool, *args: Any, **kwargs: Any) -> None:
        super().__init__(schools, *args, **kwargs)
        if not may_ask:
            del self.fields["note"]
            return
        target: Any = self.fields["target"]
        target.choices = [*target.choices, (HAND_OVER, "Another school: hand them to the district")]
