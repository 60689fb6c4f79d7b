"""Validate a row: each cell by its column's rule, then the cells together."""

from collections.abc import Collection, Container, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from itertools import compress, count
from operator import eq
from typing import cast

from rollbook.studentfile.cell_rules import CellRule
from rollbook.studentfile.columns import (
    BY_NAME,
    BY_SPELLING,
    REQUIRED_TO_ADD,
    Column,
    fold_header,
)
from rollbook.studentfile.identifying_columns import IDENTIFYING_COLUMN_SETS, IDENTIFYING_COLUMNS
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.problem import (
    PROBLEM_CODES,
    Problem,
    Severity,
    printable_excerpt,
)
from rollbook.studentfile.reading.header import Header, has_other_columns, named_columns
from rollbook.studentfile.reading.row_damage import RowDamage
from rollbook.studentfile.reading.row_parser import RawRow
from rollbook.studentfile.rules import FileRules
from rollbook.studentfile.values import birth_dates
from rollbook.studentfile.values.names import ONE_NAME, PLACEHOLDER_OR_NAME, is_one_name
from rollbook.studentfile.values.text_checks import InvalidValue, RuleResult, ValueWithWarning

_ONCE_PER_COLUMN = frozenset({"placeholder_blank", "list_separator", "line_breaks_joined"})
_ACCEPTING_NAMES = frozenset(
    {
        *("STUDENT_ID", "USERNAME", "PASSWORD", "FIRST_NAME", "LAST_NAME", "SCHOOL_ID", "GROUPS"),
        *("ADDITIONAL_INFO_1", "ADDITIONAL_INFO_2", "ADDITIONAL_INFO_3"),
    }
)
"""Columns in which the name of a column is a valid value. With any other column, a row that is a
header has a problem."""

_WITHOUT_PROBLEM = frozenset({str, type(None)})
"""Types of the results of rules that are no problem: a value, or None for a blank cell."""


@dataclass(slots=True)
class ValidatedRow:
    """The values and problems of a row.

    Attributes:
        line: The physical line on which the row begins.
        values: Canonical values by column name, without those of blank cells. "" clears the
            field. A rejected row has its valid values.
        problems: Everything that is wrong with the row.
    """

    line: int
    values: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def rejected(self) -> bool:
        """Whether the row has an error."""
        return bool(self.problems) and any(
            problem.severity is Severity.ERROR for problem in self.problems
        )


@dataclass(frozen=True, slots=True)
class ValidColumns:
    """The rows of a batch in which every cell is valid or blank, as columns.

    Attributes:
        positions: Where the rows are in the batch.
        values: Column to canonical values, one for each of the rows; None for a blank cell.
        uncertain: The numbers of those of the rows whose cells may contradict each other.
    """

    positions: Sequence[int] = ()
    values: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    uncertain: Collection[int] = frozenset()


class RowValidator:
    """Validates the rows of one file.

    Args:
        header: The file's header.
        today: The district's date, which decides which dates of birth are in the future.
        limits: The limits, if not the default ones.
        rules: What ambiguous values mean, as the scan of the file has decided.
        keep_optional: Whether a bad value in an optional column only causes a warning and is left
            out. By hand it is an error.
    """

    def __init__(
        self,
        header: Header,
        today: date,
        limits: Limits | None = None,
        rules: FileRules | None = None,
        *,
        keep_optional: bool = True,
    ) -> None:
        self._reported: set[tuple[str, str]] = set()
        file_rules = rules or FileRules()
        max_length = (limits or Limits()).cell_characters
        self._today = today
        self._has_last_name = "LAST_NAME" in header.known
        self._names = list(header.names)
        self._header = named_columns(header.names)
        self._reading = header.reading
        columns = header.reading.columns if header.reading else header.columns
        # The index of each column's text: its position in a mapping, or that of its cell.
        self._columns = [
            (
                index,
                column.name,
                CellRule(column, file_rules, max_length, keep_optional=keep_optional),
            )
            for index, column in enumerate(columns)
            if column
        ]
        self._telling_cell = self._find_telling_cell()

    def validate(self, row: RawRow) -> ValidatedRow:
        """Return all values and all problems of the row, not only the first problem."""
        line, cells, damage = row
        if damage:
            return self._damaged_row(line, cells, damage)
        if len(cells) != len(self._names):
            return self._wrong_cell_count(line, cells)
        if cells == self._names:
            return ValidatedRow(line, {}, [Problem("header_again", line)])
        validated = ValidatedRow(line)
        texts = self._reading.row(cells) if self._reading else cells
        for index, name, results in self._columns:
            text = texts[index]
            if text:
                result = results[text]
                if isinstance(result, str):
                    validated.values[name] = result
                elif result:
                    found = self._reading.original(index, cells) if self._reading else text
                    self._add_problem(validated, name, found or text, result)
        may_be_header = bool(validated.problems or self._find_headers([cells]))
        if may_be_header and (code := self._code_of_header(cells)):
            return ValidatedRow(line, {}, [Problem(code, line)])
        self._validate_across_columns(validated)
        return validated

    def validate_columns(self, rows: Sequence[RawRow]) -> ValidColumns:
        """Return the rows in which every cell is valid or blank, as columns.

        ``validate`` validates the others, and all rows of a file with a repeated column.
        """
        intact = [index for index, row in enumerate(rows) if self._is_intact(row)]
        kept = [rows[index].cells for index in intact]
        cells = list(zip(*kept, strict=True))
        names = dict.fromkeys(name for _, name, _ in self._columns)
        if not cells or not names or len(names) < len(self._columns):  # or one is repeated
            return ValidColumns()
        texts = [cells[at] for at, _, _ in self._columns]
        if self._reading:
            texts = self._reading.columns_of(cells)
        rules = (rule for _, _, rule in self._columns)
        results = [rule.validate_all(each) for rule, each in zip(rules, texts, strict=True)]
        if invalid := _find_problems(results).union(self._find_headers(kept)):
            valid = [number not in invalid for number in range(len(intact))]
            intact = list(compress(intact, valid))
            results = [list(compress(column, valid)) for column in results]
        values = dict(zip(names, cast("list[list[str | None]]", results), strict=True))
        return ValidColumns(intact, values, _find_uncertain(values, len(intact), self._today))

    def valid_rows(
        self, rows: Sequence[RawRow], columns: ValidColumns, wanted: Set[int]
    ) -> dict[int, ValidatedRow]:
        """Return valid rows as ``validate`` does, by their position.

        Args:
            rows: The rows of the batch.
            columns: As returned by ``validate_columns``.
            wanted: The positions of the rows to return.
        """
        names, uncertain = list(columns.values), columns.uncertain
        validated: dict[int, ValidatedRow] = {}
        cells = zip(*columns.values.values(), strict=True)
        for number, (position, values) in enumerate(zip(columns.positions, cells, strict=True)):
            if position not in wanted:
                continue
            pairs = zip(names, values, strict=True)
            given = {name: value for name, value in pairs if value is not None}
            row = validated[position] = ValidatedRow(rows[position].line, given)
            if number in uncertain:
                self._validate_across_columns(row)
        return validated

    def _is_intact(self, row: RawRow) -> bool:
        """Return whether a row has as many cells as the header, undamaged and not the same."""
        cells = row.cells
        return not row.damage and len(cells) == len(self._names) and cells != self._names

    def _validate_across_columns(self, row: ValidatedRow) -> None:
        if self._has_last_name and "LAST_NAME" not in row.values:
            _name_one_name(row)
        _validate_across_columns(row, self._today)

    def _add_problem(
        self, row: ValidatedRow, name: str, text: str, result: InvalidValue | ValueWithWarning
    ) -> None:
        if isinstance(result, ValueWithWarning):
            row.values[name] = result.value
        if result.code in _ONCE_PER_COLUMN:
            if (result.code, name) in self._reported:
                return
            self._reported.add((result.code, name))
        excerpt = "" if BY_NAME[name].secret else printable_excerpt(text)
        row.problems.append(Problem(result.code, row.line, name, excerpt, result.hint))

    def _find_telling_cell(self) -> int | None:
        """Return the cell that tells a header whose cells are all valid; None if no row can be one.

        It is one that identifies the student; a header names a column there.
        """
        if self._reading or any(name not in _ACCEPTING_NAMES for _, name, _ in self._columns):
            return None
        telling = (index for index, name, _ in self._columns if name in IDENTIFYING_COLUMNS)
        return next(telling, None)

    def _find_headers(self, rows: Sequence[Sequence[str]]) -> list[int]:
        """Return the numbers of the rows that may be headers although their cells are valid."""
        at = self._telling_cell
        texts = [] if at is None else [cells[at] for cells in rows]
        return [
            number
            for number, text in enumerate(texts)
            if not text.isdecimal() and fold_header(text) in BY_SPELLING
        ]

    def _code_of_header(self, cells: list[str]) -> str | None:
        """Return the problem of a row that names columns in any spelling; numbers never do."""
        if any(map(str.isdecimal, cells)):
            return None
        named = named_columns(cells)
        if named == self._header:
            return "header_again"
        return "other_header" if has_other_columns(named, self._header) else None

    def _wrong_cell_count(self, line: int, cells: list[str]) -> ValidatedRow:
        """Return a rejected row.

        It has the identifying values in the expected cells, so that its student counts as present.
        """
        code = "too_few_cells" if len(cells) < len(self._names) else "too_many_cells"
        count = f"the row has {len(cells)} and the header has {len(self._names)}"
        hint = f"{count}: {PROBLEM_CODES[code].fix}"
        values = self._identifying_values(cells, frozenset())
        return ValidatedRow(line, values, [Problem(code, line, hint=hint)])

    def _damaged_row(self, line: int, cells: list[str], damage: RowDamage) -> ValidatedRow:
        """Return a rejected row with the identifying values in the cells that can be trusted."""
        values = self._identifying_values(cells, damage.cells)
        return ValidatedRow(line, values, list(damage.problems))

    def _identifying_values(self, cells: list[str], untrusted: Collection[int]) -> dict[str, str]:
        values: dict[str, str] = {}
        for index, name, results in self._columns:
            needed = self._reading.indexes[index] if self._reading else (index,)
            is_certain = all(at < len(cells) and at not in untrusted for at in needed)
            if name in IDENTIFYING_COLUMNS and is_certain:
                text = self._reading.text(index, cells) if self._reading else cells[index]
                result = results[text]
                if isinstance(result, str):
                    values[name] = result
        return values


def _find_problems(results: Sequence[Sequence[RuleResult | None]]) -> set[int]:
    """Return the numbers of the rows in which one of the columns has a problem."""
    found: set[int] = set()
    for column in results:
        if not _WITHOUT_PROBLEM.issuperset(map(type, column)):
            found.update(
                number
                for number, result in enumerate(column)
                if type(result) not in _WITHOUT_PROBLEM
            )
    return found


def _find_uncertain(
    values: Mapping[str, Sequence[str | None]], rows: int, today: date
) -> Collection[int]:
    """Return the numbers of the rows in which ``_validate_across_columns`` may find something.

    Args:
        values: Column to its values.
        rows: The number of rows.
        today: The district's date.
    """
    if "STUDENT_ID" not in values:
        return range(rows)
    ids = [student_id or "" for student_id in values["STUDENT_ID"]]
    found = set(_positions_of({""}, ids))
    for name in ("FIRST_NAME", "LAST_NAME"):
        found.update(_positions_of({ONE_NAME}, values.get(name, ())))
    births = filter(None, {*values.get("DOB", ())})
    unusual = {born for born in births if birth_dates.code_for_age(born, today)}
    found.update(_positions_of(unusual, values.get("DOB", ())))
    if passwords := values.get("PASSWORD"):
        for key in (values.get("USERNAME", ()), map(str.lower, ids)):
            found.update(compress(count(), map(eq, passwords, key)))
    return found


def _positions_of(wanted: Container[str | None], values: Sequence[str | None]) -> Iterator[int]:
    return (number for number, value in enumerate(values) if value in wanted)


def _validate_across_columns(row: ValidatedRow, today: date) -> None:
    """Add the problems that depend on several cells or on the date, and remove invalid values."""
    values = row.values
    found = [("PASSWORD", "weak_password")] if _has_weak_password(values) else []
    if (born := values.get("DOB")) and (code := birth_dates.code_for_age(born, today)):
        found.append(("DOB", code))
    # A name that could be a placeholder has a warning already.
    if row.problems or ONE_NAME in (values.get("FIRST_NAME"), values.get("LAST_NAME")):
        found += _check_names(values)
    for name, code in found:
        row.problems.append(Problem(code, row.line, name, _excerpt(BY_NAME[name], values[name])))
        if PROBLEM_CODES[code].severity is Severity.ERROR:
            del values[name]
    if "STUDENT_ID" in values:
        return
    filled_columns = values.keys() | {problem.column for problem in row.problems}
    if not any(columns <= filled_columns for columns in IDENTIFYING_COLUMN_SETS):
        row.problems.append(Problem("no_key", row.line))


def _excerpt(column: Column, canonical: str) -> str:
    return "" if column.secret else printable_excerpt(column.format(canonical))


def _has_weak_password(values: Mapping[str, str]) -> bool:
    """Return whether the password is the username or the STUDENT_ID."""
    password = values.get("PASSWORD")
    if not password:
        return False
    return password in (values.get("USERNAME"), values.get("STUDENT_ID", "").lower())


def _check_names(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield an error for both names if both could be placeholders; one alone may be real.

    A missing name needs another one that is a single word.
    """
    columns = ("FIRST_NAME", "LAST_NAME")
    if all(values.get(name, "").casefold() in PLACEHOLDER_OR_NAME for name in columns):
        yield from ((name, "placeholder") for name in columns)
        return
    for name, other in (columns, columns[::-1]):
        if values.get(name) == ONE_NAME and not is_one_name(values.get(other, "")):
            yield name, "placeholder"


def _name_one_name(row: ValidatedRow) -> None:
    """Let a row without a last name, STUDENT_ID and USERNAME identify a student with one name."""
    values = row.values
    has_problem = any(problem.column == "LAST_NAME" for problem in row.problems)
    if not has_problem and values.keys().isdisjoint({"STUDENT_ID", "USERNAME"}):
        fill_one_name(values)


def fill_one_name(values: dict[str, str]) -> None:
    """Set the last name of a student who has only one name, according to the row."""
    if "LAST_NAME" in values or values.get("MIDDLE_INITIAL"):
        return
    if is_one_name(values.get("FIRST_NAME", "")):
        values["LAST_NAME"] = ONE_NAME


def missing_required_values(values: Mapping[str, str], line: int) -> list[Problem]:
    """Return a `required` problem for each missing value that a new student needs."""
    return [
        Problem("required", line, name, found=name)
        for name in REQUIRED_TO_ADD
        if not values.get(name)
    ]
