"""What must hold after a file from the field was sent.

| check | holds if |
|---|---|
| ``unchanged ID.COLUMN`` | the export has the same value as before |
| ``becomes ID.COLUMN=VALUE`` | the export has this value |
| ``not-value ID.COLUMN=VALUE`` | the export doesn't have this value |
| ``value-or-warning``, ``not-value-or-warning`` | so it is, or the row has a problem |
| ``becomes-or-says ID.COLUMN=VALUE|TEXT`` | the value is right, or TEXT is said |
| ``password-unchanged ID`` | the update didn't change the password |
| ``count N``, ``count-or-warning N`` | so many students, or the file has a problem |
| ``refused-or-id ID`` | the file is refused, or a student has this ID |
| ``verdict WORDS``, ``not-verdict-first-line WORDS`` | how the answer of status begins |
| ``says TEXT``, ``says-not TEXT`` | text in any answer or report, in any case |
| ``answer contains TEXT``, ``answer-not TEXT`` | text in the answer of start |
| ``rejected LINE``, ``warned LINE CODE``, ``refused CODE`` | the row or file has such a problem |

``or-`` before a check makes it an alternative to the check before.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Students = Mapping[str, Mapping[str, str]]
"""The exported values by column, by STUDENT_ID or otherwise username."""


@dataclass(frozen=True)
class Aftermath:
    """What is the case after a file was sent.

    Attributes:
        before, after: The export before and after.
        passwords_changed: The students whose password the update changed.
        answer: The answer of start.
        status: The answer of status.
        report: The other reports of the update.
        codes: The codes of the problems of each line; line 0 is the file.
        rejected: The lines of rejected rows.
        refused: The code for which the file was refused.
    """

    before: Students
    after: Students
    passwords_changed: frozenset[str]
    answer: str
    status: str
    report: str
    codes: Mapping[int, Sequence[str]] = field(default_factory=dict)
    rejected: frozenset[int] = frozenset()
    refused: str = ""

    def value(self, cell: str, students: Students | None = None) -> str:
        """Return the value of ``ID.COLUMN``."""
        key, _, column = cell.rpartition(".")
        return (self.after if students is None else students).get(key, {}).get(column, "")

    def says(self, text: str) -> bool:
        """Return whether an answer or a report contains the text."""
        everything = "\n".join([self.answer, self.status, self.report])
        return text.casefold() in everything.casefold()

    @property
    def verdict(self) -> str:
        """The capital words with which the answer of status begins."""
        match = re.match(r"[A-Z]+(?: [A-Z]+)*\b", self.status)
        return match[0] if match else ""

    @property
    def has_problem(self) -> bool:
        """Whether anything was found wrong."""
        return bool(self.codes) or bool(self.refused)


def failed(checks: Sequence[str], aftermath: Aftermath) -> list[str]:
    """Return the checks that don't hold."""
    failures: list[str] = []
    for check in checks:
        is_alternative = check.startswith("or-")
        name, _, argument = check.removeprefix("or-").partition(" ")
        holds = _CHECKS[name](aftermath, argument)
        if is_alternative and holds:
            failures.pop()
        elif is_alternative or not holds:
            failures.append(check)
    return failures


def _becomes(aftermath: Aftermath, argument: str) -> bool:
    cell, _, value = argument.partition("=")
    return aftermath.value(cell) == value


def _unchanged(aftermath: Aftermath, argument: str) -> bool:
    return aftermath.value(argument) == aftermath.value(argument, aftermath.before)


def _becomes_or_says(aftermath: Aftermath, argument: str) -> bool:
    value, _, text = argument.partition("|")
    return _becomes(aftermath, value) or aftermath.says(text)


def _count(aftermath: Aftermath, argument: str) -> bool:
    return len(aftermath.after) == int(argument)


def _refused_or_id(aftermath: Aftermath, argument: str) -> bool:
    return bool(aftermath.refused) or argument in aftermath.after


def _warned(aftermath: Aftermath, argument: str) -> bool:
    line, code = argument.split()
    return code in aftermath.codes.get(int(line), ())


_CHECKS: Mapping[str, Callable[[Aftermath, str], bool]] = {
    "unchanged": _unchanged,
    "becomes": _becomes,
    "not-value": lambda after, text: not _becomes(after, text),
    "value-or-warning": lambda after, text: _becomes(after, text) or after.has_problem,
    "not-value-or-warning": lambda after, text: not _becomes(after, text) or after.has_problem,
    "becomes-or-says": _becomes_or_says,
    "password-unchanged": lambda after, text: text not in after.passwords_changed,
    "count": _count,
    "count-or-warning": lambda after, text: _count(after, text) or after.has_problem,
    "refused-or-id": _refused_or_id,
    "verdict": lambda after, text: after.verdict == text,
    "not-verdict-first-line": lambda after, text: after.verdict != text,
    "says": lambda after, text: after.says(text),
    "says-not": lambda after, text: not after.says(text),
    "answer": lambda after, text: text.removeprefix("contains ") in after.answer,
    "answer-not": lambda after, text: text not in after.answer,
    "rejected": lambda after, text: int(text) in after.rejected,
    "warned": _warned,
    "refused": lambda after, text: after.refused == text,
}
