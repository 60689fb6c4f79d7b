"""The door to the operators' pages: one secret, one browser."""

from datetime import timedelta

from rollbook.doors.admin.entering import IDLE, Door
from tests.staff.browser import NOW


def test_a_door_that_was_never_locked_opens_for_nothing() -> None:
    door = Door()
    assert door.enter("", NOW) == ""
    assert not door.knows("", NOW)


def test_the_secret_is_good_once() -> None:
    door = Door()
    secret = door.lock()
    assert door.enter(secret + "x", NOW) == ""
    key = door.enter(secret, NOW)
    assert key
    assert key != secret
    assert door.enter(secret, NOW) == ""
    assert door.knows(key, NOW)
    assert not door.knows(secret, NOW)


def test_who_stays_away_is_out() -> None:
    door = Door()
    key = door.enter(door.lock(), NOW)
    assert door.knows(key, NOW + IDLE)
    assert door.knows(key, NOW + 2 * IDLE)
    assert not door.knows(key, NOW + 3 * IDLE + timedelta(seconds=1))
    assert not door.knows(key, NOW)


def test_a_new_secret_shuts_out_whoever_was_in() -> None:
    door = Door()
    first = door.lock()
    key = door.enter(first, NOW)
    second = door.lock()
    assert not door.knows(key, NOW)
    assert door.enter(first, NOW) == ""
    assert door.enter(second, NOW)


def test_who_leaves_is_out() -> None:
    door = Door()
    key = door.enter(door.lock(), NOW)
    door.leave()
    assert not door.knows(key, NOW)
