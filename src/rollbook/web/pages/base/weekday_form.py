"""A form with a field for each weekday, such as times."""

from typing import Any, ClassVar

from django import forms

from rollbook.districts.file_schedule import WEEKDAYS
from rollbook.web.pages.base.forms import EditForm


class WeekdayForm(EditForm):
    """A form in which each weekday may be left blank.

    Attributes:
        day_attributes: The attributes of the input of a weekday.
    """

    day_attributes: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in WEEKDAYS:
            self.fields[name] = forms.CharField(
                label=name, required=False, widget=forms.TextInput(self.day_attributes)
            )

    def parse_day(self, text: str) -> Any:
        """Return the value of a weekday.

        Raises:
            ValueError: It isn't one; the text says why.
        """
        raise NotImplementedError

    def clean(self) -> None:
        """Replace the text of each weekday by its value."""
        for name in WEEKDAYS:
            if text := self.cleaned_data.get(name):
                try:
                    self.cleaned_data[name] = self.parse_day(text)
                except ValueError as error:
                    self.add_reasons(name, [str(error)])

    def by_weekday(self) -> list[Any]:
        """Return the values of a valid form, from Monday; None for a day that is blank."""
        return [self.cleaned_data[name] or None for name in WEEKDAYS]

    @property
    def weekdays(self) -> list[forms.BoundField]:
        """The fields of the weekdays, in their order."""
        return [self[name] for name in WEEKDAYS]
