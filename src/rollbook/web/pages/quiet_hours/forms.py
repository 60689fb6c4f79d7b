"""The form of quiet hours: those of each weekday, as a text."""

from rollbook.districts.file_schedule import WEEKDAYS
from rollbook.districts.quiet_hours import QuietHours, Window, parse_window
from rollbook.web.pages.base.weekday_form import WeekdayForm


class QuietHoursForm(WeekdayForm):
    """The quiet hours of each weekday."""

    day_attributes = {"maxlength": "40"}

    def parse_day(self, text: str) -> Window:
        """Return quiet hours."""
        return parse_window(text)


def initial(hours: QuietHours) -> dict[str, object]:
    """Return the initial values of the form."""
    return {
        name: str(window)
        for name, window in zip(WEEKDAYS, hours.windows, strict=True)
        if window is not None
    }
