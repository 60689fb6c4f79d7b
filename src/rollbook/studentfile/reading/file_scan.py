"""The result of scanning a file."""

from dataclasses import dataclass, field

from rollbook.studentfile.problems.problem import Problem, most_severe
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.lots import Lots
from rollbook.studentfile.reading.record_splitter import FilePosition
from rollbook.studentfile.rules import FileRules


@dataclass(frozen=True)
class FileScan:
    """The result of a scan.

    Attributes:
        encoding: The encoding in which the file is read.
        header: Its header; None if it has none.
        rows: The number of rows, without the header and blank lines.
        problems: The problems of the file as a whole.
        checkpoints: Positions where reading can begin, about CHECKPOINT_INTERVAL_BYTES apart.
        rules: The rules by which its rows are to be validated.
        lots: Its text, as a memory keeps it; None if it isn't to be remembered.
    """

    encoding: str
    header: Header | None
    rows: int
    problems: tuple[Problem, ...]
    checkpoints: tuple[FilePosition, ...] = ()
    rules: FileRules = field(default_factory=FileRules)
    lots: Lots | None = field(default=None, compare=False)

    @property
    def refusal(self) -> Problem | None:
        """The most severe error, for which the whole file is refused; None if it is accepted."""
        return most_severe(self.problems)
