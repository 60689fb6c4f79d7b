"""The definition of a problem code, as file_codes.py and row_codes.py list them."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error refuses the file or rejects the row; with a warning, both are still processed."""

    ERROR = "error"
    WARNING = "warning"


class Scope(StrEnum):
    """What a problem is about."""

    FILE = "file"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class ProblemCode:
    """One entry of the closed list of problem codes.

    Attributes:
        code: The stable name of the problem.
        scope: File or row.
        severity: Error or warning.
        title: What is wrong, as a sentence without its final period. No personal data, so that
            emails can contain it.
        cause: Why it happens, in full sentences.
        repair: How to fix it, as an imperative that can follow a colon: lower case, without its
            final period. No personal data.
        phrase: The title with ``{found}`` for the value and ``{noun}`` for what the column
            contains; empty if the value is never quoted.
        status: The HTTP status of a refused file; unused for rows and warnings.
    """

    code: str
    scope: Scope
    severity: Severity
    title: str
    cause: str
    fix: str
    phrase: str = ""
    status: int = 422


def file_error(
    code: str, title: str, cause: str, fix: str, phrase: str = "", status: int = 422
) -> ProblemCode:
    """Return a code that refuses the whole file."""
    return ProblemCode(code, Scope.FILE, Severity.ERROR, title, cause, fix, phrase, status)


def row_error(code: str, title: str, cause: str, fix: str, phrase: str = "") -> ProblemCode:
    """Return a code that rejects one row; the other rows are still processed."""
    return ProblemCode(code, Scope.ROW, Severity.ERROR, title, cause, fix, phrase)


def warning(
    code: str, title: str, cause: str, fix: str, phrase: str = "", scope: Scope = Scope.ROW
) -> ProblemCode:
    """Return a code that only warns."""
    return ProblemCode(code, scope, Severity.WARNING, title, cause, fix, phrase)
