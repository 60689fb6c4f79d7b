"""A raw row into clean values or problems: every cell by its column's rule, then what the cells say together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from rollbook.format import birth_dates
from rollbook.format.columns import BY_NAME, CLEAR, REQUIRED_TO_ADD, Column, fold_header
from rollbook.format.header import IDENTIFYING, KEYS, Header
from rollbook.format.limits import Limits
from rollbook.format.names import MAYBE_NAMES
from rollbook.format.problems import KINDS, Problem, Severity, visible
from rollbook.format.reader import RawRow
from rollbook.format.screening import Answer, Fault, Noted, trimmed

_MOST_REMEMBERED, _LONGEST_REMEMBERED = 6_000, 40  # answers for each column, characters: flat memory for any file
_TRIMMING_NOTED = frozenset({"STUDENT_ID", "SCHOOL_ID"})


@dataclass(slots=True)
class CheckedRow:
    """What a row says. `values` maps column names to canonical values; blank cells are not in it, and "" means that the
    field is cleared. A rejected row has the values of those cells that were fine.
    """

    line: int
    values: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def rejected(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self.problems)


class Checker:
    """Checks the rows of one file. `today` is the district's date: it decides which birth dates lie in the future."""

    def __init__(self, header: Header, today: date, limits: Limits | None = None) -> None:
        longest = (limits or Limits()).cell_characters
        self._today = today
        self._names = list(header.names)
        self._folded = [fold_header(name) for name in header.names]
        self._columns = [
            (index, column.name, _Answers(column, longest)) for index, column in enumerate(header.columns) if column
        ]

    def check(self, row: RawRow) -> CheckedRow:
        """All that is right and all that is wrong with the row, not only the first problem."""
        line, cells = row
        if len(cells) != len(self._folded):
            return self._of_wrong_length(line, cells)
        if cells == self._names:
            return CheckedRow(line, {}, [Problem("header_again", line)])
        checked = CheckedRow(line)
        for index, name, answers in self._columns:
            text = cells[index]
            if text:
                answer = answers[text]
                if isinstance(answer, str):
                    checked.values[name] = answer
                elif answer:
                    _take(checked, name, text, answer)
        if checked.problems and self._is_header(cells):
            return CheckedRow(line, {}, [Problem("header_again", line)])
        _check_together(checked, self._today)
        return checked

    def _is_header(self, cells: list[str]) -> bool:
        return [fold_header(cell) for cell in cells] == self._folded

    def _of_wrong_length(self, line: int, cells: list[str]) -> CheckedRow:
        """A rejected row with the keys that stand where they should, so that its student counts as present."""
        code = "too_few_cells" if len(cells) < len(self._folded) else "too_many_cells"
        hint = f"it has {len(cells)} and the header {len(self._folded)}: {KINDS[code].repair}"
        values = {
            name: answer
            for index, name, answers in self._columns
            if name in KEYS and index < len(cells) and isinstance(answer := answers[cells[index]], str)
        }
        return CheckedRow(line, values, [Problem(code, line, hint=hint)])


class _Answers(dict[str, Answer | None]):
    """What a column's rule answers to each text that was met; None for a blank. Remembers only what comes often."""

    def __init__(self, column: Column, longest: int) -> None:
        super().__init__()
        self._column = column
        self._longest = longest
        self._room = _MOST_REMEMBERED if column.repetitive and not column.secret else 0

    def __missing__(self, text: str) -> Answer | None:
        answer = _answer(self._column, text, self._longest)
        if len(self) < self._room and len(text) <= _LONGEST_REMEMBERED:
            self[text] = answer
        return answer


def _answer(column: Column, text: str, longest: int) -> Answer | None:
    if len(text) > longest:
        return Fault("field_too_long", f"at most {longest} characters a cell are allowed: shorten the value")
    if "\n" in text or "\r" in text:
        return Fault("newline_in_field")
    value = trimmed(text)
    if not value:
        return None
    if value[0] == "<" and value.lower() == CLEAR:
        return "" if column.clearable else Fault("not_clearable")
    answer = column.rule(value)
    if isinstance(answer, str) and value != text and column.name in _TRIMMING_NOTED:
        return Noted(answer, "trimmed")
    return answer


def _take(checked: CheckedRow, name: str, text: str, answer: Fault | Noted) -> None:
    found = "" if BY_NAME[name].secret else visible(text)
    checked.problems.append(Problem(answer.code, checked.line, name, found, answer.hint))
    if isinstance(answer, Noted):
        checked.values[name] = answer.value


def _check_together(checked: CheckedRow, today: date) -> None:
    """What no cell can tell alone. A value that turns out wrong here leaves the row's values."""
    values = checked.values
    for name, code in [*_of_age(values, today), *_of_password(values), *_of_names(values)]:
        found = "" if BY_NAME[name].secret else visible(BY_NAME[name].show(values[name]))
        checked.problems.append(Problem(code, checked.line, name, found))
        if KINDS[code].severity is Severity.ERROR:
            del values[name]
    said = values.keys() | {problem.column for problem in checked.problems}
    if not any(keys <= said for keys in IDENTIFYING):
        checked.problems.append(Problem("no_key", checked.line))


def _of_age(values: Mapping[str, str], today: date) -> Iterator[tuple[str, str]]:
    if (born := values.get("DOB")) and (code := birth_dates.code_for_age(born, today)):
        yield "DOB", code


def _of_password(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if (password := values.get("PASSWORD")) and password in (
        values.get("USERNAME"),
        values.get("STUDENT_ID", "").lower(),
    ):
        yield "PASSWORD", "weak_password"


def _of_names(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """One name such as Null may be real; two of them are not."""
    names = [(name, values.get(name, "").casefold()) for name in ("FIRST_NAME", "LAST_NAME")]
    if all(value in MAYBE_NAMES for _, value in names):
        yield from ((name, "placeholder") for name, _ in names)


def missing_to_add(values: Mapping[str, str], line: int) -> list[Problem]:
    """A `required` problem for each value without which no student can be added."""
    return [Problem("required", line, name, found=name) for name in REQUIRED_TO_ADD if not values.get(name)]
