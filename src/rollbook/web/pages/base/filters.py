"""The base of the filter forms of lists, and their date field."""

from datetime import date

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

DATE_RANGE = date(2000, 1, 1), date(2999, 12, 31)


def date_field(label: str) -> forms.DateField:
    """Return an optional date field."""
    first, last = DATE_RANGE
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        validators=[
            MinValueValidator(first, "Enter a later date."),
            MaxValueValidator(last, "Enter an earlier date."),
        ],
    )


class FilterForm(forms.Form):
    """The filters of a list; every field may be left blank."""

    @property
    def used_filters(self) -> list[str]:
        """Return the names of the filters that are set."""
        return [name for name in self.fields if str(self.data.get(name, "")).strip()]
