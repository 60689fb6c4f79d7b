"""A mapping bound to the header of a file: what it reads from the cells of a row."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import repeat

from rollbook.studentfile.columns import BY_NAME, CONFIDENTIAL, Column, fold_header
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.studentfile.mapping.sizes import MAX_RESULT
from rollbook.studentfile.mapping.steps import Join, Step

_MAX_CACHED_RESULTS = 6_000
_MAX_CACHED_LENGTH = 40


class Reading:
    """Reads the Rollbook columns of rows whose cells are in the order of a file's header.

    What the header lacks isn't read: a Rollbook column is left out if one of its file columns is
    missing, and so is a condition.

    Attributes:
        mapping: The mapping.
        columns: The Rollbook columns that are read.
        indexes: The indexes of the cells of each of them.
        missing: The file columns of the mapping that the header lacks.
    """

    def __init__(self, mapping: MappingDocument, names: Sequence[str]) -> None:
        self.mapping = mapping
        self._names = names
        found = {name: _find(name, names) for name in mapping.names}
        self.missing = tuple(name for name, index in found.items() if index is None)
        absent = frozenset(self.missing)
        sources = [each for each in mapping.sources if absent.isdisjoint(each.names)]
        self.columns: tuple[Column, ...] = tuple(BY_NAME[each.column] for each in sources)
        self.indexes = tuple(tuple(_filter_none(map(found.get, each.names))) for each in sources)
        self._texts = [
            _Texts(column, each.steps) for column, each in zip(self.columns, sources, strict=True)
        ]
        self._steps = [each.steps for each in sources]
        self._conditions = [
            (index, _folded(condition.values), condition.is_negated)
            for condition in mapping.keep
            if (index := found[condition.name]) is not None
        ]
        self._mentioned = _spellings((*mapping.names, *mapping.ignored))

    @property
    def has_conditions(self) -> bool:
        """Whether rows can be skipped."""
        return bool(self._conditions)

    @property
    def unread(self) -> tuple[str, ...]:
        """The file columns that the mapping doesn't mention."""
        return tuple(name for name in self._names if self._mentioned.isdisjoint(_spellings([name])))

    def column_of_cell(self, index: int) -> Column | None:
        """Return a column that is read from a cell: the one that needs the most protection."""
        pairs = zip(self.columns, self.indexes, strict=True)
        read = [column for column, indexes in pairs if index in indexes]
        return max(read, key=_protection, default=None)

    def steps(self, at: int) -> Sequence[Step]:
        """Return the steps of the Rollbook column at this position."""
        return self._steps[at]

    def position(self, column: str) -> int | None:
        """Return the position of a Rollbook column; None if it isn't read."""
        return next((at for at, each in enumerate(self.columns) if each.name == column), None)

    def keeps(self, cells: Sequence[str]) -> bool:
        """Return whether a row with all its cells meets the conditions."""
        for index, values, is_negated in self._conditions:
            if (cells[index].strip().casefold() in values) is is_negated:
                return False
        return True

    def text(self, at: int, cells: Sequence[str]) -> str:
        """Return the text of a Rollbook column in one row.

        Args:
            at: The position of the column.
            cells: The cells of the row.
        """
        return self._texts[at].read([cells[index] for index in self.indexes[at]])

    def columns_of(self, cells: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """Return the texts of each Rollbook column in several rows.

        Args:
            cells: The cells of each file column.
        """
        return [
            texts.read_all([cells[index] for index in indexes], len(cells[0]))
            for texts, indexes in zip(self._texts, self.indexes, strict=True)
        ]

    def row(self, cells: Sequence[str]) -> list[str]:
        """Return the text of each Rollbook column in one row with all its cells."""
        return [self.text(at, cells) for at in range(len(self.columns))]

    def original(self, at: int, cells: Sequence[str]) -> str:
        """Return the cells that a Rollbook column was read from."""
        return ", ".join(filter(None, (cells[index].strip() for index in self.indexes[at])))

    def file_columns(self, column: str) -> tuple[str, ...]:
        """Return the names, as sent, of the file columns of a Rollbook column."""
        at = self.position(column)
        return () if at is None else tuple(self._names[index] for index in self.indexes[at])


def bind(mapping: MappingDocument, names: Sequence[str]) -> Reading:
    """Return what a mapping reads from a file with this header."""
    return Reading(mapping, names)


def without_missing(mapping: MappingDocument, names: Sequence[str]) -> MappingDocument:
    """Return the mapping without what it reads from columns that a header lacks."""
    absent = frozenset(bind(mapping, names).missing)
    return replace(
        mapping,
        sources=tuple(each for each in mapping.sources if absent.isdisjoint(each.names)),
        keep=tuple(each for each in mapping.keep if each.name not in absent),
    )


def _filter_none(indexes: Iterable[int | None]) -> list[int]:
    """Return the indexes that there are."""
    return [index for index in indexes if index is not None]


def _protection(column: Column) -> int:
    return 2 * column.secret + (column.name in CONFIDENTIAL)


class _Texts(dict[str, str]):
    """What the cells of one Rollbook column become. Caches values that repeat."""

    def __init__(self, column: Column, steps: Sequence[Step]) -> None:
        super().__init__()
        self.steps = steps
        self._join: Callable[[Sequence[str]], str] | None = None
        if steps and isinstance(steps[0], Join):
            self._join, self.steps = steps[0].join, steps[1:]
        is_cached = column.repetitive and not column.secret
        self._max_results = _MAX_CACHED_RESULTS if is_cached else 0

    def __missing__(self, text: str) -> str:
        result = text
        for step in self.steps:
            if len(result) > MAX_RESULT:
                break
            result = step.apply(result)
        if len(self) < self._max_results and len(text) <= _MAX_CACHED_LENGTH:
            self[text] = result
        return result

    def read(self, cells: Sequence[str]) -> str:
        """Return the text of one row."""
        text = self._join(cells) if self._join else "".join(cells)
        return self[text] if self.steps else text

    def read_all(self, cells: Sequence[tuple[str, ...]], count: int) -> tuple[str, ...]:
        """Return the text of each row."""
        if not cells:
            return tuple(repeat(self[""], count))
        texts = cells[0]
        if self._join:
            texts = tuple(map(self._join, zip(*cells, strict=True)))
        return tuple(map(self.__getitem__, texts)) if self.steps else texts


def _spellings(names: Iterable[str]) -> frozenset[str]:
    """Return the names as they are compared with those of a header."""
    listed = list(names)
    return frozenset([*map(str.strip, listed), *filter(None, map(fold_header, listed))])


def _find(name: str, names: Sequence[str]) -> int | None:
    """Return the index of a column in a header, None if it's missing or there are two of it.

    A name that is written in another way counts only if none is written exactly so.
    """
    exact = [index for index, each in enumerate(names) if each.strip() == name.strip()]
    folded = fold_header(name)
    similar = [index for index, each in enumerate(names) if folded and fold_header(each) == folded]
    found = exact or similar
    return found[0] if len(found) == 1 else None


def _folded(values: Sequence[str]) -> frozenset[str]:
    return frozenset(value.strip().casefold() for value in values)
