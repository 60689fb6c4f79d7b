"""Numbers, times and lists for people."""

from datetime import UTC, datetime, timedelta

import pytest

from rollbook.text import (
    count_of,
    format_datetime,
    format_duration,
    format_number,
    format_percent,
    format_time,
    format_timestamp,
    join_words,
    line_list,
    name_updates,
    printable,
)

NOW = datetime(2026, 11, 23, 8, 5, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "written"), [(0, "0"), (999, "999"), (4812, "4,812"), (1234567, "1,234,567")]
)
def test_thousands_are_separated(number: int, written: str) -> None:
    assert format_number(number) == written


def test_the_noun_is_singular_for_one() -> None:
    assert [count_of(count, "student") for count in (0, 1, 4812)] == [
        "0 students",
        "1 student",
        "4,812 students",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0.0 s"),
        (0, "0.0 s"),
        (2.14, "2.1 s"),
        (10, "10 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (100_000, "27 h 46 min"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float, words: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == words


def test_times_are_in_the_districts_time_zone_with_the_date_unless_it_is_today() -> None:
    assert format_time(NOW, NOW, "America/Chicago") == "02:05:11 CST"
    assert format_time(NOW, NOW + timedelta(hours=21), "America/Chicago") == "02:05:11 CST"
    assert (
        format_time(NOW, NOW + timedelta(hours=22), "America/Chicago") == "2026-11-23 02:05:11 CST"
    )
    assert (
        format_time(datetime(2026, 7, 1, 12, tzinfo=UTC), NOW, "America/Chicago")
        == "2026-07-01 07:00:00 CDT"
    )


def test_dates_are_in_the_districts_time_zone() -> None:
    assert format_datetime(NOW, "America/Chicago") == "Nov 23, 2026, 2:05 AM CST"
    assert format_datetime(NOW, "Asia/Kolkata") == "Nov 23, 2026, 1:35 PM IST"
    assert format_datetime(NOW, "Pacific/Auckland") == "Nov 23, 2026, 9:05 PM NZDT"
    midnight, noon = NOW - timedelta(hours=2), NOW + timedelta(hours=10)
    assert format_datetime(midnight, "America/Chicago") == "Nov 23, 2026, 12:05 AM CST"
    assert format_datetime(noon, "America/Chicago") == "Nov 23, 2026, 12:05 PM CST"
    assert format_timestamp(NOW, "America/Chicago") == "2026-11-23 02:05:11 CST"
    assert format_datetime(None, "America/Chicago") == ""


@pytest.mark.parametrize(
    ("done", "total", "words"),
    [(2935, 4812, "61 %"), (4811, 4812, "99 %"), (4812, 4812, "100 %"), (0, 0, "100 %")],
)
def test_100_percent_means_all(done: int, total: int, words: str) -> None:
    assert format_percent(done, total) == words


def test_lists_end_with_and() -> None:
    assert [join_words([17]), join_words([17, 18]), join_words([17, 18, 19])] == [
        "17",
        "17 and 18",
        "17, 18 and 19",
    ]
    assert [name_updates([17]), name_updates([17, 18])] == ["update 17", "updates 17 and 18"]


def test_a_submitted_text_stays_on_one_line() -> None:
    assert printable("a\r\nb\x1b\u202ec\0", 100) == "abc"
    assert printable("x" * 11, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("lines", "written"),
    [
        ([], ""),
        ([3], "3"),
        ([3, 4], "3-4"),
        ([3, 17, 18, 19, 40], "3, 17-19, 40"),
        ([3, 5, 7], "3, 5, 7"),
    ],
)
def test_runs_of_lines_are_combined(lines: list[int], written: str) -> None:
    assert line_list(lines) == written
