"""The last 30 days as a row of links below the chart, each with a sign."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.http import urlencode

from rollbook.text import format_date
from rollbook.updates.reporting.history import DailySummary
from rollbook.updates.reporting.state_words import ALL
from rollbook.web.pages.home.chart import SIGNS

_SIGNS = {words.word: words.sign for words in ALL}
_TONES = {words.word: words.tone for words in ALL}


@dataclass(frozen=True)
class Night:
    """One day.

    Attributes:
        sign: Its sign.
        words: The day, and what happened.
        address: The page of its update, or the list of its updates; empty if there was none.
        tone: The name of its color.
    """

    sign: str
    words: str
    address: str
    tone: str


def since_first_file(summaries: Sequence[DailySummary]) -> Sequence[DailySummary]:
    """Return the days without those before the very first file, if it arrived on one of them."""
    for index, summary in enumerate(summaries):
        if 1 in summary.numbers:
            return summaries[index:]
    return summaries


def nights_of(summaries: Sequence[DailySummary]) -> list[Night]:
    """Return the days, the oldest first."""
    return [_night(summary) for summary in summaries]


def _night(summary: DailySummary) -> Night:
    tone = _TONES[summary.worst]
    return Night(_SIGNS[summary.worst], _words(summary), _address(summary), tone)


def _words(summary: DailySummary) -> str:
    day = format_date(summary.day)
    if not summary.numbers:
        return f"{day}: no file"
    meaning = SIGNS[summary.worst][1] if summary.worst in SIGNS else summary.worst
    return f"{day}: {meaning}, {summary.changed:,} changed, {summary.rejected:,} rejected"


def _address(summary: DailySummary) -> str:
    if not summary.numbers:
        return ""
    if len(summary.numbers) == 1:
        return reverse("update", args=summary.numbers)
    day = summary.day.isoformat()
    return f"{reverse('updates')}?{urlencode({'since': day, 'until': day})}"
