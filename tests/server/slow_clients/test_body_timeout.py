"""The time an upload may take."""

import pytest

from rollbook.server.slow_clients.body_timeout import (
    GRACE_PERIOD_S,
    RECEIVE_TIMEOUT_S,
    ReceiveBudget,
    TooSlow,
)


def seconds_until_disconnected(
    budget: ReceiveBudget, *, each: float, received: int, at_most: float
) -> float:
    """Return when a client is disconnected that sends ``received`` bytes every ``each`` seconds."""
    elapsed = 0.0
    while elapsed < at_most:
        try:
            budget.seconds_left()
        except TooSlow:
            return elapsed
        budget.spent(each, received)
        elapsed += each
    return at_most


def test_a_client_with_one_byte_per_second_is_disconnected_after_half_a_minute() -> None:
    assert seconds_until_disconnected(
        ReceiveBudget(10**6), each=1, received=1, at_most=100
    ) == pytest.approx(RECEIVE_TIMEOUT_S, abs=1)


def test_fast_sending_before_a_stall_adds_no_more_than_half_a_minute() -> None:
    budget = ReceiveBudget(10**9)
    budget.spent(1, 500_000_000)
    assert seconds_until_disconnected(budget, each=1, received=0, at_most=100) == pytest.approx(
        RECEIVE_TIMEOUT_S, abs=1
    )


@pytest.mark.statement("S33")
def test_100_kbit_per_second_is_enough_for_any_size() -> None:
    size = 1 << 30
    needed = size / 12_500
    assert (
        seconds_until_disconnected(ReceiveBudget(size), each=1.3, received=16_384, at_most=needed)
        == needed
    )


@pytest.mark.statement("S33")
def test_2_kilobytes_per_second_is_not_enough_for_a_large_file() -> None:
    disconnected_after = seconds_until_disconnected(
        ReceiveBudget(50_000_000), each=1, received=2_000, at_most=100_000
    )
    assert disconnected_after == pytest.approx(GRACE_PERIOD_S + 4_000, abs=1)


@pytest.mark.parametrize(
    ("each", "received", "expected"),
    [
        (1, 16_000, 30 + 10**6 / 50_000),  # fast enough from second to second, but not in all
        (1, 1_000, 11),
        (11, 0, 11),
    ],
    ids=["slow", "dripping", "stalled"],
)
def test_a_stranger_must_be_faster(each: float, received: int, expected: float) -> None:
    budget = ReceiveBudget(10**6, is_stranger=True)
    assert seconds_until_disconnected(
        budget, each=each, received=received, at_most=1000
    ) == pytest.approx(expected, abs=1)


def test_an_unannounced_size_has_ten_minutes() -> None:
    assert seconds_until_disconnected(
        ReceiveBudget(None), each=1, received=10_000, at_most=10_000
    ) == pytest.approx(GRACE_PERIOD_S)
