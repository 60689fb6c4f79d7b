"""Numbers, times and lists as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from rollbook.doors.studentupdate.wording import counted, duration, listed, moment, percent, safe, updates

NOW = datetime(2026, 11, 23, 8, 5, 11, tzinfo=UTC)


def test_numbers_carry_commas_and_one_is_one() -> None:
    assert [counted(count, "student") for count in (0, 1, 4812)] == ["0 students", "1 student", "4,812 students"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.0 s"), (2.13, "2.1 s"), (45.4, "45 s"), (200, "3 min 20 s"), (3900, "1 h 5 min"), (-3, "0.0 s")],
)
def test_durations_have_two_units_at_most(seconds: float, words: str) -> None:
    assert duration(timedelta(seconds=seconds)) == words


def test_times_are_the_districts_with_the_date_unless_it_is_todays() -> None:
    assert moment(NOW, NOW, "America/Chicago") == "02:05:11 CST"
    assert moment(NOW, NOW + timedelta(hours=21), "America/Chicago") == "02:05:11 CST"
    assert moment(NOW, NOW + timedelta(hours=22), "America/Chicago") == "2026-11-23 02:05:11 CST"
    assert moment(datetime(2026, 7, 1, 12, tzinfo=UTC), NOW, "America/Chicago") == "2026-07-01 07:00:00 CDT"


@pytest.mark.parametrize(
    ("done", "total", "words"), [(2935, 4812, "61 %"), (4811, 4812, "99 %"), (4812, 4812, "100 %"), (0, 0, "100 %")]
)
def test_a_hundred_percent_means_all(done: int, total: int, words: str) -> None:
    assert percent(done, total) == words


def test_lists_end_in_and() -> None:
    assert [listed([17]), listed([17, 18]), listed([17, 18, 19])] == ["17", "17 and 18", "17, 18 and 19"]
    assert [updates([17]), updates([17, 18])] == ["update 17", "updates 17 and 18"]


def test_what_somebody_sent_cannot_break_a_line_or_turn_it_round() -> None:
    assert safe("a\r\nb\x1b\u202ec\0", 100) == "abc"
    assert safe("x" * 11, 10) == "x" * 9 + "…"
