"""Updates that are checked in quiet hours wait until they end, or a person applies them."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from rollbook.districts import quiet_hours
from rollbook.districts.models import District
from rollbook.districts.quiet_hours import Window
from rollbook.updates import runner
from rollbook.updates.cancel import cancel
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import decisions, limit_sets, quiet
from rollbook.updates.planning.decisions import Decider
from rollbook.updates.planning.limit_document import LimitDocument
from rollbook.updates.state_machine import State
from tests.conftest import make_member
from tests.updates.night import a_class, column_of, enroll, finish, send
from tests.updates.planning.test_judge import movers

ZONE = "America/Chicago"


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, a_class(100, GRADE="4"))


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    """A district in which it is quiet until two hours from now."""
    let_be_quiet(maple)
    return maple


def let_be_quiet(district: District, hours: int = 2) -> None:
    """Let it be quiet from an hour ago until so many hours from now."""
    now = datetime.now(ZoneInfo(ZONE)).replace(second=0, microsecond=0)
    first, last = now - timedelta(hours=1), now + timedelta(hours=hours)
    windows: list[Window | None] = [None] * 7
    windows[first.weekday()] = Window(first.time(), last.time())
    quiet_hours.save(district, windows)


def scheduled(district: District, text: str = a_class(3, GRADE="5")) -> UpdateJob:
    update = send(district, text)
    finish(update)
    update.refresh_from_db()
    assert update.state == State.SCHEDULED
    return update


def complete_file(grade: str) -> str:
    """Return a file of all students, of whom three have another grade."""
    changed = a_class(3, GRADE=grade).splitlines()
    return "\n".join([*changed, *a_class(100, GRADE="4").splitlines()[len(changed) :]])


def test_an_update_is_checked_and_waits_for_the_end(school: District) -> None:
    update = scheduled(school)
    assert update.apply_at is not None
    assert timedelta(hours=1) < update.apply_at - timezone.now() <= timedelta(hours=2)
    assert update.discard_at is None
    assert set(column_of(school, "GRADE").values()) == {"4"}
    assert not runner.has_work(update.pk)
    assert runner.next_updates() == []


def test_it_is_applied_when_they_have_ended(school: District) -> None:
    update = scheduled(school)
    UpdateJob.objects.update(apply_at=timezone.now())
    assert runner.next_updates() == [update.pk]
    assert finish(update).updated == 3


def test_a_person_can_apply_it_earlier(school: District) -> None:
    update = scheduled(school)
    decisions.approve(school, 2, update.plan_digest, Decider(None), timezone.now())
    result = finish(update)
    assert (result.state, result.updated) == (State.COMPLETED, 3)


def test_nobody_else_is_needed_where_a_second_person_approves(school: District) -> None:
    limit_sets.save(school, LimitDocument(second_person=True), None, timezone.now())
    sender = make_member(school, "lee@maple.example")
    update = send(school, a_class(3, GRADE="5"), member=sender)
    finish(update)
    update.refresh_from_db()
    decisions.approve(school, 2, update.plan_digest, Decider(sender), timezone.now())
    assert finish(update).updated == 3


def test_it_is_not_discarded_by_time_and_can_be_canceled(school: District) -> None:
    update = scheduled(school)
    assert decisions.discard_expired(timezone.now() + timedelta(days=30)) == 0
    assert cancel(school, 2).is_canceled
    update.refresh_from_db()
    assert update.state == State.DISCARDED


def test_a_newer_complete_file_replaces_it(school: District) -> None:
    older = scheduled(school, complete_file("5"))
    newer = scheduled(school, complete_file("6"))
    older.refresh_from_db()
    assert (older.state, older.replaced_by) == (State.DISCARDED, newer)


def test_what_changes_nothing_is_completed_immediately(school: District) -> None:
    update = send(school, a_class(100, GRADE="4"))
    assert finish(update).state is State.COMPLETED


def test_a_dry_run_and_a_held_update_wait_for_a_person(enrolled: None, maple: District) -> None:
    let_be_quiet(maple)
    checked = send(maple, a_class(3, GRADE="5"), is_check=True)
    assert finish(checked).state is State.CHECKED
    held = send(maple, movers(60))
    assert finish(held).state is State.HELD
    held.refresh_from_db()
    decisions.approve(maple, held.number, held.plan_digest, Decider(None), timezone.now())
    assert finish(held).state is State.COMPLETED


@pytest.mark.parametrize("hours", [0, 1, 5])
def test_it_follows_when_quiet_hours_change(school: District, hours: int) -> None:
    update = scheduled(school)
    now = timezone.now()
    if hours:
        let_be_quiet(school, hours)
    else:
        quiet_hours.save(school, [None] * 7)
    assert quiet.reschedule(school, now) == 1
    update.refresh_from_db()
    assert update.apply_at == (quiet_hours.of_district(school).end_after(now) or now)
    assert quiet.reschedule(school, now) == 0
    assert runner.has_work(update.pk) == (hours == 0)


def test_what_a_person_has_decided_is_not_moved(school: District) -> None:
    update = scheduled(school)
    decisions.approve(school, 2, update.plan_digest, Decider(None), timezone.now())
    assert quiet.reschedule(school, timezone.now()) == 0


def test_a_midnight_between_is_no_gap(maple: District) -> None:
    windows: list[Window | None] = [Window(time(20), time(0)), Window(time(0), time(6))]
    quiet_hours.save(maple, windows + [None] * 5)
    at = datetime(2026, 11, 30, 21, tzinfo=ZoneInfo(ZONE))
    end = quiet_hours.of_district(maple).end_after(at)
    assert end == datetime(2026, 12, 1, 6, tzinfo=ZoneInfo(ZONE))
