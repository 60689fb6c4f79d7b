"""How long an upload may take."""

import pytest

from rollbook.server.slow_clients.body_timeout import (
    GRACE_PERIOD_S,
    RECEIVE_TIMEOUT_S,
    ReceiveBudget,
    TooSlow,
)


def seconds_until_given_up(
    pace: ReceiveBudget, *, each: float, received: int, most: float
) -> float:
    """A sender that brings ``received`` bytes every ``each`` seconds."""
    passed = 0.0
    while passed < most:
        try:
            pace.seconds_left()
        except TooSlow:
            return passed
        pace.spent(each, received)
        passed += each
    return most


def test_a_byte_a_second_is_given_up_after_half_a_minute() -> None:
    assert seconds_until_given_up(
        ReceiveBudget(10**6), each=1, received=1, most=100
    ) == pytest.approx(RECEIVE_TIMEOUT_S, abs=1)


def test_what_came_fast_before_buys_no_more_than_half_a_minute() -> None:
    pace = ReceiveBudget(10**9)
    pace.spent(1, 500_000_000)
    assert seconds_until_given_up(pace, each=1, received=0, most=100) == pytest.approx(
        RECEIVE_TIMEOUT_S, abs=1
    )


def test_100_kbit_a_second_are_enough_for_any_size() -> None:
    size = 1 << 30
    needed = size / 12_500
    assert (
        seconds_until_given_up(ReceiveBudget(size), each=1.3, received=16_384, most=needed)
        == needed
    )


def test_2_kilobytes_a_second_are_not_enough_for_a_large_file() -> None:
    given_up = seconds_until_given_up(
        ReceiveBudget(50_000_000), each=1, received=2_000, most=100_000
    )
    assert given_up == pytest.approx(GRACE_PERIOD_S + 4_000, abs=1)


def test_a_size_nobody_told_has_ten_minutes() -> None:
    assert seconds_until_given_up(
        ReceiveBudget(None), each=1, received=10_000, most=10_000
    ) == pytest.approx(GRACE_PERIOD_S)
