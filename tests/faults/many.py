"""Tasks for tests with many districts: ``python -m tests.faults.many TASK ARGUMENTS``.

ROLLBOOK_DATA names the folder, DATABASE_URL the database. The workers have small batches and chunks
and pause at each step, so a small file has many moments to be disturbed at; and they soon notice
that another worker has died.
"""

import json
import os
import sys
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from tests.faults import inside
from tests.faults.cluster import HOLD
from tests.patience import TIMEOUT_S

from django.conf import settings  # isort: skip - inside sets Django up
from django.core.management import call_command  # isort: skip
from django.utils import timezone  # isort: skip

from rollbook.accounts import roles
from rollbook.accounts.models import Member
from rollbook.cli import run
from rollbook.db import connections
from rollbook.districts.models import District, School
from rollbook.jobs import progress
from rollbook.jobs.many_workers import reaper
from rollbook.jobs.many_workers import worker as many_workers_worker
from rollbook.updates import runner
from rollbook.updates.applying import apply
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import limit_sets
from rollbook.updates.planning.limit_document import LimitDocument
from rollbook.updates.planning.limits import Limits
from rollbook.updates.receiving import files as spool
from rollbook.updates.receiving import receive
from rollbook.updates.state_machine import Mode, State


def make(count: str) -> None:
    """Create districts district-0, district-1, …, each with two schools and a result recipient."""
    call_command("migrate", verbosity=0)
    for number in range(int(count)):
        district = District.objects.create(
            name=f"District {number}", slug=f"district-{number}", time_zone="UTC"
        )
        limit_sets.save(district, LimitDocument(Limits({}, {})), None, timezone.now())
        role = roles.standard(district, "district manager")
        Member.objects.create(
            district=district, email=f"ops@{number}.example", role=role, receives_results=True
        )
        for school in ("100", "200"):
            School.objects.create(
                district=district, organization_id=school, name=f"School {school}"
            )


def submit(*files: str) -> None:
    """Send these files, one after the other, for every district."""
    for file in files:
        for district in District.objects.order_by("pk"):
            incoming = spool.IncomingFile()
            incoming.write(Path(file).read_bytes())
            receive.receive(district, incoming, file_name=Path(file).name, mode=Mode.ADD)


def worker(seconds: str, *arguments: str) -> None:
    """``rollbook worker``, with so many seconds for each step.

    However busy the machine is, a step that ends late when it is told to stop is no failure. While
    there is a file ``HOLD`` in the data folder, no update that is being applied goes on.
    """
    inside.in_small_steps()
    many_workers_worker.STOP_TIMEOUT_S = TIMEOUT_S
    real = runner.run_steps

    def slowly(update_id: int) -> Generator[None, None, None]:
        for _ in real(update_id):
            time.sleep(float(seconds))
            yield
            while _is_held(update_id):
                time.sleep(float(seconds))
                yield

    runner.run_steps = slowly
    sys.exit(run(["worker", *arguments]))


def _is_held(update_id: int) -> bool:
    if not (settings.DATA / HOLD).exists():
        return False
    return UpdateJob.objects.filter(pk=update_id, state=State.APPLYING).exists()


def impatient(seconds: str, *arguments: str) -> None:
    """The same, with signs of life every second."""
    reaper.REAP_INTERVAL_S, reaper.HEARTBEAT_INTERVAL_S, reaper.LEASE_S = 1.0, 1.0, 5.0
    connections.SESSION_LIMITS["idle_in_transaction_session_timeout"] = "3s"
    worker(seconds, *arguments)


def hasty(seconds: str, *arguments: str) -> None:
    """The impatient one, which does not wait long for a row either."""
    connections.SESSION_LIMITS["lock_timeout"] = "500ms"
    impatient(seconds, *arguments)


def deadly(seconds: str) -> None:
    """The impatient one, which dies of line 7 of the first update of the first district."""
    real = apply._apply

    def die_of_it(update: UpdateJob, run: str, tasks: Sequence[Any], *more: Any) -> None:
        if (update.district.slug, update.number) == ("district-0", 1) and any(
            task.line == 7 for task in tasks
        ):
            os.abort()
        real(update, run, tasks, *more)

    setattr(apply, "_apply", die_of_it)  # noqa: B010 - of another type
    impatient(seconds)


def hanging(seconds: str) -> None:
    """The impatient one, which hangs in its first chunk."""
    setattr(apply, "_apply", lambda *arguments: time.sleep(3600))  # noqa: B010
    progress.MAX_STEP_S = 2.0
    impatient(seconds)


def dump() -> None:
    """What each district's updates leave behind, with their letters, as JSON."""
    districts = District.objects.order_by("pk")
    print(json.dumps({district.slug: inside.left_by(district) for district in districts}))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
