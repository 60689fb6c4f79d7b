"""A raw row into clean values or problems: every cell by its column's rule, then what the cells say together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from rollbook.studentfile.columns import BY_NAME, CLEAR, REQUIRED_TO_ADD, Column, fold_header
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.problem import (
    PROBLEM_CODES,
    Problem,
    Severity,
    printable_excerpt,
)
from rollbook.studentfile.reading.header import IDENTIFYING_COLUMN_SETS, IDENTIFYING_COLUMNS, Header
from rollbook.studentfile.reading.reader import RawRow
from rollbook.studentfile.values import birth_dates
from rollbook.studentfile.values.names import PLACEHOLDER_OR_NAME
from rollbook.studentfile.values.text_checks import InvalidValue, RuleResult, ValueWithWarning, trim

_MAX_CACHED_RESULTS, _MAX_CACHED_LENGTH = (
    6_000,
    40,
)  # answers for each column, characters: flat memory for any file
_WARN_WHEN_TRIMMED = frozenset({"STUDENT_ID", "SCHOOL_ID"})


@dataclass(slots=True)
class ValidatedRow:
    """What a row says. `values` maps column names to canonical values; blank cells are not in it, and "" means that the
    field is cleared. A rejected row has the values of those cells that were fine.
    """

    line: int
    values: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def rejected(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self.problems)


class RowValidator:
    """Checks the rows of one file. `today` is the district's date: it decides which birth dates lie in the future."""

    def __init__(self, header: Header, today: date, limits: Limits | None = None) -> None:
        longest = (limits or Limits()).cell_characters
        self._today = today
        self._names = list(header.names)
        self._folded = [fold_header(name) for name in header.names]
        self._columns = [
            (index, column.name, _CachedRule(column, longest))
            for index, column in enumerate(header.columns)
            if column
        ]

    def validate(self, row: RawRow) -> ValidatedRow:
        """All that is right and all that is wrong with the row, not only the first problem."""
        line, cells = row
        if len(cells) != len(self._folded):
            return self._wrong_cell_count(line, cells)
        if cells == self._names:
            return ValidatedRow(line, {}, [Problem("header_again", line)])
        checked = ValidatedRow(line)
        for index, name, answers in self._columns:
            text = cells[index]
            if text:
                answer = answers[text]
                if isinstance(answer, str):
                    checked.values[name] = answer
                elif answer:
                    _store_value(checked, name, text, answer)
        if checked.problems and self._is_header(cells):
            return ValidatedRow(line, {}, [Problem("header_again", line)])
        _validate_across_columns(checked, self._today)
        return checked

    def _is_header(self, cells: list[str]) -> bool:
        return [fold_header(cell) for cell in cells] == self._folded

    def _wrong_cell_count(self, line: int, cells: list[str]) -> ValidatedRow:
        """A rejected row with the keys that stand where they should, so that its student counts as present."""
        code = "too_few_cells" if len(cells) < len(self._folded) else "too_many_cells"
        hint = (
            f"it has {len(cells)} and the header {len(self._folded)}: {PROBLEM_CODES[code].repair}"
        )
        values = {
            name: answer
            for index, name, answers in self._columns
            if name in IDENTIFYING_COLUMNS
            and index < len(cells)
            and isinstance(answer := answers[cells[index]], str)
        }
        return ValidatedRow(line, values, [Problem(code, line, hint=hint)])


class _CachedRule(dict[str, RuleResult | None]):
    """What a column's rule answers to each text that was met; None for a blank. Remembers only what comes often."""

    def __init__(self, column: Column, longest: int) -> None:
        super().__init__()
        self._column = column
        self._longest = longest
        self._room = _MAX_CACHED_RESULTS if column.repetitive and not column.secret else 0

    def __missing__(self, text: str) -> RuleResult | None:
        answer = _apply_rule(self._column, text, self._longest)
        if len(self) < self._room and len(text) <= _MAX_CACHED_LENGTH:
            self[text] = answer
        return answer


def _apply_rule(column: Column, text: str, longest: int) -> RuleResult | None:
    if len(text) > longest:
        return InvalidValue(
            "field_too_long", f"at most {longest} characters a cell are allowed: shorten the value"
        )
    if "\n" in text or "\r" in text:
        return InvalidValue("newline_in_field")
    value = trim(text)
    if not value:
        return None
    if value[0] == "<" and value.lower() == CLEAR:
        return "" if column.clearable else InvalidValue("not_clearable")
    answer = column.rule(value)
    if isinstance(answer, str) and value != text and column.name in _WARN_WHEN_TRIMMED:
        return ValueWithWarning(answer, "trimmed")
    return answer


def _store_value(
    checked: ValidatedRow, name: str, text: str, answer: InvalidValue | ValueWithWarning
) -> None:
    found = "" if BY_NAME[name].secret else printable_excerpt(text)
    checked.problems.append(Problem(answer.code, checked.line, name, found, answer.hint))
    if isinstance(answer, ValueWithWarning):
        checked.values[name] = answer.value


def _validate_across_columns(checked: ValidatedRow, today: date) -> None:
    """What no cell can tell alone. A value that turns out wrong here leaves the row's values."""
    values = checked.values
    for name, code in [*_check_age(values, today), *_check_password(values), *_check_names(values)]:
        found = (
            "" if BY_NAME[name].secret else printable_excerpt(BY_NAME[name].format(values[name]))
        )
        checked.problems.append(Problem(code, checked.line, name, found))
        if PROBLEM_CODES[code].severity is Severity.ERROR:
            del values[name]
    said = values.keys() | {problem.column for problem in checked.problems}
    if not any(keys <= said for keys in IDENTIFYING_COLUMN_SETS):
        checked.problems.append(Problem("no_key", checked.line))


def _check_age(values: Mapping[str, str], today: date) -> Iterator[tuple[str, str]]:
    if (born := values.get("DOB")) and (code := birth_dates.code_for_age(born, today)):
        yield "DOB", code


def _check_password(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if (password := values.get("PASSWORD")) and password in (
        values.get("USERNAME"),
        values.get("STUDENT_ID", "").lower(),
    ):
        yield "PASSWORD", "weak_password"


def _check_names(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """One name such as Null may be real; two of them are not."""
    names = [(name, values.get(name, "").casefold()) for name in ("FIRST_NAME", "LAST_NAME")]
    if all(value in PLACEHOLDER_OR_NAME for _, value in names):
        yield from ((name, "placeholder") for name, _ in names)


def missing_required_values(values: Mapping[str, str], line: int) -> list[Problem]:
    """A `required` problem for each value without which no student can be added."""
    return [
        Problem("required", line, name, found=name)
        for name in REQUIRED_TO_ADD
        if not values.get(name)
    ]
