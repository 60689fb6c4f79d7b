"""What a look at one part of an installation finds."""

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """An error keeps Rollbook from doing its work, or endangers what it keeps; a warning may do so one day."""

    OK = "OK"
    WARNING = "WARNING"
    ERROR = "ERROR"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True)
class Finding:
    """``what`` was found; unless all is well, what will ``repair`` it. Neither has a full stop, or holds a secret."""

    mark: Mark
    what: str
    repair: str = ""


def ok(what: str) -> Finding:
    """All is well."""
    return Finding(Mark.OK, what)


def warning(what: str, repair: str) -> Finding:
    """It works, but not as it should."""
    return Finding(Mark.WARNING, what, repair)


def error(what: str, repair: str) -> Finding:
    """It does not work, or not for long."""
    return Finding(Mark.ERROR, what, repair)


def skipped(what: str) -> Finding:
    """Nothing can be said before something else is mended."""
    return Finding(Mark.SKIPPED, what)
