"""The form of full sync: the modes of each way to send a file, and two numbers."""

from django import forms

from rollbook.accounts.sync_settings import SyncSettings
from rollbook.districts.models import ABSENT_DAYS, ABSENT_FILES
from rollbook.districts.modes import MODES, Channel
from rollbook.updates.reporting.state_words import MODES as MODE_WORDS
from rollbook.updates.state_machine import Mode
from rollbook.web.pages.base.forms import EditForm

CHOICES = [(mode, MODE_WORDS[Mode(mode)]) for mode in MODES]
_NUMBER = ("required", "invalid", "min_value", "max_value")


def _modes(label: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label,
        choices=CHOICES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "Choose modes from the list."},
    )


def _number(label: str, help_text: str, limits: tuple[int, int]) -> forms.IntegerField:
    least, most = limits
    error = f"Enter a whole number from {least} to {most}."
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        min_value=least,
        max_value=most,
        error_messages=dict.fromkeys(_NUMBER, error),
    )


class FullSyncForm(EditForm):
    """Who may use which mode, and when missing students are deactivated."""

    scripts = _modes("Scripts may")
    pages = _modes("On pages, you may")
    cli = _modes("Your Rollbook administrator may")
    absent_files = _number(
        "Files without a student",
        "On as many days, before the student is deactivated.",
        ABSENT_FILES,
    )
    absent_days = _number(
        "Days without a student",
        "From the first to the last of these files.",
        ABSENT_DAYS,
    )

    def settings(self) -> SyncSettings:
        """Return the settings of a valid form."""
        values = self.cleaned_data
        modes = {channel: tuple(values[channel.value]) for channel in Channel}
        return SyncSettings(modes, values["absent_files"], values["absent_days"])


def initial(settings: SyncSettings) -> dict[str, object]:
    """Return the initial values of the form."""
    modes = {channel.value: list(allowed) for channel, allowed in settings.modes.items()}
    return modes | {"absent_files": settings.absent_files, "absent_days": settings.absent_days}
