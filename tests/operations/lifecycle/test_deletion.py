"""Deleting a district removes all of it, nothing of others, and survives a kill anywhere."""

import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rollbook.accounts.audit import retention as audit_retention
from rollbook.accounts.audit import seals
from rollbook.accounts.audit.retention import YEAR
from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts.models import District
from rollbook.districts.suspension import DistrictSuspended
from rollbook.operations.lifecycle import certificates, deletion, destruction, resumption
from rollbook.operations.lifecycle.certificates import Verdict
from rollbook.operations.models import Destruction
from rollbook.updates import runner
from rollbook.updates.models import CheckedRange, RowDependency, UpdateJob
from rollbook.updates.receiving import files as spool
from rollbook.updates.receiving import receive
from rollbook.updates.state_machine import State
from rollbook.updates.transitions import Fenced
from tests import depth
from tests.accounts.audit.test_seals import bypass_triggers
from tests.conftest import make_district
from tests.db.database_errors import OURS, Kill, fault_at
from tests.operations.lifecycle.district import STUDENTS, files, fill, rows, unfinished_update
from tests.updates.night import finish
from tests.updates.undoing.undoing import approve, plan_undo

T = TypeVar("T")

LASTING = {"accounts.AuditEvent", "accounts.AuditSeal", "operations.Destruction"}
"""Tables in which the deletion itself leaves rows."""

# A table that isn't listed here must be filled by ``fill``, so that its removal is tested.
WITHOUT_DISTRICT = {
    "accounts.SignInFailure",
    "accounts.PasswordRequest",
    "accounts.KeyFingerprint",
    "accounts.Installation",
    "accounts.RetentionGuard",
    "operations.Alert",
    "operations.AlertMail",
    "operations.Destruction",
    "operations.PingSchedule",
    "operations.WriteProbe",
}
WHILE_CHECKING = {"updates.AddedStudents", "updates.RowDependency"}
ONLY_ON_POSTGRESQL = {"updates.FileChunk"}


def delete(district: District) -> Destruction:
    begun = deletion.find(district) or deletion.start(district, timezone.now(), None)
    return destruction.run(begun, deletion.remove_batch, lambda removed: None)


def without(tables: dict[str, dict[Any, Any]], names: set[str]) -> dict[str, dict[Any, Any]]:
    return {name: table for name, table in tables.items() if name not in names}


@pytest.mark.statement("S42")
def test_nothing_of_the_district_is_left_and_nothing_of_others_is_changed(
    neighbors: Member,
) -> None:
    rows_before, files_before = rows(), files()
    district = make_district("Maple USD", "100", "200")
    fill(district)
    rows_filled = rows()
    finished = delete(district)
    after = rows()
    assert without(after, LASTING) == without(rows_before, LASTING)
    assert files() == files_before
    events = after["accounts.AuditEvent"]
    assert {event["district"] for event in events.values()} == {neighbors.district_id, None}
    own = [(event["action"], event["result"]) for event in events.values() if not event["district"]]
    assert own == [("district delete", "started"), ("district delete", "done")]
    assert finished.counts["districts"] == 1
    unfilled = {name for name, table in rows_filled.items() if len(table) == len(rows_before[name])}
    assert unfilled - ONLY_ON_POSTGRESQL == WITHOUT_DISTRICT | WHILE_CHECKING


def test_the_counts_are_exact(filled: Member) -> None:
    expected = deletion.count_rows(filled.district)
    removed = delete(filled.district).counts
    assert removed["students"] == expected["students"]
    for kind in (
        "history",
        "updates",
        "rows",
        "problems",
        "files",
        "staff",
        "schools",
        "groups",
        "keys",
    ):
        assert removed[kind] == expected[kind], kind
    assert removed["audit events"] == expected["audit events"]


def test_an_update_is_removed_after_the_one_that_undoes_it(filled: Member) -> None:
    undo = plan_undo(filled.district, 2)
    approve(undo)
    finish(undo)
    assert delete(filled.district).counts["districts"] == 1
    assert not UpdateJob.objects.exists()


@pytest.mark.statement("S42")
def test_its_key_is_destroyed_first_so_that_no_copy_of_a_file_can_be_read(filled: Member) -> None:
    update = UpdateJob.objects.filter(district=filled.district, file_removed_at=None).first()
    assert update
    begun = deletion.start(filled.district, timezone.now(), None)
    assert set(deletion.remove_batch(begun)) == {"keys"}
    with pytest.raises(spool.FileMissing):
        spool.open_stored(update.spool_name)


def test_a_plan_that_waits_is_discarded_first(filled: Member) -> None:
    updates = UpdateJob.objects.filter(district=filled.district)
    waiting = updates.get(state=State.CHECKED)
    deletion.start(filled.district, timezone.now(), None)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.discard_reason) == (State.DISCARDED, "canceled")
    assert not updates.filter(ended_at=None).exists()


def test_the_audit_still_verifies_and_says_how_many_events_were_removed(
    neighbors: Member, filled: Member
) -> None:
    count = AuditEvent.objects.filter(district=filled.district).count()
    delete(filled.district)
    result = seals.verify()
    assert (result.broken, result.removed_events) == ((), count)
    # The neighbor's events under the same seals can still expire.
    later = timezone.now() + 8 * YEAR
    while seals.seal_pending(later):
        pass
    while audit_retention.remove_expired(later):
        pass
    assert seals.verify().broken == ()


def test_events_under_a_broken_seal_are_removed_and_the_seal_stays_broken(
    filled: Member,
) -> None:
    event = AuditEvent.objects.filter(district=filled.district).latest("pk")
    bypass_triggers(f"UPDATE accounts_auditevent SET detail = 'x' WHERE id = {event.pk}")
    broken = deletion.broken_seals(filled.district)
    assert broken == [event.seal_id]
    delete(filled.district)
    assert [seal.number for seal in seals.verify().broken] == broken


def test_a_district_is_deleted_while_its_update_is_in_progress(
    filled: Member, small_chunks: None
) -> None:
    update = unfinished_update(filled.district)
    steps = runner.run_steps(update.pk)
    next(steps)
    begun = deletion.start(filled.district, timezone.now(), None)
    update.refresh_from_db()
    assert update.state == State.CANCELED
    with pytest.raises(Fenced):
        for _ in steps:
            pass
    destruction.run(begun, deletion.remove_batch, lambda removed: None)
    assert not District.objects.filter(pk=filled.district_id).exists()
    assert runner.next_updates() == []


def test_nobody_can_upload_once_it_has_begun(filled: Member) -> None:
    district = filled.district
    deletion.start(district, timezone.now(), None)
    with pytest.raises(DistrictSuspended), transaction.atomic():
        receive.lock_district(district)


def test_it_is_begun_once(filled: Member) -> None:
    first = deletion.start(filled.district, timezone.now(), None)
    second = deletion.start(filled.district, timezone.now() + timedelta(hours=1), None)
    assert first == second
    assert Destruction.objects.count() == 1


def test_a_batch_is_tried_again_if_something_was_added_at_the_same_time(filled: Member) -> None:
    begun = deletion.start(filled.district, timezone.now(), None)
    refused = [IntegrityError("FOREIGN KEY constraint failed")] * 2

    def remove(job: Destruction) -> "Counter[str]":
        removed = deletion.remove_batch(job)
        if refused:
            raise refused.pop()
        return removed

    finished = destruction.run(begun, remove, lambda removed: None)
    assert finished.signed_certificate["statement"]["removed"]["students"] == STUDENTS


def test_rows_that_only_exist_while_a_file_is_checked_are_removed(filled: Member) -> None:
    update = unfinished_update(filled.district)
    update.checkedrange_set.create(end_byte=1, end_line=2, student_ids=b"", line_numbers=b"")
    update.rowdependency_set.create(line=3, blocked_by_line=2)
    delete(filled.district)
    assert not CheckedRange.objects.exists()
    assert not RowDependency.objects.exists()


@pytest.mark.statement("S42")
def test_a_kill_at_any_statement_loses_no_count_and_the_next_run_finishes(
    neighbors: Member,
) -> None:
    before = without(rows(), LASTING)
    district = make_district("Maple USD", "100", "200")
    fill(district)
    expected = undone(lambda: delete(district).counts)
    counted = undone(lambda: statements_of(lambda: delete(district)))
    for statement in depth.sample(range(1, counted + 1), "kills of a deletion", daily=2):
        with transaction.atomic():
            with suppress(Kill), fault_at(statement):
                delete(district)
            assert delete(district).counts == expected, f"after a kill at {statement}"
            assert without(rows(), LASTING) == before, f"after a kill at {statement}"
            transaction.set_rollback(True)


def undone(action: Callable[[], T]) -> T:
    """Return the result of an action, and undo it."""
    with transaction.atomic():
        result = action()
        transaction.set_rollback(True)
    return result


def statements_of(action: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        action()
    return sum(query["sql"].lstrip().startswith(OURS) for query in queries.captured_queries)


def test_a_full_disk_undoes_one_batch_and_the_next_run_continues(
    filled: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = deletion.start(filled.district, timezone.now(), None)
    full = OperationalError("database or disk is full")

    def fail(job: Destruction) -> Counter[str]:
        deletion.remove_batch(job)
        raise full

    before = rows()
    with pytest.raises(OperationalError), transaction.atomic():
        destruction.advance(begun.pk, fail)
    assert without(rows(), set()) == before
    assert destruction.run(begun, deletion.remove_batch, lambda removed: None).finished_at


def test_the_worker_continues_and_saves_the_certificate(filled: Member) -> None:
    district = filled.district
    folder = settings.DATA / "certificates"
    shutil.rmtree(folder, ignore_errors=True)  # of tests whose numbers were rolled back
    begun = deletion.start(district, timezone.now(), None)
    destruction.advance(begun.pk, deletion.remove_batch)
    while resumption.continue_unfinished():
        pass
    assert not District.objects.filter(pk=district.pk).exists()
    saved = sorted(path.suffix for path in folder.glob(f"certificate-{begun.pk}-*"))
    assert saved == [".json", ".txt"]
    (path,) = folder.glob(f"certificate-{begun.pk}-*.json")
    assert certificates.verify(certificates.read(path)) is Verdict.VALID
