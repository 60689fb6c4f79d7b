"""The settings of a district as a form: what can be chosen, and what each comes to."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from django import forms

from rollbook.accounts.district_settings import LIMITS, Settings, possible_recipients, time_zones
from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.studentfile.reading.encodings import normalize_encoding_name
from rollbook.web.pages.base.forms import FormWithReasons
from rollbook.web.pages.base.uploads import ENCODINGS

Choices = list[tuple[str, Any]]
"""A value and its label; or the name of a group, and its own choices."""

OF_THE_LIST = {"required": "Choose one of the list.", "invalid_choice": "Choose one of the list."}
SECOND_FACTOR = (
    "Who signs in with the password alone is led to the page where a second factor is set up, and reaches no other "
    "until it is on. A script’s login and password are refused from then on: it needs a token. Members who have a "
    "second factor already notice nothing."
)


def _number(name: str, label: str, hint: str) -> forms.IntegerField:
    least, most = LIMITS[name]
    refusal = f"Write a whole number from {least:,} to {most:,}."
    return forms.IntegerField(
        label=label,
        help_text=f"{hint} {least:,} to {most:,}.",
        min_value=least,
        max_value=most,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), refusal),
    )


class SettingsForm(FormWithReasons):
    """Bound or not, it offers what the district can choose now."""

    receivers = forms.MultipleChoiceField(
        label="Members who get the results of every update by mail",
        help_text="Whoever starts an update gets its results in any case.",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "invalid_choice": "One of these is not an active member of the district. Choose again."
        },
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        help_text="In it times are told, and days begin.",
        error_messages=OF_THE_LIST,
    )
    encoding = forms.ChoiceField(
        label="Encoding of student files",
        help_text="For files that do not say so themselves, as UTF-16 and UTF-8 with a byte order mark do.",
        error_messages=OF_THE_LIST,
    )
    requires_second_factor = forms.BooleanField(
        label="Every member needs a second factor", help_text=SECOND_FACTOR, required=False
    )
    files_kept_days = _number(
        "files_kept_days",
        "Student files, in days",
        "How long a file stays on the server after the end of its update. Until then its rejected rows, and those that "
        "were not processed, can be taken home.",
    )
    details_kept_days = _number(
        "details_kept_days",
        "Rows and problems of updates, in days",
        "How long after its end the rows of an update, and their problems, can be looked at. Its counts stay, and so "
        "does the history of every student.",
    )
    audit_kept_years = _number(
        "audit_kept_years",
        "Audit, in years",
        "How long it can be told who did and saw what.",
    )

    def __init__(self, district: District, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer(
            "receivers",
            [(str(member.pk), _called(member)) for member in possible_recipients(district)],
        )
        self._offer("time_zone", _by_region(dict.fromkeys((*time_zones(), district.time_zone))))
        self._offer("encoding", _encodings(district.encoding))

    def wanted(self) -> Settings:
        """What a valid form asks for."""
        said = self.cleaned_data
        return Settings(**{**said, "receivers": frozenset(map(int, said["receivers"]))})

    def _offer(self, name: str, choices: Choices) -> None:
        field: Any = self.fields[name]
        field.choices = choices


def initial(settings: Settings) -> dict[str, object]:
    """What the form says before anybody has changed it."""
    said = {name: getattr(settings, name) for name in SettingsForm.base_fields}
    return said | {"receivers": [str(key) for key in settings.receivers]}


def _called(member: Member) -> str:
    return f"{member.name}, {member.email}"


def _encodings(own: str) -> Choices:
    """Those that people choose, and the district's own if an operator has set another one."""
    offered = {normalize_encoding_name(name): label for name, label in ENCODINGS.items()}
    return list(({own: own} | offered).items()) if own not in offered else list(offered.items())


def _by_region(zones: Iterable[str]) -> Choices:
    """``America/Chicago`` is Chicago, in the group America."""
    return [(region, list(places)) for region, places in _regions(zones)]


def _regions(zones: Iterable[str]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for region, names in groupby(sorted(zones, key=_region), key=_region):
        yield (
            region,
            [
                (name, name.partition("/")[2].replace("_", " ").replace("/", ", ") or name)
                for name in names
            ],
        )


def _region(zone: str) -> str:
    region, slash, _ = zone.partition("/")
    return region if slash else "Other"
