"""The forms of a column mapping: a choice of file columns, and the document."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms

from rollbook.studentfile.columns import COLUMNS
from rollbook.studentfile.mapping.errors import InvalidMapping
from rollbook.studentfile.mapping.mapping import ColumnSource, MappingDocument
from rollbook.studentfile.mapping.sizes import MAX_DOCUMENT_BYTES, MAX_NAME_LENGTH
from rollbook.web.pages.base.forms import FormWithReasons

KEPT, NONE = "kept", ""
"""Choices of a Rollbook column: as in the mapping, or no file column."""
_NOT_IN_FILE = "Not in the file"


class DocumentForm(FormWithReasons):
    """A mapping as its document."""

    document = forms.CharField(
        label="Document",
        help_text="The format is described in the documentation, under column mapping.",
        max_length=MAX_DOCUMENT_BYTES,
        widget=forms.Textarea({"rows": 16, "spellcheck": "false"}),
        error_messages={"required": "Write a mapping."},
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, auto_id="text_%s", initial=initial)
        self.mapping: MappingDocument | None = None

    def clean_document(self) -> str:
        """Parse the document."""
        text: str = self.cleaned_data["document"]
        try:
            self.mapping = MappingDocument.from_text(text)
        except InvalidMapping as invalid:
            self.add_reasons("document", invalid.errors)
        return text


class ColumnsForm(FormWithReasons):
    """Which file column each Rollbook column comes from.

    Args:
        names: The header of the file.
        base: The mapping that the choices change.
    """

    document = forms.CharField(
        max_length=MAX_DOCUMENT_BYTES, widget=forms.HiddenInput, required=False
    )
    name = forms.CharField(
        label="Name",
        help_text="a-z, 0-9 and hyphens. Saving under a name that exists adds a version.",
        max_length=MAX_NAME_LENGTH,
        error_messages={"required": "Enter a name."},
    )

    def __init__(self, names: Sequence[str], base: MappingDocument, *args: Any) -> None:
        super().__init__(*args)
        self._names = names
        self._base = base
        self.mapping: MappingDocument | None = None
        sources = {source.column: source for source in base.sources}
        self.steps = {column: _words(source) for column, source in sources.items()}
        for column in COLUMNS:
            self.fields[column.name] = forms.ChoiceField(
                label=column.name,
                choices=_choices(names, sources.get(column.name)),
                required=False,
            )

    def rows(self) -> list[tuple[forms.BoundField, str]]:
        """Return the field of each Rollbook column, with its steps in words."""
        return [(self[column.name], self.steps.get(column.name, "")) for column in COLUMNS]

    def clean(self) -> dict[str, Any]:
        """Change the mapping by what was chosen."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return values
        current = {source.column: source for source in self._base.sources}
        chosen = (self._source(values[each.name], current.get(each.name)) for each in COLUMNS)
        sources = [
            replace(source, column=column.name)
            for column, source in zip(COLUMNS, chosen, strict=True)
            if source
        ]
        used = {name for source in sources for name in source.names}
        unused = [name for name in self._names if name.strip() and name not in used]
        changed = replace(
            self._base, name=values["name"], sources=tuple(sources), ignored=tuple(unused)
        )
        try:
            self.mapping = MappingDocument.from_json(changed.as_json())
        except InvalidMapping as invalid:
            self.add_reasons(None, invalid.errors)
        return values

    def _source(self, choice: str, current: ColumnSource | None) -> ColumnSource | None:
        if choice == KEPT:
            return current
        return ColumnSource("", (self._names[int(choice)],)) if choice else None


def initial_columns(mapping: MappingDocument) -> dict[str, str]:
    """Return the initial values of ColumnsForm."""
    values = {source.column: KEPT for source in mapping.sources}
    return {**values, "name": mapping.name, "document": document_of(mapping)}


def document_of(mapping: MappingDocument) -> str:
    """Return the document of a mapping as people edit it."""
    return json.dumps(mapping.as_json(), indent=2, ensure_ascii=False)


def _choices(names: Sequence[str], source: ColumnSource | None) -> list[tuple[str, str]]:
    """Return the choices: as in the mapping, none, and each file column."""
    kept = [(KEPT, " + ".join(source.names) or "(constant)")] if source else []
    plain = source.names if source and not source.steps else ()
    columns = [
        (str(index), name) for index, name in enumerate(names) if name.strip() and name not in plain
    ]
    return [*kept, (NONE, _NOT_IN_FILE), *columns]


def _words(source: ColumnSource) -> str:
    return ", ".join(map(str, source.steps))
