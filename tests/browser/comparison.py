"""Put the screenshots of two runs side by side, on one HTML page.

``make screenshots BEFORE=FOLDER`` writes it as screenshots/comparison.html.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.html import format_html, format_html_join

_PNG_START = b"\x89PNG\r\n\x1a\n"
_SIZE_AT = 16
_FIGURE = '<figure><figcaption>{}</figcaption><img src="{}" alt="" loading="lazy"></figure>'
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Screenshots before and after</title>
<style>
body {{ font: 1rem/1.5 sans-serif; margin: 1.5rem; }}
section > div {{ display: flex; gap: 1rem; align-items: start; overflow-x: auto; }}
figure {{ margin: 0; }}
img {{ max-width: 45vw; border: 1px solid #999; }}
</style>
<h1>Screenshots before and after</h1>
<p>{summary}</p>
{pairs}</html>
"""


@dataclass(frozen=True)
class Size:
    """The size of a picture in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width:,} × {self.height:,}"


@dataclass(frozen=True)
class Pair:
    """The pictures of one state, width and color scheme.

    Attributes:
        name: The name of both files.
        before: The picture of the earlier run; None if there was none.
        after: The picture of this run; None if there is none.
    """

    name: str
    before: Path | None
    after: Path | None

    @property
    def is_changed(self) -> bool:
        """Whether the pictures differ in any byte."""
        if self.before is None or self.after is None:
            return True
        return self.before.read_bytes() != self.after.read_bytes()

    @property
    def change(self) -> str:
        """What has changed, in words."""
        if self.before is None:
            return "new"
        if self.after is None:
            return "no longer there"
        before, after = size_of(self.before), size_of(self.after)
        if before == after:
            return f"changed, {after} as before"
        return f"{before} is now {after}, {after.height - before.height:+,} high"


def size_of(picture: Path) -> Size:
    """Return the size of a PNG.

    Raises:
        ValueError: It isn't one.
    """
    with picture.open("rb") as file:
        head = file.read(_SIZE_AT + 8)
    if not head.startswith(_PNG_START) or len(head) < _SIZE_AT + 8:
        raise ValueError(f"{picture} isn't a PNG")
    return Size(*struct.unpack(">II", head[_SIZE_AT:]))


def pairs_of(before: Path, after: Path, names: list[str]) -> Iterator[Pair]:
    """Yield the pictures of both folders by name.

    Args:
        before: The folder of the earlier run.
        after: The folder of this run.
        names: Only pictures whose names start with one of these; none: all.
    """
    found = {path.name for folder in (before, after) for path in folder.glob("*.png")}
    for name in sorted(found):
        if not names or name.startswith(tuple(names)):
            yield Pair(name, _existing(before / name), _existing(after / name))


def write(before: Path, after: Path, names: list[str]) -> Path:
    """Write the page with all pictures that have changed, and return its path."""
    pairs = list(pairs_of(before, after, names))
    changed = [pair for pair in pairs if pair.is_changed]
    page = after / "comparison.html"
    summary = f"{len(changed):,} of {len(pairs):,} pictures have changed."
    sections = format_html_join("", "{}", ((_section(pair, after),) for pair in changed))
    page.write_text(_PAGE.format(summary=summary, pairs=sections))
    return page


def _section(pair: Pair, folder: Path) -> str:
    figures = []
    for caption, picture in (("before", pair.before), ("after", pair.after)):
        if picture is not None:
            figures.append((caption, os.path.relpath(picture, folder)))
    return format_html(
        "<section><h2>{}</h2><p>{}</p><div>{}</div></section>\n",
        pair.name.removesuffix(".png"),
        pair.change,
        format_html_join("\n", _FIGURE, figures),
    )


def _existing(path: Path) -> Path | None:
    return path if path.exists() else None
