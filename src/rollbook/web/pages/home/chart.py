"""The last nights as a picture: small panels over one another, one for each outcome, each to its own scale.

Of a nightly file one row in a hundred changes and one in a thousand is rejected: in one column both would be invisible.
Across, the picture is measured in percent of its width and downwards in pixels, so that its words are as large on a
telephone as on a wide screen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rollbook.updates.reporting.history import DailySummary
from rollbook.updates.reporting.state_words import CANCELED, FAILED, NO_FILE, REFUSED

LABEL, HEIGHT, GAP = 22, 48, 16  # of a panel: its words, its bars, and what is left below
SIGN, DAY = 14, 20  # the lines below the panels
BAR, LEAST = (
    0.7,
    2,
)  # how much of a day's width a bar takes, and the least height of one that is not nothing
WEEK, ROOM = 7, 4  # days

SIGNS = {words.word: (words.sign, words.day) for words in (NO_FILE, REFUSED, FAILED, CANCELED)}
"""What a day is marked with that has no bars, or not those it should have, and what that means."""


@dataclass(frozen=True)
class Bar:
    """One day in one panel: where it begins, in percent, and its height."""

    x: str
    y: float
    height: float


@dataclass(frozen=True)
class Panel:
    """One outcome: what it is called, the figure that its top stands for, and its bars."""

    kind: str
    label: str
    most: int
    words: int
    base: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Word:
    """A sign, of which ``x`` is the middle, or a day, of which it is the end."""

    x: str
    text: str


@dataclass(frozen=True)
class Chart:
    """All that the template draws."""

    height: int
    bar: str
    panels: tuple[Panel, ...]
    signs: tuple[Word, ...]
    signs_y: int
    legend: tuple[tuple[str, str], ...]
    days: tuple[Word, ...]
    days_y: int


_COUNTED: tuple[tuple[str, str, Callable[[DailySummary], int]], ...] = (
    ("updated", "Changed", lambda night: night.changed),
    ("rejected", "Rejected", lambda night: night.rejected),
    ("unchanged", "Unchanged", lambda night: night.unchanged),
)


def chart(nights: Sequence[DailySummary]) -> Chart:
    """The picture of these nights, the oldest on the left."""
    panels = tuple(_panel(place, nights) for place in range(len(_COUNTED)))
    bottom = panels[-1].base
    marked = [(at, night.worst) for at, night in enumerate(nights) if night.worst in SIGNS]
    return Chart(
        height=bottom + SIGN + DAY,
        bar=_percent(BAR, len(nights)),
        panels=panels,
        signs=tuple(Word(_percent(at + 0.5, len(nights)), SIGNS[how][0]) for at, how in marked),
        signs_y=bottom + SIGN,
        legend=tuple(
            meant for how, meant in SIGNS.items() if any(how == worst for _, worst in marked)
        ),
        days=tuple(_days(nights)),
        days_y=bottom + SIGN + DAY - 4,
    )


def _panel(place: int, nights: Sequence[DailySummary]) -> Panel:
    kind, label, count = _COUNTED[place]
    top = place * (LABEL + HEIGHT + GAP) + LABEL
    base = top + HEIGHT
    most = max(map(count, nights), default=0)
    heights = [_height(count(night), most) for night in nights]
    left = (1 - BAR) / 2
    bars = (
        Bar(_percent(at + left, len(nights)), base - height, height)
        for at, height in enumerate(heights)
        if height
    )
    return Panel(kind, label, most, top - 8, base, tuple(bars))


def _height(count: int, most: int) -> float:
    return max(LEAST, round(HEIGHT * count / most, 1)) if count else 0


def _percent(place: float, of: int) -> str:
    return f"{100 * place / of:.2f}%"


def _days(nights: Sequence[DailySummary]) -> list[Word]:
    """Today, and each week before that leaves room for its words."""
    last = len(nights) - 1
    named = (at for at in range(len(nights)) if (last - at) % WEEK == 0 and at >= ROOM)
    return [
        Word(_percent(at + 1, len(nights)), f"{nights[at].day:%b} {nights[at].day.day}")
        for at in named
    ]
