"""Curves as SVG."""

import re
from itertools import pairwise
from xml.etree import ElementTree

from bench import svg
from bench.svg import Curve

NAMESPACE = {"s": "http://www.w3.org/2000/svg"}
CURVES = [
    Curve("ours", [(1_000, 0.2), (1_000_000, 9.0)]),
    Curve("theirs <slow>", [(1_000, 2.0), (100_000, 200.0)]),
]


def drawn(curves: list[Curve] = CURVES) -> ElementTree.Element:
    return ElementTree.fromstring(svg.curves("Nightly & more", "rows", "seconds", curves))  # noqa: S314 - ours


def words(picture: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in picture.iterfind("s:text", NAMESPACE)]


def test_title_axes_and_every_curve_are_named() -> None:
    assert {"Nightly & more", "rows", "seconds", "ours", "theirs <slow>"} <= set(words(drawn()))


def test_axes_show_the_powers_of_ten_around_the_points() -> None:
    numbers = [word for word in words(drawn()) if re.fullmatch(r"[\d,.]+", word)]
    assert numbers == ["1,000", "10,000", "100,000", "1,000,000", "0.1", "1", "10", "100", "1,000"]


def test_each_point_is_where_its_logarithm_is() -> None:
    dots = [
        (float(dot.attrib["cx"]), float(dot.attrib["cy"]))
        for dot in drawn().iterfind("s:circle", NAMESPACE)
    ]
    (left, _), (right, _), (_, low), (middle, high) = dots
    assert right - left > 400
    assert abs((middle - left) / (right - left) - 2 / 3) < 0.001
    assert low > high


def test_names_of_curves_that_end_together_do_not_cover_each_other() -> None:
    picture = drawn([Curve(name, [(10, 1.0), (100, 5.0)]) for name in ("one", "two", "three")])
    heights = sorted(
        float(text.attrib["y"])
        for text in picture.iterfind("s:text", NAMESPACE)
        if text.text in {"one", "two", "three"}
    )
    assert all(below - above >= 15 for above, below in pairwise(heights))


def test_values_that_are_all_the_same_can_be_drawn() -> None:
    assert "nan" not in svg.curves("t", "x", "y", [Curve("flat", [(100, 10.0), (100, 10.0)])])


def test_it_is_legible_on_dark_pages() -> None:
    assert "prefers-color-scheme: dark" in svg.curves("t", "x", "y", CURVES)
