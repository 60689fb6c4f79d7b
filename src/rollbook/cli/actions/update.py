"""``rollbook update``: student files that came in, and what became of them."""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator

from django.utils import timezone

from rollbook.cli import output
from rollbook.cli.audit_log import record
from rollbook.cli.errors import OK, CommandError
from rollbook.cli.lookup import get_district
from rollbook.doors.studentupdate.answers import facts_of, scene_of
from rollbook.roster.models import District
from rollbook.updates import changes_made, not_processed, rejected
from rollbook.updates.as_sent import NotEnded, Removed
from rollbook.updates.models import Update
from rollbook.updates.report import Report, current, find, problems, report
from rollbook.updates.spool import LostFile
from rollbook.updates.status_line import verdict
from rollbook.updates.wording import dated, updates

_COLUMNS = (
    "number",
    "state",
    "mode",
    "received",
    "rows",
    "updated",
    "added",
    "unchanged",
    "rejected",
    "file",
)


def list_updates(arguments: Namespace) -> int:
    """All updates of the district."""
    district = get_district(arguments.district)
    found = Update.objects.filter(district=district).order_by("-number")
    if arguments.json:
        print(output.to_json([_row_facts(update) for update in found.iterator()]))
    elif found:
        print("\n".join(output.table(_COLUMNS, [_row(update, district) for update in found])))
    else:
        print(f"{district.name} has not started an update yet.")
    return OK


def show(arguments: Namespace) -> int:
    """One update: its report, or one of its files."""
    district = get_district(arguments.district)
    update = _update(district, arguments.number)
    if arguments.file:
        _write(update, arguments.file)
        record(arguments.file, district, f"update {update.number}")
    elif arguments.json:
        told = report(update)
        scene = scene_of(district, told, timezone.now())
        output.print_json(
            facts_of(told, verdict(told, scene), scene)
            | {"mends": told.mends, "mended_by": told.mended_by, "counts": update.problem_counts},
            problems(update),
        )
    else:
        print("\n".join(lines(update)))
    return OK


_FILES: dict[str, Callable[[Update], Iterator[str]]] = {
    "rejected rows": rejected.lines,
    "rows not processed": not_processed.lines,
    "changes": changes_made.lines,
}


def _write(update: Update, file: str) -> None:
    try:
        lines = _FILES[file](update)
    except NotEnded:
        raise CommandError(
            "not_ended",
            f"update {update.number} goes on, and the file is complete only when it has ended; try it then",
        ) from None
    except Removed as removed:
        raise CommandError(
            "not_kept",
            f"{removed}; its counts stay, and what it changed stays in the history of each student",
        ) from None
    except LostFile:
        raise CommandError(
            "file_gone",
            f"the file of update {update.number} is not kept any more; take the district's own copy of it",
        ) from None
    sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
    sys.stdout.writelines(lines)


def lines(update: Update) -> Iterator[str]:
    """An update's report for people."""
    told = report(update)
    yield str(verdict(told, scene_of(update.district, told, timezone.now())))
    yield ""
    yield from output.name_value_lines(_facts(told))
    if update.problem_counts and not _is_said(told):
        yield ""
        yield from output.problem_totals(update.problem_counts)
        yield ""
        yield from output.problem_lines(
            problems(update), sum(update.problem_counts.values()), "all that are kept: --json"
        )
    if told.rejected and not (update.file_removed_at or update.details_closed_at):
        yield ""
        yield "The rejected rows as a file, to be repaired and sent again:"
        yield f"  rollbook update show {told.slug} {told.number} --rejected > rejected.csv"


def _is_said(told: Report) -> bool:
    """Whether the first line has told the only problem already."""
    return told.refusal is not None and sum(group.count for group in told.groups) == 1


def _update(district: District, number: int | None) -> Update:
    update = current(district) if number is None else find(district, number)
    if update is None:
        what = "has not started an update yet" if number is None else f"has no update {number}"
        raise CommandError(
            "no_such_update", f"{district.name} {what}; see `rollbook update list {district.slug}`"
        )
    return update


def _facts(told: Report) -> Iterator[tuple[str, str]]:
    starter = (
        f"{told.starter.name} ({told.starter.email})"
        if told.starter
        else "the operator of the server"
    )
    rows = f", {told.rows:,} rows" if told.rows else ""
    yield "file", f"{told.file_name}, {told.file_size:,} bytes{rows}, read as {told.encoding}"
    yield "SHA-256", told.file_digest
    yield "mode", told.mode.value
    yield "mends", updates([told.mends]) if told.mends else ""
    yield "mended by", updates(told.mended_by) if told.mended_by else ""
    yield "by", f"{starter}, with {told.via}"
    yield "received", dated(told.received_at, told.time_zone)
    yield "begun", dated(told.started_at, told.time_zone)
    yield "ended", dated(told.ended_at, told.time_zone)
    yield "reference", told.reference


def _row(update: Update, district: District) -> tuple[str, ...]:
    counts = (update.rows, update.updated, update.added, update.unchanged, update.rejected)
    return (
        str(update.number),
        update.state,
        update.mode,
        dated(update.received_at, district.time_zone),
        *(f"{count:,}" for count in counts),
        update.file_name,
    )


def _row_facts(update: Update) -> dict[str, object]:
    return {
        "update": update.number,
        "state": update.state,
        "mode": update.mode,
        "file": {"name": update.file_name, "bytes": update.file_size, "sha256": update.file_digest},
        "rows": update.rows,
        "updated": update.updated,
        "added": update.added,
        "unchanged": update.unchanged,
        "rejected": update.rejected,
        "received_at": update.received_at,
        "started_at": update.started_at,
        "ended_at": update.ended_at,
    }
