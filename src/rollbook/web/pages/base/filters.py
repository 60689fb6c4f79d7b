"""What lists are narrowed by: forms whose every field may be left blank."""

from datetime import date

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

DAYS = date(2000, 1, 1), date(2999, 12, 31)


def day(label: str) -> forms.DateField:
    """A field for a day, which may be left blank."""
    first, last = DAYS
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        validators=[
            MinValueValidator(first, "Enter a later day."),
            MaxValueValidator(last, "Enter an earlier day."),
        ],
    )


class FilterForm(forms.Form):
    """The filters of a list."""

    @property
    def used(self) -> list[str]:
        """The names of the fields that narrow the list."""
        return [name for name in self.fields if str(self.data.get(name, "")).strip()]
