"""Check a zip file before anything in it is unpacked, and tell which kind of workbook it is."""

import re
from collections.abc import Mapping
from enum import Enum
from zipfile import ZipFile, ZipInfo

from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.reading.conversion.sheet_facts import WorkbookRefused

MAX_PARTS = 10_000
MAX_UNPACKED_BYTES = 512 << 20
MAX_EXPANSION = 250
"""How many times larger than the zip file all parts may be together; the tables of a spreadsheet
are 5 to 100 times larger."""
HARMLESS_BYTES = 64 << 20
"""Up to this size of all parts, any expansion is allowed: blank formatted rows compress well."""

_LOCAL_HEADER_BYTES = 30
_ENCRYPTED_FLAG = 1
_NUMBERS = re.compile(r"index/.*\.iwa|index\.zip")
_ODF = "application/vnd.oasis.opendocument."


class WorkbookKind(Enum):
    """The workbooks that can be read."""

    XLSX = "xlsx"
    ODS = "ods"


def check_archive(archive: ZipFile) -> tuple[WorkbookKind, dict[str, str]]:
    """Check the directory of a zip file.

    Returns:
        The kind of workbook, and the names of its parts by their names in lower case.

    Raises:
        WorkbookRefused: It is no workbook, or not one that can be read.
    """
    entries = archive.infolist()
    parts = {entry.filename.replace("\\", "/").lower(): entry.filename for entry in entries}
    code = _code_of_other_type(parts)
    if code:
        raise WorkbookRefused(Problem(code))
    _check_expansion(archive, entries)
    if len(parts) < len(entries) or _have_overlaps(entries):
        raise WorkbookRefused(Problem("workbook_damaged"))
    if any(entry.flag_bits & _ENCRYPTED_FLAG for entry in entries):
        raise WorkbookRefused(Problem("workbook_encrypted"))
    if "xl/workbook.xml" in parts:
        return WorkbookKind.XLSX, parts
    _check_opendocument(archive, parts)
    return WorkbookKind.ODS, parts


def _code_of_other_type(parts: Mapping[str, str]) -> str | None:
    """Return the problem code of a zip file that is no workbook, or None."""
    if "xl/workbook.xml" in parts or "content.xml" in parts:
        return None
    if "xl/workbook.bin" in parts or any(map(_NUMBERS.fullmatch, parts)):
        return "xls_not_supported"
    if any(part.startswith(("word/", "ppt/", "visio/")) for part in parts):
        return "document_not_csv"
    if any(part.startswith("xl/") for part in parts):
        return "workbook_damaged"
    return "archive_not_csv"


def _check_expansion(archive: ZipFile, entries: list[ZipInfo]) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    is_bomb = unpacked > max(HARMLESS_BYTES, packed * MAX_EXPANSION)
    if len(entries) > MAX_PARTS or unpacked > MAX_UNPACKED_BYTES or is_bomb:
        raise WorkbookRefused(Problem("workbook_too_large"))


def _have_overlaps(entries: list[ZipInfo]) -> bool:
    """Return whether the data of an entry begins before that of the previous one ends."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            return True
        end = entry.header_offset + _LOCAL_HEADER_BYTES + entry.compress_size
    return False


def _check_opendocument(archive: ZipFile, parts: Mapping[str, str]) -> None:
    """Check that an OpenDocument file is a spreadsheet and not encrypted."""
    kind = _read_small(archive, parts, "mimetype").decode("latin-1").strip()
    if kind.startswith(_ODF) and not kind.startswith(_ODF + "spreadsheet"):
        raise WorkbookRefused(Problem("document_not_csv"))
    if b"encryption-data" in _read_small(archive, parts, "meta-inf/manifest.xml"):
        raise WorkbookRefused(Problem("workbook_encrypted"))


def _read_small(archive: ZipFile, parts: Mapping[str, str], name: str) -> bytes:
    if name not in parts:
        return b""
    with archive.open(parts[name]) as file:
        return file.read(1 << 20)
