"""Choose the column mapping through which a district's file is read."""

from collections.abc import Sequence
from functools import cached_property

from rollbook.districts.models import District
from rollbook.studentfile.mapping.bound import without_missing
from rollbook.studentfile.mapping.choice import (
    MappingChoice,
    NoMapping,
    RequestedMapping,
    StandingMappings,
)
from rollbook.studentfile.mapping.mapping import NO_MAPPING, MappingDocument
from rollbook.studentfile.reading.reader import FileScan
from rollbook.updates.exports import source_update
from rollbook.updates.mappings import store
from rollbook.updates.mappings.models import ColumnMapping
from rollbook.updates.models import StudentFile


class UnknownMapping(Exception):
    """The district has no mapping of this name; ``known`` are those that it has."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name)
        self.known = tuple(known)

    @property
    def repair(self) -> str:
        """How to fix the request."""
        return f"use {' or '.join((*self.known, NO_MAPPING))}"


class DistrictMappings:
    """The mappings of a district.

    Rows that an update has rejected are read through the mapping of that update, as far as the
    download has its columns: it has no passwords, for example.

    Args:
        district: The district.
        name: The requested mapping; "": the one that fits; ``NO_MAPPING``: none.

    Raises:
        UnknownMapping: The district doesn't have the requested mapping.
    """

    def __init__(self, district: District, name: str = "") -> None:
        self._district = district
        self._name = name
        if name and name != NO_MAPPING and name not in self._stored:
            raise UnknownMapping(name, tuple(self._stored))

    def fitting(self, names: Sequence[str]) -> MappingDocument | None:
        """Return the mapping whose columns a header has; None: there is none."""
        return self._choice(names).fitting(names)

    def for_header(self, names: Sequence[str]) -> MappingDocument | None:
        """Return the mapping of a file with this header, also a requested one that doesn't fit."""
        return self._choice(names).for_header(names)

    def of_scan(self, scan: FileScan) -> ColumnMapping | None:
        """Return the version of the mapping through which a file was scanned."""
        reading = scan.header.reading if scan.header else None
        return self._version(reading.mapping) if reading else None

    def of_header(self, names: Sequence[str]) -> ColumnMapping | None:
        """Return the version through which a file with this header would be read now."""
        mapping = self.for_header(names) if names else None
        return self._version(mapping) if mapping else None

    def _version(self, mapping: MappingDocument) -> ColumnMapping | None:
        return store.find(self._district.pk, mapping.name, mapping.version)

    @cached_property
    def _stored(self) -> dict[str, MappingDocument]:
        stored = {each.name: each.mapping for each in store.find_all(self._district.pk)}
        return {name: mapping for name, mapping in stored.items() if mapping}

    def _choice(self, names: Sequence[str]) -> MappingChoice:
        if source := source_update.find_source_update(names, self._district):
            mapping = source.mapping_document
            if mapping is None:
                return NoMapping()
            return RequestedMapping(without_missing(mapping, names))
        if self._name == NO_MAPPING:
            return NoMapping()
        if self._name:
            return RequestedMapping(self._stored[self._name])
        return StandingMappings(tuple(self._stored.values()))


class StoredMapping(RequestedMapping):
    """One version of a mapping, also if it applies to no other file.

    Args:
        stored: The version.
        mapping: Its mapping.
    """

    def __init__(self, stored: ColumnMapping, mapping: MappingDocument) -> None:
        super().__init__(mapping)
        self._stored = stored

    def of_scan(self, scan: FileScan) -> ColumnMapping | None:
        """Return the version if the file was scanned through it."""
        is_read = scan.header is not None and scan.header.reading is not None
        return self._stored if is_read else None


FileMappings = DistrictMappings | StoredMapping


def to_read_again(file: StudentFile, district: District) -> FileMappings:
    """Return the mappings through which a stored file is read again.

    A mapping that was made for this file alone stays; otherwise those of the district apply.
    """
    stored, mapping = file.mapping, file.mapping_document
    if stored and mapping and stored.name == store.ONE_FILE:
        return StoredMapping(stored, mapping)
    return DistrictMappings(district)
