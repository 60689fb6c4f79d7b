"""Choose the mapping by which a file is read, by its header."""

from collections.abc import Sequence
from typing import Protocol

from rollbook.studentfile.columns import OWN_NAMES, fold_header
from rollbook.studentfile.mapping.bound import bind
from rollbook.studentfile.mapping.mapping import MappingDocument


class MappingChoice(Protocol):
    """Which mapping a file is read through."""

    def fitting(self, names: Sequence[str]) -> MappingDocument | None:
        """Return the mapping whose columns a header has; None: there is none."""

    def for_header(self, names: Sequence[str]) -> MappingDocument | None:
        """Return the mapping of a file with this header, also a requested one that doesn't fit."""


class NoMapping:
    """Files are read by the names of their columns."""

    def fitting(self, names: Sequence[str]) -> MappingDocument | None:
        """Return none."""
        del names
        return None

    def for_header(self, names: Sequence[str]) -> MappingDocument | None:
        """Return none."""
        del names
        return None


class RequestedMapping:
    """One mapping is requested, whatever the header is."""

    def __init__(self, mapping: MappingDocument) -> None:
        self._mapping = mapping

    def fitting(self, names: Sequence[str]) -> MappingDocument | None:
        """Return the mapping if the header has its columns."""
        return self._mapping if fits(self._mapping, names) else None

    def for_header(self, names: Sequence[str]) -> MappingDocument | None:
        """Return the mapping."""
        del names
        return self._mapping


class StandingMappings:
    """Mappings that apply to each file whose header has their columns.

    A file with the names of Rollbook's own columns is read without any of them. If several fit,
    the one that reads the most columns applies, of those the one that is listed first.
    """

    def __init__(self, mappings: Sequence[MappingDocument]) -> None:
        self._mappings = mappings

    def fitting(self, names: Sequence[str]) -> MappingDocument | None:
        """Return the mapping that applies."""
        if has_own_names(names):
            return None
        fitting = [mapping for mapping in self._mappings if fits(mapping, names)]
        return max(fitting, key=lambda mapping: len(mapping.names), default=None)

    def for_header(self, names: Sequence[str]) -> MappingDocument | None:
        """Return the mapping that applies."""
        return self.fitting(names)


def fits(mapping: MappingDocument, names: Sequence[str]) -> bool:
    """Return whether a header has all file columns of a mapping."""
    return not bind(mapping, names).missing


def has_own_names(names: Sequence[str]) -> bool:
    """Return whether every column has the name of one of Rollbook's columns, or begins with _."""
    folded = [name for name in map(fold_header, names) if name and not name.startswith("_")]
    return bool(folded) and all(name in OWN_NAMES for name in folded)
