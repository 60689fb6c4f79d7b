"""Propose a mapping for a file: the preset that fits best, or one by the names of its columns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rollbook.studentfile.columns import fold_header
from rollbook.studentfile.identifying_columns import can_identify
from rollbook.studentfile.mapping.bound import bind, without_missing
from rollbook.studentfile.mapping.mapping import ColumnSource, Condition, MappingDocument
from rollbook.studentfile.mapping.presets import PRESETS, Preset
from rollbook.studentfile.mapping.steps import Pad, Split, Step, Strip
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.similar_names import (
    KEY,
    POSSIBLE_NAMES,
    intended_column,
    key_rank,
)

NAME_OF_OTHERS = "student-file"
"""The name of a proposed mapping that isn't a preset."""

_MIN_SOURCES = 3
_NAME_COLUMNS = frozenset({"LASTFIRST", "STUDENTNAME", "FULLNAME", "NAME"})
_ROLE_COLUMNS = frozenset({"ROLE", "ROLES"})

KnownIds = Callable[[Sequence[str]], int]
"""A function that returns how many of these student IDs the roster has."""


@dataclass(frozen=True)
class Proposal:
    """A proposed mapping.

    Attributes:
        mapping: The mapping.
        title: The system whose preset it is; "" if it is none.
        unused: The file columns that it doesn't read.
    """

    mapping: MappingDocument
    title: str
    unused: tuple[str, ...]


def propose(
    names: Sequence[str], rows: Sequence[Sequence[str]], known_ids: KnownIds | None = None
) -> Proposal | None:
    """Return the mapping that fits a file best; None if nothing in it identifies students.

    Args:
        names: The header.
        rows: The cells of some rows, as many as the header has.
        known_ids: Counts the student IDs that the roster has, to find their column and form.
    """
    preset = _best_preset(names)
    mapping = without_missing(preset.mapping, names) if preset else _empty()
    mapping = _with_other_columns(mapping, names)
    mapping = _with_split_names(mapping, names, rows)
    if not preset:
        mapping = replace(mapping, keep=tuple(_roles(names, rows)))
    mapping = _with_key_of_roster(mapping, names, rows, known_ids or _count_none)
    if not can_identify(source.column for source in mapping.sources):
        return None
    unused = bind(mapping, names).unread
    named = tuple(name for name in unused if name.strip())
    complete = replace(mapping, ignored=named)
    return Proposal(MappingDocument.from_json(complete.as_json()), _title(preset), named)


def _title(preset: Preset | None) -> str:
    return preset.title if preset else ""


def _empty() -> MappingDocument:
    return MappingDocument(NAME_OF_OTHERS, 0, ())


def _count_none(texts: Sequence[str]) -> int:
    del texts
    return 0


def _best_preset(names: Sequence[str]) -> Preset | None:
    """Return the preset with the most columns in a header that has those it needs."""
    header = frozenset(map(str.strip, names))
    scores = {
        at: len(header.intersection(preset.mapping.names))
        for at, preset in enumerate(PRESETS)
        if header.issuperset(preset.needs)
    }
    best = max(scores, key=lambda at: scores[at], default=None)
    if best is None or scores[best] < _MIN_SOURCES:
        return None
    return PRESETS[best]


def _with_other_columns(mapping: MappingDocument, names: Sequence[str]) -> MappingDocument:
    """Add the Rollbook columns that the names of other file columns mean."""
    read = {source.column for source in mapping.sources}
    used = {name for source in mapping.sources for name in source.names}
    sources = list(mapping.sources)
    for sent, column in _meanings(names):
        if column not in read and sent not in used and _is_unique(sent, names):
            sources.append(ColumnSource(column, (sent,)))
            read.add(column)
            used.add(sent)
    return replace(mapping, sources=tuple(sources))


def _meanings(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield names with the column that each means, the certain ones first."""
    header, _ = Header.parse(names)
    for sent, known in zip(names, header.columns, strict=True):
        if known:
            yield sent, known.name
    filled = [name for name in names if name.strip() and not name.strip().startswith("_")]
    for sent in sorted(filled, key=key_rank):
        if column := intended_column(sent):
            yield sent, column
    for sent in filled:
        if column := POSSIBLE_NAMES.get(fold_header(sent)):
            yield sent, column


def _is_unique(name: str, names: Sequence[str]) -> bool:
    return [each.strip() for each in names].count(name.strip()) == 1


def _with_split_names(
    mapping: MappingDocument, names: Sequence[str], rows: Sequence[Sequence[str]]
) -> MappingDocument:
    """Split a column such as ``Klein, Ora`` if the file has no columns for both names."""
    if {"FIRST_NAME", "LAST_NAME"} & {source.column for source in mapping.sources}:
        return mapping
    for index, name in enumerate(names):
        cells = [row[index] for row in rows if row[index].strip()]
        is_name = fold_header(name) in _NAME_COLUMNS and bool(cells)
        if is_name and all(cell.count(",") == 1 for cell in cells):
            split = (
                ColumnSource("LAST_NAME", (name,), (Split(",", 1),)),
                ColumnSource("FIRST_NAME", (name,), (Split(",", 2),)),
            )
            return replace(mapping, sources=(*mapping.sources, *split))
    return mapping


def _roles(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Condition]:
    """Yield the condition that a row is a student, if a column says that of some rows."""
    for index, name in enumerate(names):
        if fold_header(name) in _ROLE_COLUMNS and _is_unique(name, names):
            roles = {row[index].strip().casefold() for row in rows}
            if "student" in roles:
                yield Condition(name, ("student",))
                return


def _with_key_of_roster(
    mapping: MappingDocument,
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    known_ids: KnownIds,
) -> MappingDocument:
    """Read STUDENT_ID from the column, and in the form, in which the roster knows the most."""
    current = next((each for each in mapping.sources if each.column == KEY), None)
    others = tuple(each for each in mapping.sources if each.column != KEY)
    used = {name for each in others for name in each.names}
    best, most = current, 0
    for index, name in enumerate(names):
        is_current = current is not None and current.names == (name,)
        if not is_current and (name in used or intended_column(name) != KEY):
            continue
        cells = [row[index].strip() for row in rows if row[index].strip()]
        for steps in _forms(cells):
            known = known_ids([_changed(cell, steps) for cell in cells])
            if known > most or (is_current and known == most and not steps and not most):
                best, most = ColumnSource(KEY, (name,), steps), known
    return replace(mapping, sources=(best, *others)) if best else mapping


def _forms(cells: Sequence[str]) -> Iterator[tuple[Step, ...]]:
    """Yield steps that IDs could need: none, without .0, and padded to more digits."""
    yield ()
    stripped: tuple[Step, ...] = ()
    if cells and all(cell.endswith(".0") for cell in cells):
        stripped = (Strip(suffix=".0"),)
        yield stripped
    digits = [_changed(cell, stripped) for cell in cells]
    if digits and all(each.isascii() and each.isdigit() for each in digits):
        for width in range(max(map(len, digits)), _MAX_DIGITS + 1):
            yield (*stripped, Pad(width))


_MAX_DIGITS = 12


def _changed(text: str, steps: Sequence[Step]) -> str:
    for step in steps:
        text = step.apply(text)
    return text
