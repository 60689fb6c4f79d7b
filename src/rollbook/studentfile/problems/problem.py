"""All problem codes, and one problem of a file or row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Self

from rollbook.studentfile.columns import BY_NAME, CONFIDENTIAL
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
    {definition.code: definition for definition in (*FILE_CODES, *ROW_CODES)}
)
"""Every code by its name, most severe first, files before rows."""

_RANK = {code: rank for rank, code in enumerate(PROBLEM_CODES)}

MAX_EXCERPT = 60
"""Characters of a cell that a problem quotes."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem in a file.

    Attributes:
        code: A key of PROBLEM_CODES.
        line: The physical line, counted from 1; None for the file as a whole.
        column: The column's name.
        found: The value as printable_excerpt() returns it; never that of a secret column.
        hint: How to fix this particular value; replaces the general fix.
    """

    code: str
    line: int | None = None
    column: str | None = None
    found: str = ""
    hint: str = ""

    @property
    def definition(self) -> ProblemCode:
        """The entry of the code."""
        return PROBLEM_CODES[self.code]

    @property
    def severity(self) -> Severity:
        """Error or warning."""
        return self.definition.severity

    @property
    def message(self) -> str:
        """What is wrong, with the value, and how to fix it.

        Two sentences, without the last period: a caller may put more after them.
        """
        fix = self.hint or self.definition.fix
        return f"{self._what_is_wrong()}. {fix[:1].upper()}{fix[1:]}"

    @property
    def located_message(self) -> str:
        """The message with the line in parentheses, if it is known and the message has none."""
        message = self.message
        if self.line is None or f"line {self.line:,}" in message:
            return message
        what = self._what_is_wrong()
        return f"{what} (line {self.line:,}){message[len(what) :]}"

    def without_confidential(self) -> Self:
        """Return the problem without value and hint if its column is confidential."""
        if self.column not in CONFIDENTIAL:
            return self
        return replace(self, found="", hint="")

    def _what_is_wrong(self) -> str:
        definition = self.definition
        if not (definition.phrase and self.found):
            return definition.title
        column = BY_NAME.get(self.column or "")
        noun = column.noun if column else "value"
        return definition.phrase.replace("{noun}", noun).replace("{found}", f'"{self.found}"')


def printable_excerpt(text: str) -> str:
    """Return at most MAX_EXCERPT characters of a text, on one line.

    Characters that can't be seen or printed are written as in ``<U+200B>``.
    """
    excerpt = text if len(text) <= MAX_EXCERPT else text[: MAX_EXCERPT - 1] + "…"
    return "".join(map(_printable, excerpt))


def _printable(character: str) -> str:
    return character if character.isprintable() else f"<U+{ord(character):04X}>"


def sort_codes(counts: Mapping[str, int]) -> list[str]:
    """Return the codes in display order: errors before warnings, the most frequent first."""
    return sorted(
        counts, key=lambda code: (PROBLEM_CODES[code].severity, -counts[code], _RANK[code])
    )


def most_severe(problems: Iterable[Problem]) -> Problem | None:
    """Return the most severe error, which names a refusal; None if there is no error."""
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    return min(errors, key=lambda problem: _RANK[problem.code], default=None)
