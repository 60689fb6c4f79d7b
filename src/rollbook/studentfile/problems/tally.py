"""Count problems by code while rows are validated, and group them for display."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from rollbook.studentfile.problems.codes import ProblemCode, Severity
from rollbook.studentfile.problems.problem import PROBLEM_CODES, Problem
from rollbook.studentfile.row_validator import ValidatedRow

FIRST_LINES_SHOWN = 10
"""How many lines of the problems of one code are kept with its count."""


@dataclass(slots=True)
class ProblemTally:
    """Validated and rejected rows, exact problem counts by code, and the first problems in detail.

    ``max_kept`` limits the problems kept in ``problems``, and ``max_per_code`` those of one code;
    None means no limit.
    """

    max_kept: int | None = None
    max_per_code: int | None = None
    rows: int = 0
    rejected: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    def add_row(self, row: ValidatedRow) -> None:
        """Count one row and its problems."""
        self.rows += 1
        if row.problems:
            self.rejected += row.rejected
            self.add(row.problems)

    def add(self, problems: Iterable[Problem]) -> None:
        """Count these problems, and keep those within the limits."""
        for problem in problems:
            self.counts[problem.code] += 1
            if self._has_room(problem.code):
                self.problems.append(problem)

    def _has_room(self, code: str) -> bool:
        if self.max_per_code is not None and self.counts[code] > self.max_per_code:
            return False
        return self.max_kept is None or len(self.problems) < self.max_kept


@dataclass(frozen=True, slots=True)
class ProblemGroup:
    """The problems of one code.

    Attributes:
        code: The code.
        count: How many there are.
        lines: The first lines.
        first: The first problems, if they are kept.
        columns: The columns of the first problems.
    """

    code: str
    count: int
    lines: tuple[int, ...] = ()
    first: tuple[Problem, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def definition(self) -> ProblemCode:
        """The entry of this code."""
        return PROBLEM_CODES[self.code]

    @property
    def has_other_lines(self) -> bool:
        """Whether there may be more lines than the first ones."""
        return len(self.lines) >= FIRST_LINES_SHOWN and self.count > len(self.lines)

    @property
    def hints(self) -> tuple[str, ...]:
        """What was found about the file as a whole, of the problems that are kept."""
        return tuple(each.hint for each in self.first if each.line is None and each.hint)

    @property
    def severity(self) -> Severity:
        """Error or warning."""
        return self.definition.severity

    @property
    def title(self) -> str:
        """What is wrong, without the final period."""
        return self.definition.title

    @property
    def fix(self) -> str:
        """How to fix it, in lower case without the final period."""
        return self.definition.fix
