"""What a kind of problem is: the shape of the entries that file_problems.py and row_problems.py list."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error refuses the file or rejects the row; a warning applies it and says so."""

    ERROR = "error"
    WARNING = "warning"


class Scope(StrEnum):
    """What a problem is about."""

    FILE = "file"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class ProblemCode:
    """One entry of the closed list of problems.

    `title` is a short sentence without its full stop and `repair` an instruction that can follow a semicolon; neither
    holds personal data, so mails may print them. `phrase` is the title with `{found}` where the text found belongs.
    `status` is the HTTP status of a refused file; it means nothing for rows and warnings.
    """

    code: str
    scope: Scope
    severity: Severity
    title: str
    cause: str
    repair: str
    phrase: str = ""
    status: int = 422


def file_error(
    code: str, title: str, cause: str, repair: str, phrase: str = "", status: int = 422
) -> ProblemCode:
    """A kind that refuses the whole file."""
    return ProblemCode(code, Scope.FILE, Severity.ERROR, title, cause, repair, phrase, status)


def row_error(code: str, title: str, cause: str, repair: str, phrase: str = "") -> ProblemCode:
    """A kind that rejects one row; the others go on."""
    return ProblemCode(code, Scope.ROW, Severity.ERROR, title, cause, repair, phrase)


def warning(
    code: str, title: str, cause: str, repair: str, phrase: str = "", scope: Scope = Scope.ROW
) -> ProblemCode:
    """A kind that only warns."""
    return ProblemCode(code, scope, Severity.WARNING, title, cause, repair, phrase)
