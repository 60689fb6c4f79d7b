"""Tasks that the fault tests run as processes: ``python -m tests.faults.inside TASK ARGUMENTS``.

ROLLBOOK_DATA names the folder. Batches and chunks are small, so a small file has many points of
failure.
"""

import itertools
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from rollbook import encrypted_file  # noqa: E402
from rollbook.accounts import roles  # noqa: E402
from rollbook.accounts.models import Member  # noqa: E402
from rollbook.districts import modes  # noqa: E402
from rollbook.districts.models import District, School  # noqa: E402
from rollbook.districts.modes import MODES, Channel  # noqa: E402
from rollbook.jobs.single_worker import loop  # noqa: E402
from rollbook.students.models import Absence, Change  # noqa: E402
from rollbook.students.snapshots import iter_students, list_district  # noqa: E402
from rollbook.updates import problem_store, runner  # noqa: E402
from rollbook.updates.absences import deactivate, find  # noqa: E402
from rollbook.updates.applying import apply, pairs  # noqa: E402
from rollbook.updates.checking import check_range  # noqa: E402
from rollbook.updates.models import Draft, StagedRow, UpdateEvent, UpdateJob  # noqa: E402
from rollbook.updates.planning import decisions, limit_sets  # noqa: E402
from rollbook.updates.planning.decisions import Decider  # noqa: E402
from rollbook.updates.planning.limit_document import LimitDocument, WhenExceeded  # noqa: E402
from rollbook.updates.planning.limits import Limit, Limits  # noqa: E402
from rollbook.updates.receiving import drafts, files, receive  # noqa: E402
from rollbook.updates.resolving import refusal, resolver  # noqa: E402
from rollbook.updates.state_machine import Mode, State  # noqa: E402
from rollbook.updates.undoing import stage  # noqa: E402
from rollbook.updates.undoing import start as undoing  # noqa: E402
from tests.db.database_errors import watching  # noqa: E402

DECIDERS = 4


def make(base: str) -> None:
    """A district with two schools and the students of this file."""
    call_command("migrate", verbosity=0)
    district = District.objects.create(
        name="Maple USD", slug="maple-usd", time_zone="America/Chicago"
    )
    limit_sets.save(district, LimitDocument(Limits({}, {})), None, timezone.now())
    for school in ("100", "200"):
        School.objects.create(district=district, organization_id=school, name=f"School {school}")
    submit(base, "add")
    work()


def submit(file: str, mode: str) -> None:
    """Receive this file; prints the update's number."""
    incoming = files.IncomingFile()
    incoming.write(Path(file).read_bytes())
    district = District.objects.get(slug="maple-usd")
    print(
        receive.receive(
            district, incoming, file_name=Path(file).name, mode=Mode(mode)
        ).update.number
    )


def submit_until_frame(number: str, file: str) -> None:
    """Receive this file in frames of 64 bytes, but die after half of one of them is written."""
    encrypted_file.FRAME_BYTES = 64
    encrypted_file._SEALED_FRAME_BYTES = 80
    real, count = encrypted_file._FrameCipher.encrypt, itertools.count()

    def encrypt(cipher: Any, text: bytes, frame: int, *, is_last: bool) -> bytes:
        sealed = real(cipher, text, frame, is_last=is_last)
        if next(count) == int(number):
            [part] = files._folder().glob("*.part")
            with part.open("r+b") as spooled:
                spooled.seek(encrypted_file.HEADER_BYTES + frame * 80)
                spooled.write(sealed[: len(sealed) // 2])
            os._exit(137)
        return sealed

    setattr(encrypted_file._FrameCipher, real.__name__, encrypt)
    submit(file, "update")


def submit_until(place: str, file: str) -> None:
    """Receive this file, but die at this place."""
    owner, name, early = {
        "before_rename": (Path, "rename", True),
        "after_rename": (Path, "rename", False),
        "before_header": (os, "pwrite", True),
        "after_header": (os, "pwrite", False),
        "before_commit": (problem_store, "save_problems", False),
        "after_commit": (receive, "_commit", False),
    }[place]
    _die_at(owner, name, early)
    submit(file, "update")


def _die_at(owner: Any, name: str, early: bool) -> None:
    """From now on whoever calls this function dies, before it or behind it."""
    real = getattr(owner, name)

    def die(*arguments: Any) -> None:
        if not early:
            real(*arguments)
        os._exit(137)

    setattr(owner, name, die)


def keep_draft(file: str, place: str = "") -> None:
    """Store this file as a draft of the district's manager, but die at the named place, if any."""
    district = District.objects.get(slug="maple-usd")
    manager = Member.objects.filter(district=district).first() or Member.objects.create(
        district=district,
        email="ops@maple.example",
        first_name="Ana",
        last_name="Ruiz",
        role=roles.standard(district, "district manager"),
    )
    places: dict[str, tuple[Any, str, bool]] = {
        "before_rename": (Path, "rename", True),
        "after_rename": (Path, "rename", False),
        "before_commit": (files, "copy_to_database", False),
        "after_commit": (drafts, "_remove_oldest", True),
    }
    if place:
        _die_at(*places[place])
    incoming = files.IncomingFile()
    incoming.write(Path(file).read_bytes())
    drafts.create_draft(manager, incoming, file_name=Path(file).name, now=timezone.now())


def send_draft(statement: str = "0") -> None:
    """Send the last draft, but die at this SQL statement; print the update's number or a count."""
    draft = Draft.objects.select_related("district", "member").latest("created_at")
    with dying_at(int(statement)) as left:
        number = drafts.submit_draft(draft, Mode.UPDATE).update.number
    print(int(statement) - left() if int(statement) else number)


def all_drafts() -> None:
    """Print of each draft whether it was sent, as JSON."""
    print(
        json.dumps([draft.update_id is not None for draft in Draft.objects.order_by("created_at")])
    )


def sweep() -> None:
    """Sweep the spool; prints how many files were removed."""
    print(receive.remove_orphaned_files(min_age=timedelta()))


def in_small_steps() -> None:
    """From now on."""
    apply.MIN_CHUNK_ROWS = apply.MAX_CHUNK_ROWS = pairs.MIN_PAIRED_ROWS = 10
    find.ROWS_PER_STEP = refusal.ROWS_PER_STEP = deactivate.ROWS_PER_CHUNK = (
        stage.STUDENTS_PER_STEP
    ) = 5
    check_range.MAX_UNKNOWN, check_range.MAX_RECORDS, resolver.ROWS_PER_TRANSACTION = (
        20,
        20,
        5,
    )


def work() -> None:
    """Do all that is due."""
    in_small_steps()
    for pk in UpdateJob.objects.order_by("pk").values_list("pk", flat=True):
        loop.work_on(pk, lambda: None)


def work_until(statement: str) -> None:
    """Run what is due, but die at this SQL statement; print the count if it isn't reached."""
    with dying_at(int(statement)) as left:
        work()
    print(int(statement) - left())


def hold_schools() -> None:
    """Hold the schools of which more than a few students would go elsewhere."""
    district = District.objects.get(slug="maple-usd")
    limits = Limits({}, {"deactivated": Limit(1, 5)})
    document = LimitDocument(limits, when_exceeded=WhenExceeded.HOLD_SCHOOLS)
    limit_sets.save(district, document, None, timezone.now())


def allow_sync() -> None:
    """Let files be sent in every mode."""
    District.objects.update(modes=modes.as_stored(dict.fromkeys(Channel, MODES)))


def backdate(days: str) -> None:
    """Let the last file be one that was received so many days ago."""
    last = UpdateJob.objects.latest("number")
    received_at = last.received_at - timedelta(days=int(days))
    UpdateJob.objects.filter(pk=last.pk).update(received_at=received_at)


def approve_until(statement: str) -> None:
    """Approve the plan that waits, but die at this SQL statement; print how many there are."""
    update = UpdateJob.objects.select_related("district").get(state=State.HELD)
    with dying_at(int(statement)) as left:
        decisions.approve(
            update.district,
            update.number,
            update.plan_digest,
            Decider(None),
            timezone.now(),
            ("200",),
        )
    print(int(statement) - left())


def undo_until(statement: str, number: str) -> None:
    """Start to undo an update, but die at this SQL statement; print how many there are."""
    district = District.objects.get(slug="maple-usd")
    with dying_at(int(statement)) as left:
        undoing.start(district, int(number), None, "rollbook", timezone.now())
    print(int(statement) - left())


def apply_checked() -> None:
    """Approve the dry run that waits."""
    update = UpdateJob.objects.select_related("district").get(state=State.CHECKED)
    digest, now = update.plan_digest, timezone.now()
    decisions.approve(update.district, update.number, digest, Decider(None), now)


def decide(how: str) -> None:
    """Decide about the plan that waits, at the moment when four processes are ready to."""
    update = UpdateJob.objects.select_related("district").get(state=State.HELD)
    arguments = (update.district, update.number, update.plan_digest, Decider(None))
    (settings.DATA / f"ready-{os.getpid()}").touch()
    while len(list(settings.DATA.glob("ready-*"))) < DECIDERS:
        pass
    try:
        if how == "approve":
            decisions.approve(*arguments, timezone.now())
        elif how == "discard":
            decisions.discard(*arguments, timezone.now())
        else:
            decisions.discard_expired(timezone.now() + timedelta(days=30))
    except decisions.NotDecided as error:
        print(error.code)


@contextmanager
def dying_at(statement: int) -> Iterator[Callable[[], int]]:
    """Die at this SQL statement of ours; yield how many are left until then.

    Those of connections that other threads open count, too.
    """
    left, lock = statement, threading.Lock()

    def die() -> None:
        nonlocal left
        with lock:
            left -= 1
            if left == 0:
                os._exit(137)

    with watching(die):
        yield lambda: left


def deaths() -> None:
    """Print how many runs of the last update count as deaths."""
    print(
        UpdateJob.objects.order_by("pk").values_list("attempts_without_progress", flat=True).last()
    )


def dump() -> None:
    """Print what ``left_by`` tells of Maple USD, as JSON."""
    due = UpdateJob.objects.filter(pk__in=runner.next_updates()).order_by("number")
    numbers = list(due.values_list("number", flat=True))
    print(json.dumps(left_by(District.objects.get(slug="maple-usd")) | {"due": numbers}))


def finish() -> None:
    """Do all that is due, and print what it has left behind."""
    work()
    dump()


def left_by(district: District) -> dict[str, Any]:
    """Everything a district's updates leave behind that does not depend on when they were done."""
    updates = UpdateJob.objects.filter(district=district).order_by("number")
    missing = Absence.objects.filter(district=district).order_by("student")
    return {
        "absences": [
            [key, since.isoformat(), files, number, at is None]
            for key, since, files, number, at in missing.values_list(
                "student__username", "since", "files", "last_update__number", "deactivated_at"
            )
        ],
        "students": [
            record.values for page in iter_students(list_district(district.pk)) for record in page
        ],
        "history": sorted(
            [
                change.student.username,
                change.field,
                change.old,
                change.new,
                change.update.number if change.update else 0,
            ]
            for change in Change.objects.filter(student__district=district).select_related(
                "student", "update"
            )
        ),
        "updates": list(
            updates.values(
                "number",
                "state",
                "rows",
                "rows_read",
                "rows_staged",
                "rows_updated",
                "rows_added",
                "rows_unchanged",
                "rows_rejected",
                "rows_left_out",
                "rows_deactivated",
                "absences",
                "summary",
                "reasons",
                "plan_digest",
                "split_from__number",
                "left_out_schools",
                "problem_counts",
            )
        ),
        "outcomes": [
            (row.update.number, row.line, row.effective_outcome)
            for row in StagedRow.objects.filter(update__district=district)
            .with_outcome()
            .select_related("update")
            .order_by("update", "line")
        ],
        "events": sorted(
            UpdateEvent.objects.filter(update__district=district).values_list(
                "update__number", "state"
            )
        ),
        "problems": list(
            updates.values_list("number", "problem__line", "problem__code").order_by(
                "number", "problem__line", "problem__code"
            )
        ),
    }


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
