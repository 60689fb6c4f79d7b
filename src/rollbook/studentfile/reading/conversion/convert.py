"""Convert a student file to CSV in UTF-8 if it is a workbook or has another delimiter."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.problem import Problem, Severity, most_severe
from rollbook.studentfile.reading import byte_checks, encodings, file_type
from rollbook.studentfile.reading.conversion import delimiters, workbooks
from rollbook.studentfile.reading.reader import FileScan


@dataclass(frozen=True)
class Conversion:
    """The result of converting a file.

    Attributes:
        problems: Warnings about the conversion, or the error for which the file is refused.
        is_converted: Whether the converted file is to be used instead.
    """

    problems: tuple[Problem, ...] = ()
    is_converted: bool = False

    @property
    def refusal(self) -> Problem | None:
        """The error for which the file is refused; None if it can be scanned."""
        return most_severe(self.problems)

    def add_to(self, scan: FileScan) -> FileScan:
        """Return the scan of the converted file with the problems of the conversion."""
        return replace(scan, problems=(*self.problems, *scan.problems))


def convert(
    path: Path, *, encoding: str, limits: Limits, write: Callable[[bytes], object]
) -> Conversion:
    """Write a file as CSV in UTF-8, with each row on its line, if it has to be converted.

    Args:
        path: The file.
        encoding: The encoding in the district's settings, as normalize_encoding_name() returns it.
        limits: The limits of a file.
        write: Called with the CSV in chunks.

    Raises:
        OSError: The file can't be read or the disk is full.
    """
    if path.stat().st_size > limits.bytes:
        return Conversion()  # the scan refuses it
    with path.open("rb") as file:
        head = file.read(file_type.SNIFFED_BYTES)
    if file_type.is_zip(head):
        return _convert_archive(path, head, limits, write)
    if file_type.is_ole(head):
        return Conversion((workbooks.problem_of_ole(path),))
    if file_type.detect_non_csv(head):
        return Conversion()
    return _convert_text(path, head, encoding, write)


def _convert_archive(
    path: Path, head: bytes, limits: Limits, write: Callable[[bytes], object]
) -> Conversion:
    if not zipfile.is_zipfile(path):
        looks_like_workbook = file_type.detect_non_csv(head) == "spreadsheet_not_csv"
        code = "workbook_damaged" if looks_like_workbook else "archive_not_csv"
        return Conversion((Problem(code),))
    problems = workbooks.read_workbook(path, limits, write)
    return Conversion(tuple(problems), is_converted=most_severe(problems) is None)


def _convert_text(
    path: Path, head: bytes, configured: str, write: Callable[[bytes], object]
) -> Conversion:
    encoding = encodings.detect_encoding(head, configured)
    try:
        delimiter = delimiters.detect_delimiter(path, encoding)
    except UnicodeDecodeError:
        return Conversion()  # the scan tells where
    if delimiter is None:
        return Conversion()
    checked = byte_checks.check_encoding(path, head, configured)
    if not checked.is_readable:
        return Conversion()  # the scan finds the same problems
    for chunk in delimiters.converted_chunks(path, checked.encoding, delimiter):
        write(chunk)
    # The scan of the converted file finds errors, too, and no longer what is warned about.
    warnings = [problem for problem in checked.problems if problem.severity is Severity.WARNING]
    return Conversion((*delimiter.warnings, *warnings), is_converted=True)
