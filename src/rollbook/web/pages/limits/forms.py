"""The forms of limits: the table of measures, a profile, and expected changes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django import forms

from rollbook.districts.local_dates import local_date, local_midnight
from rollbook.districts.models import District
from rollbook.studentfile.columns import COLUMNS
from rollbook.text import format_number
from rollbook.updates.planning.expectations import LONGEST, MAX_DAYS, Wanted
from rollbook.updates.planning.limit_document import (
    MAX_HOURS,
    MAX_NAME_LENGTH,
    MIN_HOURS,
    LimitDocument,
    Profile,
    WhenExceeded,
)
from rollbook.updates.planning.limits import (
    DEFAULT_LIMITS,
    MAX_COUNT,
    MAX_PERCENT,
    MIN_REJECTED_ROWS,
    Limit,
    Limits,
)
from rollbook.updates.planning.measures import ADDED_STUDENTS, MEASURES
from rollbook.web.pages.base.column_labels import label
from rollbook.web.pages.base.forms import FormWithReasons

MEASURE_LABELS: Mapping[str, str] = {
    "deactivated": "Students deactivated",
    "moved_out": "Students who change school",
    "changed": "Students changed in any way",
    "added": "Students added",
    "rejected": "Rows rejected",
    "unknown": "Rows that match no student",
    "dob_changed": "Students with another birth date",
    "names_changed": "Students with another first and last name",
    "student_id_changed": "Students with another student ID",
    "username_changed": "Students with another username",
    "emptied": "Students who lose the value of a column",
}
SCOPE_LABELS: Mapping[str, str] = {"district": "whole district", "school": "one school"}
WHEN_EXCEEDED: Mapping[str, str] = {
    WhenExceeded.HOLD.value: "Hold the whole update until someone approves it",
    WhenExceeded.HOLD_SCHOOLS.value: "Hold only the schools that exceed one, and apply the rest",
    WhenExceeded.POSTPONE.value: "In full sync, apply the rest and postpone removals",
}
ONE_UPDATE = "next"
_DAY_ERRORS = {"required": "Enter a date.", "invalid": "Enter a date such as 2027-06-30."}
_HOURS_ERROR = f"Enter a whole number from {MIN_HOURS} to {MAX_HOURS}."


@dataclass(frozen=True)
class LimitCells:
    """The two fields of a limit.

    Attributes:
        percent: The share.
        count: The number.
    """

    percent: forms.BoundField
    count: forms.BoundField


@dataclass(frozen=True)
class LimitRow:
    """A row of the table of limits.

    Attributes:
        label: What is measured.
        district: The limit of the whole district.
        school: The limit of one school; None: it is measured for the district only.
    """

    label: str
    district: LimitCells
    school: LimitCells | None


class LimitTableForm(FormWithReasons):
    """A table of limits: share and number of each measure, for the district and for one school."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for scope, measures in _scopes(DEFAULT_LIMITS).items():
            for name in measures:
                text = f"{MEASURE_LABELS[name]}, {SCOPE_LABELS[scope]}"
                self.fields[f"{name}-{scope}-percent"] = _number(f"{text}: %", 0, MAX_PERCENT)
                least = MIN_REJECTED_ROWS if (name, scope) == ("rejected", "school") else 0
                self.fields[f"{name}-{scope}-count"] = _number(f"{text}: number", least, MAX_COUNT)

    def clean(self) -> None:
        """Require both fields of a limit, or none; and the version that was edited."""
        if "version" in self.errors:
            self.add_reasons(None, ["the form is incomplete; open the page again"])
        for scope, measures in _scopes(DEFAULT_LIMITS).items():
            for name in measures:
                percent, count = f"{name}-{scope}-percent", f"{name}-{scope}-count"
                if percent in self.errors or count in self.errors:
                    continue
                missing = [key for key in (percent, count) if self.cleaned_data[key] is None]
                if len(missing) == 1:
                    reason = "enter both numbers, or leave both empty for no limit"
                    self.add_reasons(missing[0], [reason])

    def limits(self) -> Limits:
        """Return the limits of a valid form."""
        scopes: dict[str, dict[str, Limit]] = {"district": {}, "school": {}}
        for scope, measures in _scopes(DEFAULT_LIMITS).items():
            for name in measures:
                percent = self.cleaned_data[f"{name}-{scope}-percent"]
                if percent is not None:
                    count = self.cleaned_data[f"{name}-{scope}-count"]
                    scopes[scope][name] = Limit(percent, count)
        return Limits(**scopes)

    @property
    def rows(self) -> list[LimitRow]:
        """The rows of the table."""
        return [
            LimitRow(MEASURE_LABELS[name], self._cells(name, "district"), self._school_cells(name))
            for name in MEASURES
        ]

    def _school_cells(self, name: str) -> LimitCells | None:
        return self._cells(name, "school") if name in DEFAULT_LIMITS.school else None

    def _cells(self, name: str, scope: str) -> LimitCells:
        return LimitCells(self[f"{name}-{scope}-percent"], self[f"{name}-{scope}-count"])


class LimitsForm(LimitTableForm):
    """The standing limits, and what happens when one is exceeded."""

    when_exceeded = forms.ChoiceField(
        label="When a limit is exceeded",
        choices=list(WHEN_EXCEEDED.items()),
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose one of these."),
    )
    discard_after_hours = forms.IntegerField(
        label="Discard a plan that nobody decides on, after how many hours",
        help_text="Nothing of it is applied then, and an email says so.",
        min_value=MIN_HOURS,
        max_value=MAX_HOURS,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), _HOURS_ERROR
        ),
    )
    second_person = forms.BooleanField(
        label="Require a second person",
        help_text="The person who started an update can’t approve it then; someone else has to.",
        required=False,
    )

    def document(self, current: LimitDocument) -> LimitDocument:
        """Return the document of a valid form, with the profiles of the current one."""
        values = self.cleaned_data
        return replace(
            current,
            limits=self.limits(),
            when_exceeded=WhenExceeded(values["when_exceeded"]),
            discard_after_hours=values["discard_after_hours"],
            second_person=values["second_person"],
        )


class ProfileForm(LimitTableForm):
    """A profile: its name, its days, and its limits."""

    name = forms.CharField(
        label="Name",
        help_text="Such as rollover or summer.",
        max_length=MAX_NAME_LENGTH,
        error_messages={
            "required": "Enter a name.",
            "max_length": f"Enter at most {MAX_NAME_LENGTH} characters.",
        },
    )
    first = forms.DateField(
        label="First day", widget=forms.DateInput({"type": "date"}), error_messages=_DAY_ERRORS
    )
    last = forms.DateField(
        label="Last day", widget=forms.DateInput({"type": "date"}), error_messages=_DAY_ERRORS
    )

    def profile(self) -> Profile:
        """Return the profile of a valid form."""
        values = self.cleaned_data
        return Profile(values["name"], values["first"], values["last"], self.limits())


class RemoveProfileForm(FormWithReasons):
    """The version of the limits that has the profile."""

    version = forms.IntegerField(min_value=0)


class ExpectForm(FormWithReasons):
    """Which changes are expected, and until when."""

    columns = forms.MultipleChoiceField(
        label="What may change for everyone",
        choices=[
            *((column.name, label(column.name)) for column in COLUMNS),
            (ADDED_STUDENTS, "New students"),
        ],
        widget=forms.CheckboxSelectMultiple,
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), "Choose at least one of these."
        ),
    )
    until = forms.ChoiceField(
        label="Until when",
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose one from the list."),
    )

    def __init__(self, district: District, now: datetime, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._district, self._now = district, now
        today = local_date(district, now)
        days = [today + timedelta(days=number) for number in range(MAX_DAYS)]
        field: Any = self.fields["until"]
        field.choices = [
            (ONE_UPDATE, f"The next update, within {MAX_DAYS} days"),
            *((day.isoformat(), f"The end of {day:%A}, {day:%B} {day.day}") for day in days),
        ]

    def wanted(self) -> Wanted:
        """Return what a valid form expects."""
        columns, until = tuple(self.cleaned_data["columns"]), self.cleaned_data["until"]
        if until == ONE_UPDATE:
            return Wanted(columns, self._now + LONGEST, is_for_one_update=True)
        day = date.fromisoformat(until) + timedelta(days=1)
        return Wanted(columns, local_midnight(self._district, day))


def initial(document: LimitDocument, version: int) -> dict[str, object]:
    """Return the initial values of the form of limits."""
    return {
        **table_values(document.limits),
        "version": version,
        "when_exceeded": document.when_exceeded.value,
        "discard_after_hours": document.discard_after_hours,
        "second_person": document.second_person,
    }


def initial_profile(profile: Profile, version: int) -> dict[str, object]:
    """Return the initial values of the form of a profile."""
    days = {"first": profile.first.isoformat(), "last": profile.last.isoformat()}
    return {**table_values(profile.limits), **days, "name": profile.name, "version": version}


def table_values(limits: Limits) -> dict[str, object]:
    """Return the initial values of a table of limits."""
    values: dict[str, object] = {}
    for scope, measures in _scopes(limits).items():
        for name, limit in measures.items():
            values[f"{name}-{scope}-percent"] = limit.percent
            values[f"{name}-{scope}-count"] = limit.count
    return values


def _scopes(limits: Limits) -> Mapping[str, Mapping[str, Limit]]:
    return {"district": limits.district, "school": limits.school}


def _number(name: str, least: int, most: int) -> forms.IntegerField:
    error = f"Enter a whole number from {least} to {format_number(most)}."
    return forms.IntegerField(
        label=name,
        required=False,
        min_value=least,
        max_value=most,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), error),
    )
