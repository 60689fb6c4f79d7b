"""An update is undone once, and only if it has ended and changed anything."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts.models import District
from rollbook.districts.suspension import DistrictSuspended
from rollbook.operations.retention import history
from rollbook.updates.cancel import cancel
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving.receive import QueueFull
from rollbook.updates.reporting.history import latest_updates
from rollbook.updates.reporting.report import previous, previous_of_feed
from rollbook.updates.state_machine import Mode, State
from rollbook.updates.undoing import start
from rollbook.updates.undoing.start import NotUndoable
from tests.updates.night import a_class, applying, enroll, finish, last, run, send
from tests.updates.undoing.undoing import plan_undo, undo

GRADES = "STUDENT_ID,GRADE\ns000,5\ns001,5"


@pytest.fixture(autouse=True)
def students(maple: District) -> None:
    """Enroll two students."""
    enroll(maple, a_class(2))


def refusal(district: District, number: int) -> str:
    with pytest.raises(NotUndoable) as refused:
        start.start(district, number, None, "rollbook", timezone.now())
    return refused.value.code


def test_who_started_to_undo_which_update_is_recorded(maple: District, manager: Member) -> None:
    run(maple, GRADES)
    update = plan_undo(maple, 2, manager)
    [event] = AuditEvent.objects.filter(action="undo update")
    assert (event.member, event.result, event.detail) == (
        manager,
        "started",
        "update 2 by update 3",
    )
    assert (update.member, update.undoes) == (manager, UpdateJob.objects.get(number=2))


def test_an_update_that_has_not_ended_cannot_be_undone(maple: District) -> None:
    waiting = send(maple, GRADES, is_check=True)
    assert refusal(maple, 2) == "not_ended"
    finish(waiting)
    assert refusal(maple, 2) == "not_applied"


def test_an_update_that_changed_nothing_cannot_be_undone(maple: District) -> None:
    run(maple, "STUDENT_ID,GRADE\ns000,4")
    run(maple, "nothing,here\n1,2")
    cancel(maple, send(maple, GRADES).number)
    assert [refusal(maple, number) for number in (2, 3, 4)] == ["nothing_changed"] * 3


def test_an_update_whose_history_has_expired_cannot_be_undone(maple: District) -> None:
    maple.history_kept_days = 30
    maple.save()
    run(maple, GRADES)
    later = timezone.now() + timedelta(days=29, minutes=1)
    with pytest.raises(NotUndoable, match="no longer kept"):
        start.start(maple, 2, None, "rollbook", later)
    removed = timezone.now() + timedelta(days=32)
    assert history.remove_expired(maple, removed) == 2
    maple.refresh_from_db()
    maple.history_kept_days = 365  # which brings nothing back
    maple.save()
    assert refusal(maple, 2) == "expired"


def test_an_update_is_undone_once(maple: District) -> None:
    run(maple, GRADES)
    planned = plan_undo(maple, 2)
    assert refusal(maple, 2) == "being_undone"
    cancel(maple, planned.number)  # discards the plan
    undo(maple, 2)
    assert refusal(maple, 2) == "already_undone"


def test_the_database_refuses_a_second_undo_at_the_same_moment(maple: District) -> None:
    run(maple, GRADES)
    first = start.start(maple, 2, None, "rollbook", timezone.now())
    first.pk, first.number, first.file_digest = None, 4, "0" * 64
    with pytest.raises(IntegrityError), transaction.atomic():
        first.save(force_insert=True)


def test_the_part_of_a_canceled_update_that_was_applied_can_be_undone(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollbook.updates.applying.apply.MIN_CHUNK_ROWS", 1)
    monkeypatch.setattr("rollbook.updates.applying.apply.MAX_CHUNK_ROWS", 1)
    work = applying(send(maple, GRADES), chunks=1)
    cancel(maple)
    work.close()  # type: ignore[attr-defined]
    assert last(maple).rows_updated == 1
    assert undo(maple, 2).updated == 1


def test_a_full_queue_is_no_place_for_an_undo(maple: District) -> None:
    run(maple, GRADES)
    for grade in "6789":
        send(maple, f"STUDENT_ID,GRADE\ns000,{grade}")
    with pytest.raises(QueueFull):
        start.start(maple, 2, None, "rollbook", timezone.now())


def test_a_suspended_district_undoes_nothing(maple: District) -> None:
    run(maple, GRADES)
    District.objects.filter(pk=maple.pk).update(suspended_at=timezone.now())
    with pytest.raises(DistrictSuspended):
        start.start(maple, 2, None, "rollbook", timezone.now())


def test_the_next_file_is_compared_with_students_who_were_set_back(maple: District) -> None:
    file = a_class(2, GRADE="5")
    run(maple, file, Mode.UPDATE)
    undo(maple, 2)
    assert run(maple, file, Mode.UPDATE).updated == 2


def test_an_undo_is_no_file_of_the_feed(maple: District) -> None:
    run(maple, GRADES)
    undo(maple, 2)
    latest = latest_updates(maple)
    assert latest.last is not None
    assert latest.by_hand is not None
    assert (latest.last.number, latest.by_hand.number) == (2, 3)
    assert previous_of_feed(last(maple)) is None
    assert previous(send(maple, GRADES)) == latest.last


def test_a_new_file_leaves_the_plan_of_an_undo_alone(maple: District) -> None:
    run(maple, GRADES)
    update = plan_undo(maple, 2)
    run(maple, a_class(2))
    update.refresh_from_db()
    assert update.state == State.CHECKED
