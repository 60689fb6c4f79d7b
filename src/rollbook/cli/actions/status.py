"""Runs ``rollbook status``: shows all districts in a table."""

from argparse import Namespace
from datetime import datetime

from django.utils import timezone

from rollbook.cli.errors import OK
from rollbook.cli.output import table, to_json
from rollbook.cli.update_report import toned_state
from rollbook.text import count_of, format_timestamp
from rollbook.updates.reporting.overview import DistrictOverview, age_of, load_overview
from rollbook.updates.runner import worker_status

_HEADERS = ("district", "update", "state", "received", "last good file", "waiting", "problems")


def status(arguments: Namespace) -> int:
    """Print all districts, and whether a worker is running."""
    now = timezone.now()
    overviews = load_overview(now)
    shown = overviews
    if arguments.problems:
        shown = [overview for overview in overviews if overview.problems]
    alive = worker_status().alive
    if arguments.json:
        districts = [_to_json(overview) for overview in shown]
        print(to_json({"worker": "running" if alive else "not running", "districts": districts}))
        return OK
    if shown:
        print("\n".join(table(_HEADERS, [_row(overview, now) for overview in shown])))
        print()
    bad = sum(bool(overview.problems) for overview in overviews)
    worker = "The worker is running" if alive else "No worker is running; start `rollbook serve`"
    print(f"{count_of(len(overviews), 'district')}, {bad:,} with problems. {worker}.")
    return OK


def _row(overview: DistrictOverview, now: datetime) -> tuple[str, ...]:
    district, last = overview.district, overview.last
    number = state = received = ""
    if last:
        number, state = str(last.number), toned_state(last)
        received = format_timestamp(last.received_at, district.time_zone)
    good = "never"
    if overview.good_at:
        good = f"{age_of(now - overview.good_at)} ago"
    return (
        f"{district.slug} (suspended)" if district.is_suspended else district.slug,
        number,
        state,
        received,
        good,
        str(overview.waiting),
        "; ".join(overview.problems),
    )


def _to_json(overview: DistrictOverview) -> dict[str, object]:
    last = overview.last
    update = None
    if last:
        update = {
            "number": last.number,
            "state": last.state,
            "received_at": last.received_at,
            "ended_at": last.ended_at,
            "rows": last.rows,
            "rejected": last.rows_rejected,
        }
    return {
        "district": overview.district.slug,
        "name": overview.district.name,
        "suspended_at": overview.district.suspended_at,
        "last_update": update,
        "last_good_file_at": overview.good_at,
        "waiting": overview.waiting,
        "problems": list(overview.problems),
    }
