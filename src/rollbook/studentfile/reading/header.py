"""Parse the header of a student file: its columns and its problems."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from operator import itemgetter

from rollbook.studentfile.columns import (
    BY_NAME,
    BY_SPELLING,
    COLUMNS,
    EXACT_NAMES,
    KEYS_OF_EXCHANGE_FILES,
    OWN_NAMES,
    Column,
    fold_header,
    is_nameless,
)
from rollbook.studentfile.identifying_columns import IDENTIFYING_COLUMNS, can_identify
from rollbook.studentfile.mapping.bound import Reading, bind
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.studentfile.problems.problem import Problem, printable_excerpt
from rollbook.studentfile.reading.similar_names import (
    KEY,
    POSSIBLE_NAMES,
    intended_column,
    key_rank,
    suggested_column,
)

_STAFF_COLUMNS = frozenset(
    {
        "STAFFID",
        "TEACHERID",
        "TEACHERNUMBER",
        "EMPLOYEEID",
        "ROLE",
        "ROLES",
        "STAFFEMAIL",
        "TEACHEREMAIL",
        "JOBTITLE",
        "POSITION",
    }
)
_SHARED_WITH_STAFF = frozenset(
    {
        "USERNAME",
        "PASSWORD",
        "FIRST_NAME",
        "LAST_NAME",
        "MIDDLE_INITIAL",
        "SCHOOL_ID",
        "GROUPS",
        "STATUS",
        "STAFF",
    }
)


_UNMAPPED_HINT = "the column mapping doesn't mention it: map it, or list it there as ignored"
_WORDS_IN_ROWS = frozenset({"ID", "FIRST", "LAST"})
"""Names of identifying columns that are also values: ID is a state."""


@dataclass(frozen=True, slots=True)
class Header:
    """A parsed header.

    Attributes:
        names: The cells as they were sent.
        columns: The column of each cell; None if the column is ignored.
        aliases_not_read: The column of each cell that is ignored because another cell is read as
            that column; None for all other cells.
        reading: What is read through a column mapping; None: cells are read by their names. With
            it, ``columns`` has for each cell a column that is read from it.
    """

    names: tuple[str, ...]
    columns: tuple[Column | None, ...]
    aliases_not_read: tuple[Column | None, ...] = ()
    reading: Reading | None = None

    @classmethod
    def parse(
        cls, names: Sequence[str], mapping: MappingDocument | None = None
    ) -> "tuple[Header, list[Problem]]":
        """Return the header and its problems.

        A header can be stored as JSON: parse(list(header.names)) returns the same header.

        Args:
            names: The cells as they were sent.
            mapping: The column mapping through which the file is read, if there is one.
        """
        if mapping:
            reading = bind(mapping, names)
            mapped = tuple(map(reading.column_of_cell, range(len(names))))
            header = cls(tuple(names), mapped, (None,) * len(names), reading)
            return header, _mapped_problems(header, reading)
        folded = [fold_header(name) for name in names]
        meanings = _meanings(folded)
        columns = tuple(map(_column_to_read, folded, meanings, repeat(_names_read(folded))))
        pairs = zip(meanings, columns, strict=True)
        not_read = tuple(None if column else meaning for meaning, column in pairs)
        header = cls(tuple(names), columns, not_read)
        return header, _problems(header)

    def read_through(self, cells: Sequence[str]) -> list[str]:
        """Return what the mapping makes of a row, by Rollbook column; nothing without a mapping.

        Args:
            cells: The cells; those that are missing at the end count as blank.
        """
        if self.reading is None:
            return []
        missing = len(self.names) - len(cells)
        return self.reading.row([*cells, *[""] * missing])

    def fit(self, cells: list[str]) -> list[str]:
        """Return cells of a row with as many as the header has, if only empty ones differ.

        Surplus empty cells at the end are removed. Missing ones are added if their columns have no
        name.
        """
        width = len(self.names)
        if len(cells) > width:
            return cells if "".join(cells[width:]).strip() else cells[:width]
        if any(map(fold_header, self.names[len(cells) :])):
            return cells
        return [*cells, *[""] * (width - len(cells))]

    @property
    def known(self) -> frozenset[str]:
        """The names of the columns that are used."""
        columns = self.reading.columns if self.reading else self.columns
        return frozenset(column.name for column in columns if column)

    @property
    def ignored(self) -> tuple[str, ...]:
        """The names, as sent, of columns that are not read and not ignored on purpose.

        Columns without a name and those whose name starts with ``_`` are not among them, nor those
        that a mapping mentions.
        """
        if self.reading:
            return tuple(filter(_is_reported, self.reading.unread))
        pairs = zip(self.names, self.columns, strict=True)
        return tuple(name for name, column in pairs if column is None and _is_reported(name))

    def getter(self, column: str) -> Callable[[Sequence[str]], str] | None:
        """Return what takes the text of a column from the cells of a row; None: it isn't read."""
        if self.reading:
            at = self.reading.position(column)
            return None if at is None else partial(self.reading.text, at)
        index = self.index_of(column)
        return None if index is None else itemgetter(index)

    def index_of(self, name: str) -> int | None:
        """Return the index of the first cell with a column; None if there is none."""
        names = [column.name if column else None for column in self.columns]
        return names.index(name) if name in names else None

    def locate(self, problems: list[Problem]) -> None:
        """Name the columns of the file in problems of columns that a mapping reads."""
        reading = self.reading
        for index, problem in enumerate(problems if reading else ()):
            names = reading.file_columns(problem.column) if reading and problem.column else ()
            if names:
                place = f" ({problem.column} is {' and '.join(map(printable_excerpt, names))})"
                hint = problem.hint or problem.definition.fix
                problems[index] = replace(problem, hint=hint.removesuffix(place) + place)

    @property
    def unnamed_columns(self) -> tuple[int, ...]:
        """The indexes of cells without a name."""
        return tuple(index for index, name in enumerate(self.names) if is_nameless(name))

    @property
    def competing_columns(self) -> tuple[tuple[int, int], ...]:
        """Pairs of cells with different aliases of one column: the one read, and one that isn't.

        The aliases beside the column's own name are not among them.
        """
        read = {column: index for index, column in enumerate(self.columns) if column}
        pairs = [
            (read[column], index)
            for index, column in enumerate(self.aliases_not_read)
            if column and fold_header(self.names[read[column]]) not in OWN_NAMES
        ]
        return tuple(pairs)


def _meanings(folded: Sequence[str]) -> list[Column | None]:
    """Return the column that each folded name means, STUDENT_ID also by its name in a format."""
    key = _key_of_exchange_file(folded)
    return [BY_NAME[KEY] if name == key else BY_SPELLING.get(name) for name in folded]


def named_columns(names: Sequence[str]) -> list[Column | str]:
    """Return the column that each name means, or the folded name if it means none.

    Two headers with the same result are the same in another spelling.
    """
    folded = [fold_header(name) for name in names]
    return [column or name for column, name in zip(_meanings(folded), folded, strict=True)]


def has_other_columns(named: Sequence[Column | str], header: Sequence[Column | str]) -> bool:
    """Return whether a row is a header under which columns of a file have other places.

    At least half of its cells, and no fewer than two, name columns, one of them a column that can
    identify a student, and one isn't the column that the file has there. Any row may have a single
    such cell: a group can be called ELL. Race and Grade are also names.

    Args:
        named: What the row's cells name, see ``named_columns``.
        header: What the header names; it has as many cells.
    """
    pairs = zip(named, header, strict=True)
    columns = [(each, own) for each, own in pairs if isinstance(each, Column)]
    if len(columns) < max(2, len(named) / 2):
        return False
    if not any(each.name in IDENTIFYING_COLUMNS for each, _ in columns):
        return False
    return any(own != each and (own in COLUMNS or each in header) for each, own in columns)


def _key_of_exchange_file(folded: Sequence[str]) -> str | None:
    if fold_header(KEY) in folded:
        return None
    present = frozenset(folded)
    keys = (key for key, others in KEYS_OF_EXCHANGE_FILES if others | {key} <= present)
    return next(keys, None)


def _names_read(folded: Sequence[str]) -> Mapping[str, str]:
    """Return, for each column, the folded name under which it is read: its own or the first."""
    read: dict[str, str] = {}
    for name, column in zip(folded, _meanings(folded), strict=True):
        if column and (name in OWN_NAMES or column.name not in read):
            read[column.name] = name
    return read


def _column_to_read(name: str, meaning: Column | None, read: Mapping[str, str]) -> Column | None:
    return meaning if meaning and read[meaning.name] == name else None


def _is_reported(name: str) -> bool:
    return not is_nameless(name) and not fold_header(name).startswith("_")


def looks_like_header(names: Sequence[str]) -> bool:
    """Return whether a cell names an identifying column, or half of the cells name columns.

    Names that other products use count too. One other name is not enough: in a file without a
    header a value such as the state MI can be a column name by chance. A number or a date is a
    value.
    """
    folded = [fold_header(name) for name in names]
    meant = [_meant_column(*pair) for pair in zip(names, folded, strict=True) if pair[1]]
    known = [column for column in meant if column]
    pairs = zip(meant, filter(None, folded), strict=True)
    if any(column in IDENTIFYING_COLUMNS and name not in _WORDS_IN_ROWS for column, name in pairs):
        return True
    has_number = any(map(str.isdigit, folded))
    return bool(known) and not has_number and 2 * len(known) >= len(meant)


def _meant_column(name: str, folded: str) -> str | None:
    """Return the column, of student files or of staff files, that a header cell names."""
    if folded in BY_SPELLING:
        return BY_SPELLING[folded].name
    return folded if folded in _STAFF_COLUMNS else intended_column(name)


def _problems(header: Header) -> list[Problem]:
    if not looks_like_header(header.names):
        return [Problem("header_not_found", 1)]
    return [*_unusable(header), *_duplicates(header), *_ignored(header), *_folded(header)]


def _mapped_problems(header: Header, reading: Reading) -> list[Problem]:
    """Return the problems of a header that is read through a mapping."""
    if reading.missing:
        names = ", ".join(map(printable_excerpt, reading.missing))
        hint = f"it reads {names}: export them too, or change the mapping"
        return [Problem("mapping_columns", 1, found=reading.mapping.name, hint=hint)]
    if not can_identify(header.known):
        return [Problem("missing_column", 1)]
    return [
        Problem("unknown_column", 1, found=printable_excerpt(name), hint=_UNMAPPED_HINT)
        for name in dict.fromkeys(header.ignored)
    ]


def _unusable(header: Header) -> list[Problem]:
    if _looks_like_staff_file(header):
        return [Problem("wrong_file_type", 1)]
    renames = _renames(header)
    if KEY in renames.values():
        return [Problem("key_column_renamed", 1, KEY, hint=_rename_hint(renames))]
    if not can_identify(header.known):
        return [Problem("missing_column", 1, hint=_rename_hint(renames))]
    if renames:
        name, column = next(iter(renames.items()))
        hint = f"{_rename_hint(renames)}; start a name with _ if its column isn't needed"
        return [Problem("column_renamed", 1, column, printable_excerpt(name), hint)]
    return []


def _rename_hint(renames: Mapping[str, str]) -> str:
    if not renames:
        return ""
    pairs = [f"{printable_excerpt(old)} to {new}" for old, new in renames.items()]
    return f"rename {' and '.join(pairs)}"


def _renames(header: Header) -> dict[str, str]:
    """Return ignored names and the missing columns that they mean, each column once.

    If nothing but the key is read, they include names that only possibly mean a column.
    """
    possible = POSSIBLE_NAMES if len(header.known) == 1 else {}
    renames: dict[str, str] = {}
    for name in sorted(header.ignored, key=key_rank):
        column = intended_column(name) or possible.get(fold_header(name))
        if column and column not in header.known and column not in renames.values():
            renames[name] = column
    return renames


def _looks_like_staff_file(header: Header) -> bool:
    """Return whether it has a column of staff files, and none that only student files have."""
    folded = {fold_header(name) for name in header.names}
    has_student = any("STUDENT" in name or "PUPIL" in name for name in folded)
    is_shared = header.known <= _SHARED_WITH_STAFF
    return bool(folded & _STAFF_COLUMNS) and is_shared and not has_student


def _duplicates(header: Header) -> Iterator[Problem]:
    counts = Counter(column.name for column in header.columns if column)
    for name, count in counts.items():
        if count > 1:
            sent = header.names[header.columns.index(BY_NAME[name])]
            yield Problem("duplicate_column", 1, name, printable_excerpt(sent))


def _ignored(header: Header) -> list[Problem]:
    ignored = frozenset(header.ignored)
    problems = {
        name: _ignored_column(header, name, column)
        for name, column in zip(header.names, header.aliases_not_read, strict=True)
        if name in ignored
    }
    return list(problems.values())


def _ignored_column(header: Header, name: str, column: Column | None) -> Problem:
    found = printable_excerpt(name)
    if column:
        read = printable_excerpt(header.names[header.columns.index(column)])
        hint = f"{read} is used as {column.name}: remove {found}, or start its name with _"
        return Problem("alias_ignored", 1, column.name, found, hint)
    meant = intended_column(name) or suggested_column(name)
    if meant is None or meant in header.known:
        return Problem("unknown_column", 1, found=found)
    return Problem("unknown_column", 1, found=found, hint=f"if you mean {meant}, rename it")


def _folded(header: Header) -> list[Problem]:
    for name, column in zip(header.names, header.columns, strict=True):
        if column and name.strip() not in EXACT_NAMES:
            return [Problem("folded_header", 1)]
    return []
