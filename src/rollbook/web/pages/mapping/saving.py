"""Save a column mapping, for one file or for all files with its columns."""

from collections.abc import Sequence

from rollbook.studentfile.mapping.choice import has_own_names
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.updates.mappings import store
from rollbook.updates.mappings.choice import DistrictMappings, FileMappings, StoredMapping
from rollbook.web.pages.base.view import PageRequest


def save_mapping(
    page_request: PageRequest,
    mapping: MappingDocument,
    names: Sequence[str],
    *,
    for_next_files: bool,
) -> FileMappings:
    """Save a mapping and return what the file is read through.

    Args:
        page_request: The request, in which the result is announced.
        mapping: The mapping.
        names: The header of the file.
        for_next_files: Whether the mapping applies to each file with its columns.

    Raises:
        ValidationFailed: The district has too many mappings, or the mapping too many versions.
    """
    if not for_next_files:
        return _save_for_one_file(page_request, mapping)
    district = page_request.district
    saved = store.save(district, mapping, page_request.member, page_request.now)
    current = store.find(district.pk, mapping.name)
    version = current.version if current else 0
    result = "saved" if saved else "unchanged"
    page_request.audit(store.ACTION, result, f"{mapping.name}, version {version}")
    applies = "It applies to each file that has its columns, as to this one."
    if has_own_names(names):
        applies = (
            "This file is read through it. Other files in which all columns have Rollbook’s own "
            f"names need header_map={mapping.name}."
        )
    page_request.success(f"{mapping.name}, version {version}, is saved. {applies}")
    return DistrictMappings(district, mapping.name)


def _save_for_one_file(page_request: PageRequest, mapping: MappingDocument) -> FileMappings:
    member, now = page_request.member, page_request.now
    stored = store.save_for_one_file(page_request.district, mapping, member, now)
    page_request.audit(store.ACTION, "for one file", f"{stored.name}, version {stored.version}")
    page_request.success("The file was read with these columns. Other files are not affected.")
    return StoredMapping(stored, mapping)
