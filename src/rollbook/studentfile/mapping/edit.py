"""Change one thing in a mapping; the result is another mapping."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from rollbook.studentfile.fixes import Fix, FixStep
from rollbook.studentfile.mapping.errors import Errors, InvalidMapping
from rollbook.studentfile.mapping.mapping import ColumnSource, MappingDocument
from rollbook.studentfile.mapping.parse_steps import parse_step
from rollbook.studentfile.mapping.steps import Step
from rollbook.studentfile.reading.header import Header

NAME_OF_FIXES = "fixed-file"
"""The name of the mapping of a file that had none until a step was added."""


_DOCUMENTS: Mapping[FixStep, Callable[[str], dict[str, object]]] = {
    FixStep.PAD: lambda width: {"step": "pad", "width": int(width), "with": "0"},
    FixStep.STRIP_SUFFIX: lambda suffix: {"step": "strip", "suffix": suffix},
    FixStep.STRIP_PREFIX: lambda prefix: {"step": "strip", "prefix": prefix},
    FixStep.CASE: lambda case: {"step": "case", "to": case},
    FixStep.DATE_ORDER: lambda order: {"step": "date", "order": order},
}


def step_of(fix: Fix) -> dict[str, object]:
    """Return the step that does what a fix does, as in a document."""
    return _DOCUMENTS[fix.step](fix.argument)


def add_step(mapping: MappingDocument, column: str, step: Step) -> MappingDocument:
    """Return the mapping with one more step at the end of those of a column.

    Args:
        mapping: The mapping.
        column: The Rollbook column whose values the step changes.
        step: The step.

    Raises:
        InvalidMapping: The mapping doesn't read this column, or the step can't follow the others.
    """
    if column not in {source.column for source in mapping.sources}:
        raise InvalidMapping([f"columns: the mapping doesn't read {column}; map it first"])
    sources = tuple(
        replace(source, steps=(*source.steps, step)) if source.column == column else source
        for source in mapping.sources
    )
    changed = replace(mapping, version=0, sources=sources)
    return MappingDocument.from_json(changed.as_json())


def of_header(name: str, names: Sequence[str]) -> MappingDocument:
    """Return a mapping that reads a file as it is read without one, to add steps to it.

    Args:
        name: The name of the mapping.
        names: The header of the file.

    Raises:
        InvalidMapping: Without a mapping, the header can't be read.
    """
    header, _ = Header.parse(names)
    read = {column.name: sent for sent, column in zip(names, header.columns, strict=True) if column}
    sources = tuple(ColumnSource(column, (sent,)) for column, sent in read.items())
    used = frozenset(read.values())
    ignored = tuple(each for each in names if each.strip() and each not in used)
    return MappingDocument.from_json(MappingDocument(name, 0, sources, (), ignored).as_json())


def with_fix(
    mapping: MappingDocument | None, names: Sequence[str], column: str, stored: object
) -> MappingDocument:
    """Return the mapping of a file with more steps, which repair a column.

    Args:
        mapping: The mapping of the file; None: it is read by the names of its columns.
        names: The header of the file.
        column: The Rollbook column to repair.
        stored: The step as in a document, or a list of several.

    Raises:
        InvalidMapping: A step has errors, or the column isn't read.
    """
    changed = mapping or of_header(NAME_OF_FIXES, names)
    for document in stored if isinstance(stored, list) else [stored]:
        errors = Errors()
        step = parse_step(document, "the step", errors)
        errors.raise_any()
        if step is None:
            raise InvalidMapping(["the step: it can't be read"])
        changed = add_step(changed, column, step)
    return changed
