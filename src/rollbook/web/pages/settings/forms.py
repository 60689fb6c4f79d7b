"""The form of the district settings, with the choices of each setting."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django import forms

from rollbook.accounts.district_settings import (
    CAN_BE_OFF,
    LIMITS,
    Settings,
    possible_recipients,
    time_zones,
)
from rollbook.accounts.models import Member
from rollbook.districts.grade_codes import format_grade_codes, parse_grade_codes
from rollbook.districts.models import District
from rollbook.studentfile.reading.encodings import normalize_encoding_name
from rollbook.studentfile.rules import DateOrder
from rollbook.web.pages.base.forms import VERSION, EditForm
from rollbook.web.pages.base.uploads import ENCODINGS

DATE_ORDERS = {
    DateOrder.MONTH_FIRST.value: "Month first (05/13/2014)",
    DateOrder.DAY_FIRST.value: "Day first (13/05/2014)",
}
Choices = list[tuple[str, Any]]
"""A value and its label; or the name of a group, and the choices in it."""

CHOICE_ERRORS = {
    "required": "Choose one from the list.",
    "invalid_choice": "Choose one from the list.",
}
TWO_STEP_HINT = (
    "Staff members who haven’t turned it on yet are sent to the page that turns it on, and can’t "
    "open any other page until they do. Scripts can no longer sign in with a login and password: "
    "they need a token. Nothing changes for staff members who already use it."
)


def _number(name: str, label: str, hint: str) -> forms.IntegerField:
    minimum, maximum = LIMITS[name]
    allowed = f"from {minimum:,} to {maximum:,}"
    if name in CAN_BE_OFF:
        allowed, minimum = f"{allowed}, or 0", 0
    error = f"Enter a whole number {allowed}."
    return forms.IntegerField(
        label=label,
        help_text=f"{hint} {allowed.capitalize()}.",
        min_value=minimum,
        max_value=maximum,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), error),
    )


class SettingsForm(EditForm):
    """The settings of a district, with the choices that it has now."""

    receivers = forms.MultipleChoiceField(
        label="Staff members who get the results of every update by email",
        help_text="The person who starts an update gets its results, too. Everyone can choose on "
        "the page Your account to get fewer emails.",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "invalid_choice": "One of these isn’t an active staff member. Choose again."
        },
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        help_text="Used for all times on pages and in emails. "
        "A day begins at midnight in this time zone.",
        error_messages=CHOICE_ERRORS,
    )
    encoding = forms.ChoiceField(
        label="Encoding of student files",
        help_text="Used for files that don’t specify it themselves. "
        "UTF-16, and UTF-8 with a byte order mark, are always recognized.",
        error_messages=CHOICE_ERRORS,
    )
    date_order = forms.ChoiceField(
        label="Date order",
        help_text="In dates of student files such as 05/06/2013. A file whose dates prove the "
        "other order isn’t accepted.",
        choices=list(DATE_ORDERS.items()),
        error_messages=CHOICE_ERRORS,
    )
    grade_codes = forms.CharField(
        label="Grade codes",
        help_text="Your SIS’s own codes for grades, one per line, such as -1 = PK. "
        "Grades are PK, K, T1, 1–13, UG and Adult.",
        required=False,
        widget=forms.Textarea({"rows": 4, "autocapitalize": "none", "spellcheck": "false"}),
    )
    reactivates_students = forms.BooleanField(
        label="Reactivate inactive students who appear in a file",
        help_text="Otherwise they stay inactive, with a warning, unless the file has a STATUS.",
        required=False,
    )
    requires_second_factor = forms.BooleanField(
        label="Require two-step verification for everyone",
        help_text=TWO_STEP_HINT,
        required=False,
    )
    files_kept_days = _number(
        "files_kept_days",
        "Student files, in days",
        "How long a file is kept after its update has finished. Until then, you can download its "
        "rejected rows and the rows that weren’t processed.",
    )
    details_kept_days = _number(
        "details_kept_days",
        "Rows and problems of updates, in days",
        "How long the rows of an update and their problems are kept after it has finished. "
        "The counts and each student’s history are kept.",
    )
    audit_kept_years = _number(
        "audit_kept_years", "Audit, in years", "How long audit events are kept."
    )
    history_kept_days = _number(
        "history_kept_days",
        "History of students, in days",
        "How long the old and new values of students are kept after a change; at least as long as "
        "rows and problems. When a student was added, left or came back is kept.",
    )
    leavers_kept_days = _number(
        "leavers_kept_days",
        "Students who left, in days",
        "How long a student is kept after becoming inactive, then erased with the history. "
        "0 keeps them until someone erases them.",
    )
    staff_kept_days = _number(
        "staff_kept_days",
        "Former staff members, in days",
        "How long the names and emails of staff members are kept after they were deactivated, or "
        "were invited without ever accepting. 0 keeps them.",
    )

    def __init__(self, district: District, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._set_choices("receivers", _recipients(district))
        self._set_choices(
            "time_zone", _by_region(dict.fromkeys((*time_zones(), district.time_zone)))
        )
        self._set_choices("encoding", _encodings(district.encoding))

    def clean_grade_codes(self) -> dict[str, str]:
        """Return the grade of each code."""
        try:
            return parse_grade_codes(self.cleaned_data["grade_codes"])
        except ValueError as error:
            self.add_reasons("grade_codes", [str(error)])
            return {}

    def settings(self) -> Settings:
        """Return the settings of a valid form."""
        values = self.values
        values["receivers"] = frozenset(map(int, values["receivers"]))
        return Settings(**values)

    def _set_choices(self, name: str, choices: Choices) -> None:
        field: Any = self.fields[name]
        field.choices = choices


def initial(settings: Settings) -> dict[str, object]:
    """Return the initial values of the form."""
    names = SettingsForm.base_fields.keys() - {VERSION}
    values = {name: getattr(settings, name) for name in names}
    values["receivers"] = [str(member_id) for member_id in settings.receivers]
    values["grade_codes"] = "\n".join(format_grade_codes(settings.grade_codes))
    return values


def _recipients(district: District) -> Choices:
    return [(str(member.pk), _label(member)) for member in possible_recipients(district)]


def _label(member: Member) -> str:
    return f"{member.name}, {member.email}"


def _encodings(current: str) -> Choices:
    """Return the encodings on offer, after the current one if an operator has set another."""
    offered = {normalize_encoding_name(name): label for name, label in ENCODINGS.items()}
    if current not in offered:
        offered = {current: current} | offered
    return list(offered.items())


def _by_region(zones: Iterable[str]) -> Choices:
    """Return time zones by region: ``America/Chicago`` is Chicago in the group America."""
    choices: Choices = []
    for region, names in groupby(sorted(zones, key=_region), key=_region):
        choices.append((region, [(zone, _place(zone)) for zone in names]))
    return choices


def _region(zone: str) -> str:
    region, slash, _ = zone.partition("/")
    return region if slash else "Other"


def _place(zone: str) -> str:
    """Return the label of a time zone within its region."""
    place = zone.partition("/")[2].replace("_", " ").replace("/", ", ")
    return place or zone
