"""What a setting is: an environment variable, how it is read, and what is wrong with its text."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


def _accept(value: str) -> None:
    """Accept any value."""


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One environment variable, or the file that the variable ``<name>_FILE`` names.

    Attributes:
        name: The variable.
        default: The text that applies if it is not set; empty for none.
        parse: Converts the text to the value; raises ValueError.
        help: What it sets, in one line of Markdown.
        check: Returns what is wrong with a text and how to fix it, separated by "; "; None if
            nothing is. It also rejects values that can be parsed but can't work.
        is_secret: Whether the value must never be shown.
        is_documented: Whether people set it, so that the README lists it.
    """

    name: str
    default: str
    parse: Callable[[str], T]
    help: str
    check: Callable[[str], str | None] = _accept
    is_secret: bool = False
    is_documented: bool = True

    @property
    def file_variable(self) -> str:
        """The variable that names a file with the value."""
        return f"{self.name}_FILE"

    def text(self, environ: Mapping[str, str] = os.environ) -> str | None:
        """Return the text that is set; None if it is not set.

        Raises:
            OSError: The file can't be read.
            ValueError: The file is not UTF-8 text.
        """
        file = environ.get(self.file_variable)
        if file:
            return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        return environ.get(self.name)

    def read(self, environ: Mapping[str, str] = os.environ) -> T:
        """Return the setting's value.

        Raises:
            OSError: Its file can't be read.
            ValueError: The text can't be parsed, or its file is not UTF-8 text.
        """
        text = self.text(environ)
        return self.parse(self.default if text is None else text)


def number(
    name: str, default: int, meaning: str, check: Callable[[str], str | None]
) -> Setting[int]:
    """Define a whole number; if the variable is empty, the default applies."""

    def parse(text: str) -> int:
        return int(text or default)

    return Setting(name, str(default), parse, meaning, check)


def choice(name: str, choices: Mapping[str, T], default: str, meaning: str) -> Setting[T]:
    """Define a setting with a few words to choose from; one that is empty has its default."""
    words = f"{', '.join([*choices][:-1])} or {[*choices][-1]}"

    def parse(text: str) -> T:
        if text and text not in choices:
            raise ValueError(f"{name} is {text!r} and not {words}")
        return choices[text or default]

    def check(text: str) -> str | None:
        if not text or text in choices:
            return None
        return f"is {text!r}, which is not {words}; use one of them"

    return Setting(name, default, parse, meaning, check)
