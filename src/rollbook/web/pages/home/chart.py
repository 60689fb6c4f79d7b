"""Lay out the chart of the last 30 days: one panel of bars for each outcome, each to its own scale.

In a nightly file about one row in a hundred changes and one in a thousand is rejected; stacked in
one bar, both would be invisible. Horizontal positions are percentages of the width and vertical
ones are pixels, so that text has the same size on a phone as on a wide screen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rollbook.updates.reporting.history import DailySummary
from rollbook.updates.reporting.state_words import (
    CANCELED,
    CHECKED,
    DISCARDED,
    FAILED,
    HELD,
    NO_FILE,
    REFUSED,
)

# Heights in pixels: of a panel's label, of its bars and of the gap below it.
LABEL, HEIGHT, GAP = 22, 48, 16
DAY = 20  # height in pixels of the line with days, below the panels
BAR_SHARE = 0.7  # of a day's width
MIN_BAR_HEIGHT = 2  # of a bar that is not zero, in pixels
DAYS_PER_WEEK = 7
MIN_DAYS_FOR_LABEL = 4  # to the left of a day, so that its label fits

_WITHOUT_BARS = (NO_FILE, HELD, REFUSED, FAILED, CANCELED, DISCARDED, CHECKED)
SIGNS = {words.word: (words.sign, words.day) for words in _WITHOUT_BARS}
"""State of a day -> its sign in the chart and what the sign means; for days without full bars."""


@dataclass(frozen=True)
class Bar:
    """One day in one panel; ``x`` is its left edge in percent, ``y`` and ``height`` are pixels."""

    x: str
    y: float
    height: float


@dataclass(frozen=True)
class Panel:
    """One outcome with its bars.

    Attributes:
        kind: the CSS class of the bars.
        label: the outcome, for people.
        maximum: the count that the highest bar stands for.
        label_y: vertical position of the label.
        base: vertical position of the line on which the bars are drawn.
        bars: one for each day with a count.
    """

    kind: str
    label: str
    maximum: int
    label_y: int
    base: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Word:
    """A day, with its right end at ``x``."""

    x: str
    text: str


@dataclass(frozen=True)
class Chart:
    """Everything that the template draws; the legend has the signs of days with their meaning."""

    height: int
    bar: str
    panels: tuple[Panel, ...]
    legend: tuple[tuple[str, str], ...]
    days: tuple[Word, ...]
    days_y: int


_OUTCOMES: tuple[tuple[str, str, Callable[[DailySummary], int]], ...] = (
    ("updated", "Changed", lambda summary: summary.changed),
    ("rejected", "Rejected", lambda summary: summary.rejected),
    ("unchanged", "Unchanged", lambda summary: summary.unchanged),
)


def chart(summaries: Sequence[DailySummary], columns: int = 0) -> Chart:
    """Return the chart of these days, the oldest on the left.

    Args:
        summaries: The days.
        columns: For how many days there is room; at least for all of them.
    """
    columns = max(columns, len(summaries))
    panels = tuple(_panel(index, summaries, columns) for index in range(len(_OUTCOMES)))
    bottom = panels[-1].base
    states = {summary.worst for summary in summaries}
    return Chart(
        height=bottom + DAY,
        bar=_percent(BAR_SHARE, columns),
        panels=panels,
        legend=tuple(SIGNS[state] for state in SIGNS if state in states),
        days=tuple(_days(summaries, columns)),
        days_y=bottom + DAY - 4,
    )


def _panel(index: int, summaries: Sequence[DailySummary], columns: int) -> Panel:
    kind, label, count_of_day = _OUTCOMES[index]
    top = index * (LABEL + HEIGHT + GAP) + LABEL
    base = top + HEIGHT
    counts = [count_of_day(summary) for summary in summaries]
    maximum = max(counts, default=0)
    margin = (1 - BAR_SHARE) / 2
    bars = []
    for day, count in enumerate(counts):
        if count:
            height = max(MIN_BAR_HEIGHT, round(HEIGHT * count / maximum, 1))
            bars.append(Bar(_percent(day + margin, columns), base - height, height))
    return Panel(kind, label, maximum, top - 8, base, tuple(bars))


def _percent(position: float, total: int) -> str:
    return f"{100 * position / total:.2f}%"


def _days(summaries: Sequence[DailySummary], columns: int) -> list[Word]:
    """Return the labels of today and of the same weekday before, where a label fits."""
    words = []
    last = len(summaries) - 1
    for index in range(last % DAYS_PER_WEEK, len(summaries), DAYS_PER_WEEK):
        if index >= MIN_DAYS_FOR_LABEL:
            day = summaries[index].day
            words.append(Word(_percent(index + 1, columns), f"{day:%b} {day.day}"))
    return words
