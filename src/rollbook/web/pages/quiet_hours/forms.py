"""The form of quiet hours: those of each weekday, as a text."""

from typing import Any

from django import forms

from rollbook.districts.file_schedule import WEEKDAYS
from rollbook.districts.quiet_hours import QuietHours, Window, parse_window
from rollbook.web.pages.base.forms import EditForm


class QuietHoursForm(EditForm):
    """The quiet hours of each weekday."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in WEEKDAYS:
            self.fields[name] = forms.CharField(label=name, required=False, max_length=40)

    def clean(self) -> None:
        """Replace the text of each weekday by its quiet hours."""
        for name in WEEKDAYS:
            if text := self.cleaned_data.get(name):
                try:
                    self.cleaned_data[name] = parse_window(text)
                except ValueError as error:
                    self.add_reasons(name, [str(error)])

    def windows(self) -> list[Window | None]:
        """Return the quiet hours of a valid form, for each weekday from Monday."""
        return [self.cleaned_data[name] or None for name in WEEKDAYS]


def initial(hours: QuietHours) -> dict[str, object]:
    """Return the initial values of the form."""
    return {
        name: str(window)
        for name, window in zip(WEEKDAYS, hours.windows, strict=True)
        if window is not None
    }
