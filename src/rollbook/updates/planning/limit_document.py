"""The document of a version of limits: standing limits, profiles with dates, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Self

from rollbook.updates.planning.limits import DEFAULT_LIMITS, InvalidLimits, Limits, require_object

MAX_PROFILES = 20
MAX_NAME_LENGTH = 60
MIN_HOURS, MAX_HOURS = 1, 336
DEFAULT_HOURS = 72

_KEYS = ("limits", "profiles", "when_exceeded", "discard_after_hours", "second_person")


class WhenExceeded(StrEnum):
    """What happens to an update whose plan exceeds a limit."""

    HOLD = "hold"
    HOLD_SCHOOLS = "hold schools"
    POSTPONE = "postpone removals"


@dataclass(frozen=True, slots=True)
class Profile:
    """Limits that replace the standing ones for a while.

    Attributes:
        name: Its name, such as ``rollover``.
        first: The first day, in the district's time zone.
        last: The last day.
        limits: The limits.
    """

    name: str
    first: date
    last: date
    limits: Limits


@dataclass(frozen=True, slots=True)
class LimitDocument:
    """All that a district decides about limits.

    Attributes:
        limits: The standing limits.
        profiles: Limits for a while; of two that apply, the first one counts.
        when_exceeded: What happens when a limit is exceeded.
        discard_after_hours: Hours after which a plan is discarded that nobody has decided on.
        second_person: Whether another person than the one who started the update must approve.
    """

    limits: Limits = DEFAULT_LIMITS
    profiles: tuple[Profile, ...] = ()
    when_exceeded: WhenExceeded = WhenExceeded.HOLD
    discard_after_hours: int = DEFAULT_HOURS
    second_person: bool = False

    @property
    def waiting_time(self) -> timedelta:
        """How long a plan waits for a decision."""
        return timedelta(hours=self.discard_after_hours)

    def limits_on(self, day: date) -> tuple[Limits, str]:
        """Return the limits that apply on a day, and the name of their profile."""
        for profile in self.profiles:
            if profile.first <= day <= profile.last:
                return profile.limits, profile.name
        return self.limits, ""

    def as_json(self) -> dict[str, Any]:
        """Return the document that ``from_json`` reads."""
        return {
            "limits": self.limits.as_json(),
            "profiles": [_profile_as_json(profile) for profile in self.profiles],
            "when_exceeded": self.when_exceeded.value,
            "discard_after_hours": self.discard_after_hours,
            "second_person": self.second_person,
        }

    @classmethod
    def from_json(cls, document: object) -> Self:
        """Return the limits of a document; what it leaves out is as by default.

        Raises:
            InvalidLimits: The document has another form, or a value is not possible.
        """
        values = require_object(document, "the document", _KEYS)
        default = cls()
        return cls(
            Limits.from_json(values["limits"]) if "limits" in values else default.limits,
            _profiles(values.get("profiles", [])),
            _when_exceeded(values.get("when_exceeded", default.when_exceeded.value)),
            _hours(values.get("discard_after_hours", default.discard_after_hours)),
            _flag(values.get("second_person", default.second_person)),
        )


def _profile_as_json(profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "first": profile.first.isoformat(),
        "last": profile.last.isoformat(),
        "limits": profile.limits.as_json(),
    }


def _profiles(stored: object) -> tuple[Profile, ...]:
    if not isinstance(stored, list) or len(stored) > MAX_PROFILES:
        raise InvalidLimits(f"profiles must be a list of at most {MAX_PROFILES}")
    profiles = tuple(map(_profile, stored))
    names = [profile.name.casefold() for profile in profiles]
    for profile in profiles:
        if names.count(profile.name.casefold()) > 1:
            raise InvalidLimits(f"two profiles are called '{profile.name}'; rename one of them")
    return profiles


def _profile(stored: object) -> Profile:
    values = require_object(stored, "a profile", ("name", "first", "last", "limits"))
    name = values.get("name")
    name = name.strip() if isinstance(name, str) else ""
    if not 0 < len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise InvalidLimits(
            f"a profile needs a name of at most {MAX_NAME_LENGTH} characters, on one line"
        )
    if "limits" not in values:
        raise InvalidLimits(f"the profile '{name}' has no limits; add them")
    first, last = _day(values, "first", name), _day(values, "last", name)
    if last < first:
        raise InvalidLimits(
            f"the profile '{name}' ends on {last}, before it begins on {first}; exchange the dates"
        )
    return Profile(name, first, last, Limits.from_json(values["limits"]))


def _day(values: Mapping[str, Any], key: str, name: str) -> date:
    try:
        return date.fromisoformat(str(values.get(key)))
    except ValueError:
        raise InvalidLimits(
            f"{key} of the profile '{name}' must be a date such as 2027-06-30"
        ) from None


def _when_exceeded(value: object) -> WhenExceeded:
    try:
        return WhenExceeded(str(value))
    except ValueError:
        choices = ", ".join(f"'{choice}'" for choice in WhenExceeded)
        raise InvalidLimits(f"when_exceeded must be one of {choices}") from None


def _hours(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not MIN_HOURS <= value <= MAX_HOURS:
        raise InvalidLimits(
            f"discard_after_hours must be a whole number from {MIN_HOURS} to {MAX_HOURS}"
        )
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidLimits("second_person must be true or false")
    return value
