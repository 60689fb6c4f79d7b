"""Runs ``rollbook file``: checks a student file without a server or data folder."""

import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from rollbook.cli import output
from rollbook.cli.errors import FAILED, OK, SOME_REJECTED, CommandError
from rollbook.cli.mapping_file import read_mapping
from rollbook.cli.progress_bar import ProgressBar
from rollbook.cli.terminal import paint
from rollbook.studentfile.file_validator import validate_file
from rollbook.studentfile.mapping.choice import MappingChoice, NoMapping, RequestedMapping
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.problems.tally import ProblemTally
from rollbook.studentfile.reading import reader
from rollbook.studentfile.reading.conversion.convert import convert
from rollbook.studentfile.reading.encodings import UTF_8
from rollbook.studentfile.reading.reader import FileScan
from rollbook.studentfile.rules import DateOrder, FileRules

OF_A_DISTRICT = ("against", "schools", "mode", "limits")
"""Options that need a district."""

NOT_CHECKED = (
    "Not checked, because it depends on the district's students: whether students and schools "
    "exist, whether new students have all required values, and whether IDs or usernames are used "
    "more than once."
)

_TONES = {"OK": "good", "WITH": "warn", "REFUSED": "bad"}
"""By the first word of the first line."""


def check(arguments: Namespace) -> int:
    """Check the file by its rules alone or, given something of a district, against that, too."""
    try:
        encoding = reader.normalize_encoding_name(arguments.encoding)
    except ValueError as error:
        raise CommandError("unknown_encoding", str(error)) from None
    if any(getattr(arguments, name) for name in OF_A_DISTRICT):
        return _check_against_district(arguments, encoding)
    return _check_alone(arguments, encoding)


def _check_against_district(arguments: Namespace, encoding: str) -> int:
    # Imported here because it imports Django, which a check by the rules alone doesn't need.
    from rollbook.cli.offline import temporary_installation

    with temporary_installation():
        # It uses the settings, which exist only now.
        from rollbook.cli.actions import twin

        return twin.check(arguments, encoding)


def _check_alone(arguments: Namespace, encoding: str) -> int:
    """Scan the file, validate every row, and print what would happen to it."""
    path: Path = arguments.file
    rules = FileRules(DateOrder(arguments.date_order))
    mappings = RequestedMapping(read_mapping(arguments.map)) if arguments.map else NoMapping()
    keeps_all = arguments.json or arguments.all
    result = ProblemTally(max_per_code=None if keeps_all else output.MAX_LINES_PER_CODE)
    # The date on this machine is the only one known here.
    today = date.today()  # noqa: DTZ011
    with (
        _converted_and_scanned(path, encoding, rules, mappings) as (csv_path, survey),
        ProgressBar() as progress,
    ):
        for row_count in validate_file(csv_path, survey, today, result):
            progress.show("checking", row_count, survey.rows)
    refusal = survey.refusal or _second_header(result)
    verdict, exit_code = _verdict(path, survey, result, refusal)
    if arguments.json:
        output.print_json(_to_json(path, survey, result, verdict), result.problems)
    else:
        print("\n".join(_text_lines(verdict, result, every=arguments.all)))
        if refusal is None:
            print(f"\n{NOT_CHECKED}")
    return exit_code


@contextmanager
def _converted_and_scanned(
    path: Path, encoding: str, rules: FileRules, mappings: MappingChoice
) -> Iterator[tuple[Path, FileScan]]:
    """Yield the file, or the temporary file that it is converted to, and its scan."""
    with tempfile.NamedTemporaryFile(prefix="rollbook-", suffix=".csv") as converted:
        limits = reader.Limits()
        conversion = convert(path, encoding=encoding, limits=limits, write=converted.write)
        if conversion.refusal:
            yield path, FileScan(encoding, None, 0, conversion.problems)
            return
        csv_path = path
        if conversion.is_converted:
            converted.flush()
            csv_path, encoding = Path(converted.name), UTF_8
        scan = reader.scan(csv_path, encoding=encoding, rules=rules, mappings=mappings)
        yield csv_path, conversion.add_to(scan)


def _second_header(result: ProblemTally) -> Problem | None:
    """Return why an update is refused after the check of all rows, or None."""
    rows = (found for found in result.problems if found.code == "other_header")
    other = next(rows, None)
    return Problem("second_header", other.line) if other else None


def _verdict(
    path: Path, survey: FileScan, result: ProblemTally, refusal: Problem | None
) -> tuple[str, int]:
    """Return the first line of the output and the exit code."""
    if refusal:
        return f"REFUSED {path}: {refusal.code}: {refusal.located_message}", FAILED
    rows = f"{survey.rows:,} {'row' if survey.rows == 1 else 'rows'}"
    if result.rejected:
        return f"WITH ERRORS {path}: {rows}, {result.rejected:,} would be rejected", SOME_REJECTED
    return f"OK {path}: {rows}, none would be rejected", OK


def _text_lines(verdict: str, result: ProblemTally, *, every: bool) -> Iterator[str]:
    yield paint(verdict, _TONES[verdict.split()[0]])
    if result.counts:
        yield ""
        yield from output.problem_totals(result.counts)
        yield ""
        yield from output.problem_lines(result.problems, result.counts, every=every)


def _to_json(path: Path, survey: FileScan, result: ProblemTally, verdict: str) -> dict[str, object]:
    return {
        "verdict": verdict.partition(f" {path}:")[0],
        "message": verdict,
        "file": {"name": path.name, "bytes": path.stat().st_size},
        "encoding": survey.encoding,
        "rows": survey.rows,
        "rejected": result.rejected,
        "counts": dict(result.counts),
        "not_checked": NOT_CHECKED,
    }
