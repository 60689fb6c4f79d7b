"""The result of one check of an installation."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """An error prevents Rollbook from working or endangers its data; a warning may do so later."""

    OK = "OK"
    WARNING = "WARNING"
    ERROR = "ERROR"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was found.

    Attributes:
        mark: How serious it is.
        what: What was found, without a period and without secrets.
        fix: How to fix it, without a period; empty unless it is a warning or an error.
    """

    level: Level
    what: str
    fix: str = ""


def ok(what: str) -> CheckResult:
    """Return the result of a part without problems."""
    return CheckResult(Level.OK, what)


def warning(what: str, fix: str) -> CheckResult:
    """Return the result of a part that works, but not as it should."""
    return CheckResult(Level.WARNING, what, fix)


def error(what: str, fix: str) -> CheckResult:
    """Return the result of a part that doesn't work, or soon won't."""
    return CheckResult(Level.ERROR, what, fix)


def skipped(what: str) -> CheckResult:
    """Return the result of a part that can't be checked until another problem is fixed."""
    return CheckResult(Level.SKIPPED, what)
