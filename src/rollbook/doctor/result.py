"""What a look at one part of an installation finds."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """An error keeps Rollbook from doing its work, or endangers what it keeps; a warning may do so one day."""

    OK = "OK"
    WARNING = "WARNING"
    ERROR = "ERROR"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """``what`` was found; unless all is well, what will ``repair`` it. Neither has a full stop, or holds a secret."""

    mark: Level
    what: str
    fix: str = ""


def ok(what: str) -> CheckResult:
    """All is well."""
    return CheckResult(Level.OK, what)


def warning(what: str, repair: str) -> CheckResult:
    """It works, but not as it should."""
    return CheckResult(Level.WARNING, what, repair)


def error(what: str, repair: str) -> CheckResult:
    """It does not work, or not for long."""
    return CheckResult(Level.ERROR, what, repair)


def skipped(what: str) -> CheckResult:
    """Nothing can be said before something else is mended."""
    return CheckResult(Level.SKIPPED, what)
