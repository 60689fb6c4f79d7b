"""How deep a run tests: every day with samples, every night with everything.

A daily run takes a few samples of a long list, and others every day. The report of a run names the
seed; set ``TESTS_SEED`` to it to take the same samples again.
"""

import os
import random
from collections.abc import Sequence
from datetime import UTC, datetime
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

LONGEST = ("handbook", "demo", "demo with a spreadsheet")
"""Tests that take a minute or more each; ``make test-all`` runs one of them a day."""

DAILY_EXAMPLES, NIGHTLY_EXAMPLES = 50, 300


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
    """Return whether a test is in the samples that are such a share of all; others every day."""
    return generator(name).random() < share


def share_of_longest(name: str) -> float:
    """Return the ``daily_share`` of one of the longest tests: 1 if it is its turn, otherwise 0."""
    return float(generator("longest test").choice(LONGEST) == name)


def sample(
    population: Sequence[Item], purpose: str, *, daily: int, nightly: int | None = None
) -> list[Item]:
    """Return so many items, in their order; without ``nightly`` all of them every night."""
    wanted = daily
    if NIGHTLY:
        wanted = len(population) if nightly is None else nightly
    places = generator(purpose).sample(range(len(population)), min(wanted, len(population)))
    return [population[place] for place in sorted(places)]
