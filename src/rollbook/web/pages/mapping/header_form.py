"""The form with which each column of a file is mapped to a column of Rollbook, or ignored."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms

from rollbook.studentfile.columns import COLUMNS
from rollbook.studentfile.identifying_columns import can_identify
from rollbook.studentfile.mapping.bound import bind
from rollbook.studentfile.mapping.errors import InvalidMapping
from rollbook.studentfile.mapping.mapping import ColumnSource, MappingDocument
from rollbook.studentfile.mapping.sizes import MAX_NAME_LENGTH
from rollbook.studentfile.problems.problem import printable_excerpt
from rollbook.studentfile.reading.header import Header
from rollbook.web.pages.base.column_labels import label
from rollbook.web.pages.base.forms import FormWithReasons

MAX_SELECTS = 40
"""Columns that can be mapped here, so that the page stays small; the mapping editor has all."""

KEPT, IGNORED = "kept", ""
"""Choices of a file column: as in the mapping, with its steps, or not read."""

DEFAULT_NAME = "our-files"
"""The name that is proposed for a mapping that has none yet."""

NOTHING_IDENTIFIES = (
    "Nothing identifies a student. Use a column as Student ID or as Username, or use columns as "
    "First name, Last name and Birth date."
)


@dataclass(frozen=True)
class FileColumn:
    """A column of a file, and what is read from it.

    Attributes:
        index: Its index in the header.
        name: Its name as sent.
        sources: The sources of the mapping that read it.
    """

    index: int
    name: str
    sources: tuple[ColumnSource, ...]

    @property
    def field(self) -> str:
        """The name of its field."""
        return f"column-{self.index}"

    @property
    def choice(self) -> str:
        """What is chosen for it in the mapping."""
        if not self.sources:
            return IGNORED
        first = self.sources[0]
        is_plain = len(self.sources) == 1 and len(first.names) == 1 and not first.steps
        return first.column if is_plain else KEPT

    @property
    def words(self) -> str:
        """What is read from it, such as ``Last name (split at “,” and take part 1)``."""
        return "; ".join(map(_words, self.sources))


def file_columns(names: Sequence[str], mapping: MappingDocument) -> list[FileColumn]:
    """Return the columns of a file that have a name, and what a mapping reads from each.

    Args:
        names: The header of the file.
        mapping: The mapping.
    """
    reading = bind(mapping, names)
    by_column = {source.column: source for source in mapping.sources}
    readers: dict[int, list[ColumnSource]] = {}
    for column, indexes in zip(reading.columns, reading.indexes, strict=True):
        for index in indexes:
            readers.setdefault(index, []).append(by_column[column.name])
    found = [
        FileColumn(index, name, tuple(readers.get(index, ()))) for index, name in enumerate(names)
    ]
    return list(filter(lambda column: column.name.strip(), found))


def mapping_by_names(names: Sequence[str]) -> MappingDocument:
    """Return the mapping that reads a header as it is read by its names; it may read nothing."""
    header, _ = Header.parse(names)
    pairs = zip(names, header.columns, strict=True)
    read = {column.name: sent for sent, column in pairs if column}
    sources = [ColumnSource(column, (sent,)) for column, sent in read.items()]
    return MappingDocument(DEFAULT_NAME, 0, tuple(sources))


class HeaderForm(FormWithReasons):
    """What each column of a file is read as.

    Args:
        names: The header of the file.
        base: The mapping that the choices change.
        data: What was submitted; None: nothing was.
    """

    save = forms.BooleanField(
        label="Use these columns for the next files, too",
        help_text="Otherwise, only this file is read in this way.",
        required=False,
    )
    name = forms.CharField(
        label="Name of the mapping",
        help_text="Only needed to use it again: a-z, 0-9 and hyphens.",
        max_length=MAX_NAME_LENGTH,
        required=False,
    )

    def __init__(
        self,
        names: Sequence[str],
        base: MappingDocument,
        data: Mapping[str, Any] | None = None,
        *,
        is_saved: bool = False,
    ) -> None:
        initial: dict[str, Any] = {"name": base.name, "save": is_saved}
        super().__init__(data, auto_id="map_%s", initial=initial)
        self.names = names
        self._base = base
        self.mapping: MappingDocument | None = None
        self.columns = file_columns(names, base)
        for column in self.columns[:MAX_SELECTS]:
            self.fields[column.field] = forms.ChoiceField(
                label=printable_excerpt(column.name),
                choices=_choices(column),
                initial=column.choice,
                required=False,
            )

    def require_mapping(self) -> MappingDocument:
        """Return the mapping that was chosen; the form is valid."""
        if self.mapping is None:
            raise AssertionError("the form has errors")
        return self.mapping

    @property
    def selects(self) -> list[forms.BoundField]:
        """The fields of the columns."""
        return [self[column.field] for column in self.columns[:MAX_SELECTS]]

    @property
    def others(self) -> int:
        """How many columns have no field."""
        return max(len(self.columns) - MAX_SELECTS, 0)

    def clean(self) -> dict[str, Any]:
        """Make the mapping from what was chosen."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if values.get("save") and not values.get("name"):
            self.add_error("name", "Enter a name.")
        if self.errors:
            return values
        sources = self._chosen_sources(values)
        varying = filter(lambda source: source.names, sources)
        if not can_identify({source.column for source in varying}):
            self.add_error(None, NOTHING_IDENTIFIES)
        if self.errors:
            return values
        used = {name for source in sources for name in source.names}
        unused = tuple(column.name for column in self.columns if column.name not in used)
        name = values.get("name") or DEFAULT_NAME
        changed = replace(self._base, name=name, sources=tuple(sources), ignored=unused)
        try:
            self.mapping = MappingDocument.from_json(changed.as_json())
        except InvalidMapping as invalid:
            self.add_reasons(None, invalid.errors)
        return values

    def _chosen_sources(self, values: Mapping[str, Any]) -> list[ColumnSource]:
        """Return the sources that stay, and those that were chosen instead; report conflicts."""
        changed = {
            column.field: values[column.field]
            for column in self.columns[:MAX_SELECTS]
            if values[column.field] != column.choice
        }
        sources = {each.column: each for each in self._unchanged(changed)}
        for column in self.columns:
            choice = changed.get(column.field, IGNORED)
            if choice in sources:
                names = " and ".join((*sources[choice].names, column.name))
                self.add_reasons(
                    column.field, [f"{names} would both be {label(choice)}; ignore one of them"]
                )
            elif choice:
                sources[choice] = ColumnSource(choice, (column.name,))
        return list(sources.values())

    def _unchanged(self, changed: Iterable[str]) -> Iterator[ColumnSource]:
        """Yield the sources of which no file column was changed, and those without any."""
        fields = set(changed)
        lost: set[ColumnSource] = set()
        read: set[ColumnSource] = set()
        for column in self.columns:
            read.update(column.sources)
            if column.field in fields:
                lost.update(column.sources)
        for source in self._base.sources:
            if source not in lost and (source in read or not source.names):
                yield source


def _choices(column: FileColumn) -> list[tuple[str, str]]:
    kept = [(KEPT, column.words)] if column.choice == KEPT else []
    return [*kept, (IGNORED, "Ignored"), *((each.name, label(each.name)) for each in COLUMNS)]


def _words(source: ColumnSource) -> str:
    steps = ", ".join(map(str, source.steps))
    return f"{label(source.column)} ({steps})" if steps else label(source.column)
