"""What retention removes of an old update, and what is kept; the time is an argument."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from rollbook.accounts.models import AuditEvent
from rollbook.districts.models import District
from rollbook.students.models import Change
from rollbook.updates import retention, runner
from rollbook.updates.cancel import cancel
from rollbook.updates.exports import changes, original_rows, rejected_rows, unprocessed_rows
from rollbook.updates.models import (
    CheckedRange,
    FileChunk,
    Problem,
    RowDependency,
    StagedRow,
    UpdateJob,
)
from rollbook.updates.planning import decisions
from rollbook.updates.planning.decisions import Decider
from rollbook.updates.receiving import drafts, file_chunks, files, receive
from rollbook.updates.retention import count_due, remove_expired
from rollbook.updates.state_machine import Mode
from tests import depth
from tests.conftest import make_member
from tests.db.database_errors import Kill, fault_at
from tests.updates.night import a_class, enroll, finish, last, report_of, run, send, send_bytes

STATEMENTS = 110
"""At least as many as the removal has whose faults are tried."""

NIGHT = "STUDENT_ID,GRADE\ns000,9\ns001,99\n"


@pytest.fixture
def night(maple: District) -> UpdateJob:
    """An update that changed one student and rejected one row, after the one that enrolled them."""
    enroll(maple, a_class(3, GRADE="4"))
    run(maple, NIGHT)
    return last(maple)


def after(update: UpdateJob, **span: float) -> datetime:
    """Return the time that long after the end of the update."""
    update.refresh_from_db()
    assert update.ended_at
    return update.ended_at + timedelta(**span)


def remove_all(now: datetime) -> int:
    """Remove until nothing is left, as the periodic task does; return how much was removed."""
    total = 0
    while removed := remove_expired(now):
        total += removed
    return total


def spooled() -> set[str]:
    return {path.name for path in settings.SPOOL.iterdir()}


def audited() -> list[str]:
    events = AuditEvent.objects.filter(action="retention").order_by("pk")
    return [f"{event.district}: {event.result}: {event.detail}" for event in events]


def details(update: UpdateJob) -> int:
    """Return how many rows the tables of details have for this update."""
    counts = (
        update.stagedrow_set.count(),
        update.problem_set.count(),
        RowDependency.objects.filter(update=update).count(),
        CheckedRange.objects.filter(update=update).count(),
    )
    return sum(counts)


def reason_for_removal(export: Callable[[UpdateJob], Any], update: UpdateJob) -> str:
    """Return why this export is no longer available."""
    update.refresh_from_db()
    with pytest.raises(original_rows.RemovedByRetention) as removed:
        export(update)
    return str(removed.value)


# Files


@pytest.mark.statement("S41")
def test_a_file_is_kept_for_as_long_as_the_district_has_set(night: UpdateJob) -> None:
    assert remove_all(after(night, days=13, hours=23)) == 0
    assert night.spool_name in spooled()
    assert len(list(rejected_rows.csv_lines(night))) == 2
    assert remove_all(after(night, days=14, seconds=1)) == 2
    assert spooled() == set()
    assert not FileChunk.objects.exists()
    assert audited() == ["maple-usd: files removed: 2 files, of updates 1-2"]


def test_without_its_file_an_update_exports_its_changes_but_no_rows(
    night: UpdateJob,
) -> None:
    remove_all(after(night, days=15))
    reason = reason_for_removal(rejected_rows.csv_lines, night)
    assert reason.startswith("the file of update 2 was removed on ")
    assert reason.endswith(", according to the settings of Maple USD")
    assert reason_for_removal(unprocessed_rows.csv_lines, night) == reason
    assert len(list(changes.csv_lines(night))) == 2
    assert details(night) == 4


@pytest.mark.statement("S41")
def test_each_district_has_its_own_retention_time(night: UpdateJob, cedar: District) -> None:
    enroll(cedar, a_class(1))
    District.objects.filter(pk=cedar.pk).update(files_kept_days=1)
    remove_all(after(last(cedar), days=2))
    assert spooled() == set(
        UpdateJob.objects.filter(district=night.district).values_list("spool_name", flat=True)
    )
    assert audited() == ["cedar-county: files removed: 1 file, of update 1"]


def test_files_of_refused_and_canceled_updates_are_removed_too(
    maple: District, night: UpdateJob
) -> None:
    send_bytes(maple, b"")
    send(maple, a_class(3, GRADE="8"))
    cancel(maple, 4)
    remove_all(after(last(maple), days=14, seconds=1))
    assert spooled() == set()
    assert not UpdateJob.objects.filter(file_removed_at=None).exists()


def browsed(district: District, text: str = NIGHT) -> UpdateJob:
    """Return the dry run of a file that was chosen in the browser."""
    member = make_member(district, "browser@maple.example")
    incoming = files.IncomingFile()
    incoming.write(text.encode())
    draft = drafts.create_draft(member, incoming, file_name="night.csv", now=timezone.now())
    update = drafts.submit_draft(draft, Mode.UPDATE, is_check=True).update
    finish(update)
    update.refresh_from_db()
    return update


def test_a_file_that_was_only_looked_at_is_kept_no_longer_than_a_draft(maple: District) -> None:
    enroll(maple, a_class(3, GRADE="4"))
    update = browsed(maple)
    decider = Decider(update.member)
    decisions.discard(maple, update.number, update.plan_digest, decider, timezone.now())
    remove_all(after(update, hours=11))
    assert update.spool_name in spooled()
    remove_all(after(update, hours=13))
    assert update.spool_name not in spooled()
    update.refresh_from_db()
    assert update.file_removed_at


def test_a_file_that_is_checked_again_is_kept_with_the_later_update(maple: District) -> None:
    enroll(maple, a_class(3, GRADE="4"))
    first = browsed(maple)
    assert first.member
    again = drafts.check_again(first, first.member, Mode.ADD, timezone.now()).update
    finish(again)
    decisions.replace_plan(first, again)
    again.refresh_from_db()
    decisions.approve(maple, again.number, again.plan_digest, Decider(None), timezone.now())
    finish(again)
    remove_all(after(first, days=1))
    first.refresh_from_db()
    assert first.file_removed_at
    assert first.spool_name == again.spool_name
    assert again.spool_name in spooled()
    assert "s001" in "".join(rejected_rows.csv_lines(again))
    remove_all(after(again, days=15))
    assert again.spool_name not in spooled()


def test_a_file_that_a_kill_left_behind_is_swept(
    night: UpdateJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(files, "remove", lambda names: None)
        remove_all(after(night, days=15))
    assert night.spool_name in spooled()
    assert receive.remove_orphaned_files(timedelta()) == 2
    assert spooled() == set()


def test_a_file_that_cannot_be_deleted_is_unavailable_all_the_same(
    night: UpdateJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(names: Any) -> None:
        raise PermissionError

    now = after(night, days=15)
    with monkeypatch.context() as broken:
        broken.setattr(files, "remove", fails)
        with pytest.raises(PermissionError):
            remove_expired(now)
    assert "was removed" in reason_for_removal(rejected_rows.csv_lines, night)
    assert remove_expired(now) == 0


@pytest.mark.only_on("postgresql")
def test_a_copy_in_the_folder_of_another_machine_is_not_used(night: UpdateJob) -> None:
    assert file_chunks.exist(night.spool_name)
    copy = files.path_of(night.spool_name).read_bytes()
    remove_all(after(night, days=15))
    files.path_of(night.spool_name).write_bytes(copy)
    assert "was removed" in reason_for_removal(rejected_rows.csv_lines, night)


# Details


@pytest.mark.statement("S41")
def test_rows_and_problems_are_removed_but_counts_and_history_are_kept(night: UpdateJob) -> None:
    before, history = report_of(night), Change.objects.count()
    assert remove_all(after(night, days=89, hours=23)) == 2  # the files
    assert details(night) == 4
    remove_all(after(night, days=90, seconds=1))
    assert [details(update) for update in UpdateJob.objects.all()] == [0, 0]
    now = report_of(night)
    assert (now.rows, now.updated, now.rejected, now.unchanged) == (2, 1, 1, 0)
    assert (before.updated, before.rejected) == (now.updated, now.rejected)
    assert [(group.code, group.count, group.lines) for group in now.groups] == [
        ("bad_value", 1, ())
    ]
    assert Change.objects.count() == history
    assert audited()[1:] == [
        "maple-usd: details removed: 3 rows, 0 problems, of update 1",
        "maple-usd: details removed: 2 rows, 1 problem, of update 2",
    ]


def test_without_its_details_an_update_exports_nothing(night: UpdateJob) -> None:
    remove_all(after(night, days=91))
    for lines in (rejected_rows.csv_lines, unprocessed_rows.csv_lines, changes.csv_lines):
        assert reason_for_removal(lines, night).startswith(
            "the rows and problems of update 2 were removed on "
        )


def test_a_refusal_keeps_its_code_when_its_details_are_removed(maple: District) -> None:
    send_bytes(maple, b"SIS_ID,GRADE\n1,4\n")
    update = last(maple)
    before = report_of(update).refusal
    remove_all(after(update, days=91))
    refusal = report_of(update).refusal
    assert before
    assert refusal
    assert (refusal.code, refusal.line, refusal.found) == (before.code, None, "")
    assert not Problem.objects.exists()


def test_partial_results_of_a_canceled_update_are_removed_too(
    maple: District, small_batches: None
) -> None:
    enroll(maple, a_class(6))
    work = runner.run_steps(send(maple, a_class(6, GRADE="8")).pk)
    next(work)
    next(work)
    cancel(maple, 2)
    update = last(maple)
    assert CheckedRange.objects.filter(update=update).exists()
    remove_all(after(update, days=91))
    assert details(update) == 0


def test_partly_removed_details_are_not_shown_after_a_kill(
    night: UpdateJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    UpdateJob.objects.filter(number=1).update(
        details_hidden_at=timezone.now(), details_removed_at=timezone.now()
    )
    monkeypatch.setattr(retention, "ROWS_PER_BATCH", 1)
    now = after(night, days=91)
    assert remove_expired(now) == 5  # two files, a row, a problem and a range
    assert details(night) == 1
    assert "were removed" in reason_for_removal(rejected_rows.csv_lines, night)
    assert [group.lines for group in report_of(night).groups] == [()]
    # A longer retention time set now does not stop a removal that has started.
    District.objects.update(details_kept_days=1000)
    assert remove_all(now) == 2  # the other row, and the call that finds no more
    assert details(night) == 0
    assert len(audited()) == 2
    night.refresh_from_db()
    assert night.details_removed_at == now


def test_a_fault_at_any_statement_does_no_harm(
    night: UpdateJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROWS_PER_BATCH", 1)
    now, all_details = after(night, days=91), 4  # details of each of the two
    sample = depth.sample(range(1, STATEMENTS + 1), "faults of a removal", daily=12)
    for statement in (*sample, STATEMENTS + 1):
        with transaction.atomic():
            try:
                with fault_at(statement):
                    remove_all(now)
                was_killed = False
            except Kill:
                was_killed = True
                assert all(
                    details(update) == all_details
                    for update in UpdateJob.objects.filter(details_hidden_at=None)
                )
            remove_all(now)
            assert receive.remove_orphaned_files(timedelta()) == 0
            assert [details(update) for update in UpdateJob.objects.all()] == [0, 0]
            assert sorted(audited()) == [
                "maple-usd: details removed: 2 rows, 1 problem, of update 2",
                "maple-usd: details removed: 3 rows, 0 problems, of update 1",
                "maple-usd: files removed: 2 files, of updates 1-2",
            ]
            transaction.set_rollback(True)
    assert not was_killed


def test_a_second_call_finds_nothing_to_do(night: UpdateJob) -> None:
    now = after(night, days=91)
    remove_all(now)
    before = audited(), list(UpdateJob.objects.order_by("pk").values())
    assert remove_all(now + timedelta(days=300)) == 0
    assert (audited(), list(UpdateJob.objects.order_by("pk").values())) == before


def test_summaries_are_removed_after_400_days_in_batches(
    night: UpdateJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove_all(after(night, days=399))
    assert UpdateJob.objects.filter(summary__isnull=True).count() == 0
    assert UpdateJob.objects.filter(shape__isnull=True).count() == 0
    due = count_due(after(night, days=401))["summaries"]
    assert due.due == due.total == UpdateJob.objects.count() > 1
    monkeypatch.setattr(retention, "SUMMARIES_PER_RUN", 1)
    assert remove_expired(after(night, days=401)) == 1
    remove_all(after(night, days=401))
    assert UpdateJob.objects.filter(summary__isnull=False).count() == 0
    assert count_due(after(night, days=401))["summaries"].due == 0
    night.refresh_from_db()
    assert (night.summary, night.plan_digest == "") == (None, False)
    assert UpdateJob.objects.exclude(shape=None, findings=None).count() == 0


# While updates are unfinished


def test_where_an_update_runs_or_waits_nothing_is_removed(
    maple: District, night: UpdateJob
) -> None:
    waiting = send(maple, a_class(3, GRADE="8"))
    now = after(night, days=91)
    assert remove_expired(now) == 0
    next(runner.run_steps(waiting.pk))
    assert remove_expired(now) == 0
    finish(waiting)
    assert remove_all(now) > 0


@pytest.mark.statement("S41")
def test_an_update_of_another_district_does_not_delay_it(night: UpdateJob, cedar: District) -> None:
    send(cedar, a_class(1))
    assert remove_expired(after(night, days=15)) == 2


def test_an_update_that_started_meanwhile_keeps_everything(
    maple: District, night: UpdateJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = send(maple, a_class(3, GRADE="8"))
    monkeypatch.setattr(runner, "busy_districts", list)
    remove_all(after(night, days=1000))
    assert spooled() == {update.spool_name}
    finish(update)
    assert update.stagedrow_set.count() == 3


def test_updates_of_other_districts_are_not_touched(night: UpdateJob, cedar: District) -> None:
    enroll(cedar, a_class(2))
    District.objects.filter(pk=cedar.pk).update(files_kept_days=365, details_kept_days=1095)
    theirs = last(cedar)
    remove_all(after(theirs, days=91))
    theirs.refresh_from_db()
    assert StagedRow.objects.filter(update=theirs).count() == 2
    assert spooled() == {theirs.spool_name}
    assert list(rejected_rows.csv_lines(theirs))
