"""Show color and signs on a terminal, and plain text in a log, a file or a pipe."""

import io
import os
import sys
from collections.abc import Mapping
from typing import Self, TextIO

BOLD = "bold"
TONES: Mapping[str, str] = {
    "good": "32",
    "warn": "33",
    "bad": "31",
    "quiet": "2",
    "running": "36",
    "waiting": "36",
    BOLD: "1",
}
"""The names of colors in the style sheet of the pages, and what terminals call them."""

_SIGNS: Mapping[str, str] = {"good": "✓", "warn": "!", "bad": "✕"}


class PlainText(io.StringIO):
    """What is printed here is never colored."""


class Toned(str):
    """A text with a tone, such as a cell of a table; its length is that of the text alone."""

    __slots__ = ("tone",)
    tone: str

    @classmethod
    def of(cls, text: str, tone: str, sign: str = "") -> Self:
        """Return the text; on a terminal, it begins with the sign of its tone or another one."""
        sign = sign or _SIGNS.get(tone, "")
        made = cls(f"{sign} {text}" if sign and shows_signs(sys.stdout, sign) else text)
        made.tone = tone
        return made


def paint(text: str, tone: str, stream: TextIO | None = None) -> str:
    """Return the text in the color of a tone if the stream, by default stdout, shows colors."""
    if tone not in TONES or not has_color(stream or sys.stdout):
        return text
    return f"\x1b[{TONES[tone]}m{text}\x1b[0m"


def has_color(stream: TextIO) -> bool:
    """Return whether the stream shows colors: https://no-color.org and FORCE_COLOR decide."""
    if isinstance(stream, PlainText) or os.environ.get("NO_COLOR"):
        return False
    return _is_forced() or (stream.isatty() and os.environ.get("TERM") != "dumb")


def shows_signs(stream: TextIO, sign: str) -> bool:
    """Return whether the stream is a terminal that can display the sign."""
    if isinstance(stream, PlainText) or not (_is_forced() or stream.isatty()):
        return False
    try:
        sign.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_forced() -> bool:
    return os.environ.get("FORCE_COLOR", "") not in {"", "0"}
