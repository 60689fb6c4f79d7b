"""What the pages of limits show besides their forms."""

from dataclasses import dataclass

from rollbook.updates.planning.limit_changes import limit_text
from rollbook.updates.planning.limits import DEFAULT_LIMITS, Limits
from rollbook.updates.planning.measures import MEASURES
from rollbook.updates.planning.reason_words import reason_sentence
from rollbook.updates.planning.rehearsal import Night, Rehearsal
from rollbook.web.pages.limits.forms import MEASURE_LABELS


@dataclass(frozen=True)
class LimitTexts:
    """A row of a table of limits that can't be edited."""

    label: str
    district: str
    school: str


@dataclass(frozen=True)
class NightText:
    """A past update that would have been held, and why."""

    night: Night
    reasons: list[str]


@dataclass(frozen=True)
class Trial:
    """The result of trying limits on past updates.

    Attributes:
        result: The counts.
        nights: The updates that would have been held.
        older: How many are not listed.
    """

    result: Rehearsal
    nights: list[NightText]
    older: int

    @classmethod
    def of(cls, result: Rehearsal) -> "Trial":
        """Return what a page shows of a rehearsal."""
        nights = [
            NightText(night, list(map(reason_sentence, night.reasons))) for night in result.nights
        ]
        return cls(result, nights, result.held - len(nights))


def limit_texts(limits: Limits) -> list[LimitTexts]:
    """Return the rows of a table of limits that can't be edited."""
    rows = []
    for name in MEASURES:
        school = ""
        if name in DEFAULT_LIMITS.school:
            school = limit_text(limits.school.get(name))
        rows.append(LimitTexts(MEASURE_LABELS[name], limit_text(limits.district.get(name)), school))
    return rows
