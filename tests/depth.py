"""How deep a run tests: every day with samples, every night with everything.

A daily run takes a few samples of a long list, and others every day; of the slow tests, each has
its turn every few days. The report of a run names the seed; set ``TESTS_SEED`` to it to take the
same samples again.
"""

import math
import os
import random
import zlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TypeVar

NIGHTLY_VARIABLE = "TESTS_NIGHTLY"
SEED_VARIABLE = "TESTS_SEED"

SAMPLED_VARIABLE = "TESTS_SAMPLED"
"""Set in the runs of ``make test-all``, which take samples of similar tests."""

NIGHTLY = bool(os.environ.get(NIGHTLY_VARIABLE))
SAMPLED = bool(os.environ.get(SAMPLED_VARIABLE)) and not NIGHTLY

# In the environment, so that pytest-xdist's workers take the same, also after midnight.
SEED = int(os.environ.setdefault(SEED_VARIABLE, f"{datetime.now(UTC):%Y%m%d}"))

Item = TypeVar("Item")

DAILY_EXAMPLES, NIGHTLY_EXAMPLES = 30, 300


def examples(daily: int = DAILY_EXAMPLES) -> int:
    """Return how many examples Hypothesis tries of a test that takes so many every day."""
    return NIGHTLY_EXAMPLES if NIGHTLY else daily


def choose(*, daily: int, nightly: int) -> int:
    """Return the size for a run of this depth."""
    return nightly if NIGHTLY else daily


def generator(purpose: str) -> random.Random:
    """Return random numbers that are the same for the same seed and purpose."""
    return random.Random(f"{SEED} {purpose}")


def is_chosen(name: str, share: float) -> bool:
    """Return whether it is the turn of a test that runs on such a share of all days.

    With a share of a third, each test runs on every third day, and each day a third of them run.
    """
    return _turns(name, share) % 1 < share


def is_on_postgresql(name: str, share: float) -> bool:
    """Return which of the databases has the next turn of such a test: one after the other."""
    return math.floor(_turns(name, share)) % 2 == 1


def _turns(name: str, share: float) -> float:
    """Return how many turns a test has had until now; the test's name says where it begins."""
    return zlib.crc32(name.encode()) / 2**31 + _day() * share


def _day() -> int:
    """Return a number that is greater by 1 every day; the seed itself if that is no date."""
    try:
        return date.fromisoformat(f"{SEED}").toordinal()
    except ValueError:
        return SEED


def sample(
    population: Sequence[Item], purpose: str, *, daily: int, nightly: int | None = None
) -> list[Item]:
    """Return so many items, in their order; without ``nightly`` all of them every night."""
    wanted = daily
    if NIGHTLY:
        wanted = len(population) if nightly is None else nightly
    places = generator(purpose).sample(range(len(population)), min(wanted, len(population)))
    return [population[place] for place in sorted(places)]
