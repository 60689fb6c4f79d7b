"""The forms of expected files: the times of a week, and a pause."""

from datetime import time
from typing import ClassVar

from django import forms

from rollbook.districts.file_schedule import WEEKDAYS, Pause, parse_time
from rollbook.districts.models import GRACE_MINUTES
from rollbook.districts.schedules import ScheduleSettings
from rollbook.web.pages.base.forms import FormWithReasons
from rollbook.web.pages.base.weekday_form import WeekdayForm

_LEAST, _MOST = GRACE_MINUTES
_GRACE_ERROR = f"Enter a whole number from {_LEAST} to {_MOST}."
_DAY_ERRORS = {"required": "Enter a date.", "invalid": "Enter a date such as 2026-12-21."}


class ExpectedFilesForm(WeekdayForm):
    """By when a file is expected on each weekday."""

    day_attributes: ClassVar[dict[str, str]] = {"type": "time"}

    grace_minutes = forms.IntegerField(
        label="Grace, in minutes",
        help_text="How late a file may be before an email reports it.",
        min_value=_LEAST,
        max_value=_MOST,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), _GRACE_ERROR
        ),
    )
    needs_half = forms.BooleanField(
        label="Only complete files count",
        help_text="A file counts if it has at least half as many rows as there are active "
        "students. Turn this off if your script sends only the students who changed.",
        required=False,
    )

    def parse_day(self, text: str) -> time:
        """Return a time."""
        return parse_time(text)

    def settings(self) -> ScheduleSettings:
        """Return the settings of a valid form."""
        values = self.cleaned_data
        return ScheduleSettings(
            tuple(self.by_weekday()), values["grace_minutes"], values["needs_half"]
        )


def initial(settings: ScheduleSettings) -> dict[str, object]:
    """Return the initial values of the form."""
    values: dict[str, object] = {
        name: at.isoformat("minutes")
        for name, at in zip(WEEKDAYS, settings.times, strict=True)
        if at is not None
    }
    return values | {"grace_minutes": settings.grace_minutes, "needs_half": settings.needs_half}


class PauseForm(FormWithReasons):
    """The first and last day of a pause."""

    first = forms.DateField(
        label="First day", widget=forms.DateInput({"type": "date"}), error_messages=_DAY_ERRORS
    )
    last = forms.DateField(
        label="Last day", widget=forms.DateInput({"type": "date"}), error_messages=_DAY_ERRORS
    )

    def pause(self) -> Pause:
        """Return the pause of a valid form."""
        return Pause(self.cleaned_data["first"], self.cleaned_data["last"])


class RemovePauseForm(FormWithReasons):
    """Which pause to remove, by its first day."""

    first = forms.DateField()
