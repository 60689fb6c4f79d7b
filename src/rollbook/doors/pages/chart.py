"""The last nights as a picture: small panels over one another, one for each outcome, each to its own scale.

Of a nightly file one row in a hundred changes and one in a thousand is rejected: in one column both would be invisible.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rollbook.updates.history import Night

DAY = 10  # the width of a day in the picture's own units
LEFT, RIGHT, TOP, HEIGHT, GAP = 54, 12, 10, 36, 18
BAR, LEAST = 7, 1.5  # the width of a bar, and the least height of one that is not nothing
WEEK = 7


@dataclass(frozen=True)
class Bar:
    """One day in one panel; ``height`` 0 is nothing."""

    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Panel:
    """One outcome: what it is called, the figure that its top stands for, and its bars."""

    kind: str
    label: str
    most: int
    top: float
    base: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Tick:
    """A day that is named below the panels."""

    x: float
    label: str


@dataclass(frozen=True)
class Chart:
    """All that the template draws, in the picture's own units."""

    width: int
    height: float
    left: int
    right: int
    panels: tuple[Panel, ...]
    empty: tuple[float, ...]
    dots_y: float
    ticks: tuple[Tick, ...]
    ticks_y: float


_COUNTED: tuple[tuple[str, str, Callable[[Night], int]], ...] = (
    ("updated", "Changed", lambda night: night.changed),
    ("rejected", "Rejected", lambda night: night.rejected),
    ("unchanged", "Unchanged", lambda night: night.unchanged),
)


def chart(nights: Sequence[Night]) -> Chart:
    """The picture of these nights, the oldest on the left."""
    panels = tuple(_panel(place, nights) for place in range(len(_COUNTED)))
    bottom = panels[-1].base
    return Chart(
        width=LEFT + DAY * len(nights) + RIGHT,
        height=bottom + GAP + 2,
        left=LEFT,
        right=LEFT + DAY * len(nights),
        panels=panels,
        empty=tuple(_x(at) + BAR / 2 for at, night in enumerate(nights) if not night.numbers),
        dots_y=bottom + 4,
        ticks=tuple(_ticks(nights)),
        ticks_y=bottom + GAP - 3,
    )


def _panel(place: int, nights: Sequence[Night]) -> Panel:
    kind, label, count = _COUNTED[place]
    top = TOP + place * (HEIGHT + GAP)
    most = max(map(count, nights), default=0)
    heights = (_height(count(night), most) for night in nights)
    bars = tuple(Bar(_x(at), top + HEIGHT - height, height) for at, height in enumerate(heights) if height)
    return Panel(kind, label, most, top, top + HEIGHT, bars)


def _height(count: int, most: int) -> float:
    return max(LEAST, round(HEIGHT * count / most, 1)) if count else 0


def _x(at: int) -> float:
    return LEFT + DAY * at + (DAY - BAR) / 2


def _ticks(nights: Sequence[Night]) -> list[Tick]:
    """Today, and each week before."""
    last = len(nights) - 1
    named = [at for at in range(len(nights)) if (last - at) % WEEK == 0]
    return [Tick(_x(at) + BAR / 2, f"{nights[at].day:%b} {nights[at].day.day}") for at in named]
