"""Convert a student file to CSV in UTF-8 if it is a workbook or has another delimiter."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace

from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.problem import Problem, Severity, most_severe
from rollbook.studentfile.reading import byte_checks, encodings, file_type
from rollbook.studentfile.reading.conversion import delimiters, workbooks
from rollbook.studentfile.reading.conversion.workbooks import Workbook
from rollbook.studentfile.reading.reader import FileScan
from rollbook.studentfile.reading.source import Source, size_of


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
    source: Workbook, *, encoding: str, limits: Limits, write: Callable[[bytes], object]
) -> Conversion:
    """Write a file as CSV in UTF-8, with each row on its line, if it has to be converted.

    Args:
        source: The file.
        encoding: The encoding in the district's settings, as normalize_encoding_name() returns it.
        limits: The limits of a file.
        write: Called with the CSV in chunks.

    Raises:
        OSError: The file can't be read or the disk is full.
    """
    if size_of(source) > limits.bytes:
        return Conversion()  # the scan refuses it
    with source.open("rb") as file:
        head = file.read(file_type.SNIFFED_BYTES)
    if file_type.is_zip(head):
        return _convert_archive(source, head, limits, write)
    if file_type.is_ole(head):
        return Conversion((workbooks.problem_of_ole(source),))
    if file_type.detect_non_csv(head):
        return Conversion()
    return _convert_text(source, head, encoding, write)


def _convert_archive(
    source: Workbook, head: bytes, limits: Limits, write: Callable[[bytes], object]
) -> Conversion:
    with source.open("rb") as file:
        is_zip = zipfile.is_zipfile(file)
    if not is_zip:
        looks_like_workbook = file_type.detect_non_csv(head) == "spreadsheet_not_csv"
        code = "workbook_damaged" if looks_like_workbook else "archive_not_csv"
        return Conversion((Problem(code),))
    problems = workbooks.read_workbook(source, limits, write)
    return Conversion(tuple(problems), is_converted=most_severe(problems) is None)


def _convert_text(
    source: Source, head: bytes, configured: str, write: Callable[[bytes], object]
) -> Conversion:
    encoding = encodings.detect_encoding(head, configured)
    try:
        delimiter = delimiters.detect_delimiter(source, encoding)
    except UnicodeDecodeError:
        return Conversion()  # the scan tells where
    if delimiter is None:
        return Conversion()
    checked = byte_checks.check_encoding(source, head, configured)
    if not checked.is_readable:
        return Conversion()  # the scan finds the same problems
    for chunk in delimiters.converted_chunks(source, checked.encoding, delimiter):
        write(chunk)
    # The scan of the converted file finds errors, too, and no longer what is warned about.
    warnings = [problem for problem in checked.problems if problem.severity is Severity.WARNING]
    return Conversion((*delimiter.warnings, *warnings), is_converted=True)
