"""``rollbook file``: a student file's own rules, with no server, no database and no data folder."""

from argparse import Namespace
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from rollbook.cli import output
from rollbook.cli.errors import DONE, NOT_DONE, SOME_REJECTED, Failure
from rollbook.cli.progress_bar import Progress
from rollbook.format import reader
from rollbook.format.file_validator import validate_file
from rollbook.format.reader import Survey
from rollbook.format.tally import ProblemTally

NOT_CHECKED = (
    "Not checked here, as it takes the district's students: whether students and schools exist, whether a new "
    "student has all it needs, and keys that two rows or students want."
)


def check(arguments: Namespace) -> int:
    """Survey the file, then check every row; the result tells how it would fare."""
    path: Path = arguments.file
    try:
        survey = reader.survey(path, encoding=reader.known_encoding(arguments.encoding))
    except ValueError as error:
        raise Failure("unknown_encoding", str(error)) from None
    most = None if arguments.json else output.MOST_SHOWN
    result = ProblemTally(max_kept=most)
    today = date.today()  # noqa: DTZ011 - the day it is where the file is checked
    with Progress() as progress:
        for done in validate_file(path, survey, today, result):
            progress.show("checking", done, survey.rows)
    verdict, code = _verdict(path, survey, result)
    if arguments.json:
        output.print_json(_facts(path, survey, result, verdict), result.problems)
    else:
        print("\n".join(_lines(verdict, result)))
    return code


def _verdict(path: Path, survey: Survey, result: ProblemTally) -> tuple[str, int]:
    if survey.refusal:
        return f"REFUSED {path}: {survey.refusal.code}: {survey.refusal.message}", NOT_DONE
    rows = f"{survey.rows:,} {'row' if survey.rows == 1 else 'rows'}"
    if result.rejected:
        return f"WITH ERRORS {path}: {rows}, {result.rejected:,} would be rejected", SOME_REJECTED
    return f"OK {path}: {rows}, none would be rejected", DONE


def _lines(verdict: str, result: ProblemTally) -> Iterator[str]:
    yield verdict
    if result.counts:
        yield ""
        yield from output.totals(result.counts)
        yield ""
        yield from output.details(result.problems, result.counts.total(), "all of them: --json")
    yield ""
    yield NOT_CHECKED


def _facts(path: Path, survey: Survey, result: ProblemTally, verdict: str) -> dict[str, object]:
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
