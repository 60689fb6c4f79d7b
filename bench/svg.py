"""Draws curves and bars as SVG, legible on light and dark pages.

The axes of curves are logarithmic, those of bars begin at 0.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

from bench.fit import Point

WIDTH, HEIGHT = 820, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 270, 46, 48
_COLORS = (
    "#2f7ed8",
    "#d9692b",
    "#2a9d6f",
    "#a65fc4",
    "#c23b55",
    "#8a7a2f",
)  # told apart on white and on black
_GAP = 15  # between two names
_BAR = 22  # from one bar to the next
_NAMES_WIDTH, _VALUES_WIDTH = 300, 90
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #333 } .title { font-size: 15px; font-weight: 600 }
.grid { stroke: #8884; stroke-width: 1 }
.curve { fill: none; stroke-width: 2.2; stroke-linejoin: round }
@media (prefers-color-scheme: dark) { text { fill: #ddd } }
"""


@dataclass(frozen=True)
class Curve:
    """A name and its points (x, y), both above 0, x ascending; not empty."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Bar:
    """A bar: its name, what it is, and the value written beside it."""

    name: str
    value: float
    label: str


@dataclass(frozen=True)
class _Scale:
    """Decades onto pixels."""

    low: int
    high: int
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (log10(value) - self.low) / (self.high - self.low) * (
            self.end - self.start
        )

    def decades(self) -> Iterable[float]:
        """1, 10, 100 … as far as it goes."""
        return (10.0**power for power in range(self.low, self.high + 1))


def curves(title: str, across: str, up: str, drawn: Sequence[Curve]) -> str:
    """The picture; ``across`` and ``up`` say what the axes are, with their units."""
    x = _scale([x for curve in drawn for x, _ in curve.points], _LEFT, WIDTH - _RIGHT)
    y = _scale([y for curve in drawn for _, y in curve.points], HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        _text(_LEFT, 20, title, "title"),
        _text(_LEFT, 38, up),
        _text(WIDTH - _RIGHT, HEIGHT - 10, across, anchor="end"),
        *_grid(x, y),
        *_drawn(x, y, drawn),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def bars(title: str, groups: Sequence[tuple[str, Sequence[Bar]]]) -> str:
    """The picture of horizontal bars in groups; bars of the same name have the same color."""
    longest = max(bar.value for _, drawn in groups for bar in drawn)
    names = list(dict.fromkeys(bar.name for _, drawn in groups for bar in drawn))
    parts, top = [], float(_TOP)
    for group, drawn in groups:
        parts.append(_text(_LEFT // 4, top + 2, group, "title"))
        top += _BAR + 2
        for bar in drawn:
            width = (WIDTH - _NAMES_WIDTH - _VALUES_WIDTH) * bar.value / longest
            color = _COLORS[names.index(bar.name) % len(_COLORS)]
            parts.append(_text(_NAMES_WIDTH - 8, top, bar.name, anchor="end"))
            parts.append(
                f'<rect x="{_NAMES_WIDTH}" y="{top - _BAR + 8:.1f}" width="{max(1.0, width):.1f}" '
                f'height="{_BAR - 6}" fill="{color}"/>'
            )
            parts.append(_text(_NAMES_WIDTH + width + 6, top, bar.label))
            top += _BAR
        top += _BAR
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top:.0f}" role="img" '
        f'aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        _text(_LEFT // 4, 20, title, "title"),
    ]
    return "\n".join([*head, *parts, "</svg>"]) + "\n"


def _scale(values: Sequence[float], start: float, end: float) -> _Scale:
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return _Scale(low, max(high, low + 1), start, end)


def _grid(x: _Scale, y: _Scale) -> Iterable[str]:
    for value in x.decades():
        yield f'<path class="grid" d="M{x(value):.1f} {y.start}V{y.end}"/>'
        yield _text(x(value), y.start + 18, _number(value), anchor="middle")
    for value in y.decades():
        yield f'<path class="grid" d="M{x.start} {y(value):.1f}H{x.end}"/>'
        yield _text(x.start - 8, y(value) + 4, _number(value), anchor="end")


def _drawn(x: _Scale, y: _Scale, drawn: Sequence[Curve]) -> Iterable[str]:
    colors = {curve.name: _COLORS[number % len(_COLORS)] for number, curve in enumerate(drawn)}
    for curve in drawn:
        color = colors[curve.name]
        places = [(x(across), y(up)) for across, up in curve.points]
        path = "L".join(f"{across:.1f} {up:.1f}" for across, up in places)
        yield f'<path class="curve" stroke="{color}" d="M{path}"/>'
        yield from (
            f'<circle cx="{across:.1f}" cy="{up:.1f}" r="3.2" fill="{color}"/>'
            for across, up in places
        )
    for curve, height in _names(y, drawn):
        right, end = x(curve.points[-1][0]), y(curve.points[-1][1])
        color = colors[curve.name]
        line = f"M{right + 5:.1f} {end:.1f}L{WIDTH - _RIGHT + 12} {height:.1f}"
        yield f'<path stroke="{color}" d="{line}"/>'
        yield _text(WIDTH - _RIGHT + 16, height + 4, curve.name)


def _names(y: _Scale, drawn: Sequence[Curve]) -> Iterable[tuple[Curve, float]]:
    """Each name beside its curve's end, but no two closer than they can be read."""
    least = float(_TOP)
    for curve in sorted(drawn, key=lambda curve: -curve.points[-1][1]):
        height = max(least, y(curve.points[-1][1]))
        least = height + _GAP
        yield curve, height


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
