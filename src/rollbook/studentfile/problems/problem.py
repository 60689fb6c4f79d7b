"""What can be wrong with a file or a row: the closed list of kinds, and one problem as it was found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rollbook.studentfile.problems.codes import ProblemCode, Scope, Severity
from rollbook.studentfile.problems.file_codes import FILE_CODES
from rollbook.studentfile.problems.row_codes import ROW_CODES

__all__ = [
    "MAX_EXCERPT",
    "PROBLEM_CODES",
    "Problem",
    "ProblemCode",
    "Scope",
    "Severity",
    "most_severe",
    "printable_excerpt",
    "sort_codes",
]

PROBLEM_CODES: Mapping[str, ProblemCode] = MappingProxyType(
    {kind.code: kind for kind in (*FILE_CODES, *ROW_CODES)}
)
"""Every code there is. The order is that of weight, files before rows."""

_RANK = {code: rank for rank, code in enumerate(PROBLEM_CODES)}

MAX_EXCERPT = 60
"""Characters of a cell that a problem quotes."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `line` is the physical line (the header is line 1), `column` the column's name, `found` what stood
    there as visible() shows it and never the content of a secret cell, `hint` a repair for this very case.
    """

    code: str
    line: int | None = None
    column: str | None = None
    found: str = ""
    hint: str = ""

    @property
    def definition(self) -> ProblemCode:
        return PROBLEM_CODES[self.code]

    @property
    def severity(self) -> Severity:
        return self.definition.severity

    @property
    def message(self) -> str:
        """One sentence: what happened, what was found, what to do."""
        kind = self.definition
        happened = (
            kind.phrase.replace("{found}", f"'{self.found}'")
            if kind.phrase and self.found
            else kind.title
        )
        return f"{happened}; {self.hint or kind.repair}"


def printable_excerpt(text: str) -> str:
    """The text on one line of at most LONGEST_FOUND characters, what cannot be seen or printed written as <U+200B>."""
    cut = text if len(text) <= MAX_EXCERPT else text[: MAX_EXCERPT - 1] + "…"
    return "".join(letter if letter.isprintable() else f"<U+{ord(letter):04X}>" for letter in cut)


def sort_codes(counts: Mapping[str, int]) -> list[str]:
    """Return the codes in display order: errors before warnings, the most frequent first."""
    return sorted(
        counts, key=lambda code: (PROBLEM_CODES[code].severity, -counts[code], _RANK[code])
    )


def most_severe(problems: Iterable[Problem]) -> Problem | None:
    """Return the most severe error, which names a refusal; None if there is no error."""
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    return min(errors, key=lambda problem: _RANK[problem.code], default=None)
