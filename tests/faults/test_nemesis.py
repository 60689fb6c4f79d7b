"""F52 for many machines: random disturbances of workers and database leave no trace.

ROLLBOOK_NEMESIS=large uses ten workers, fifty districts and twenty minutes, as every night.
ROLLBOOK_NEMESIS_SEED replaces the seed of the day.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests import depth
from tests.faults.cluster import Cluster, running_cluster
from tests.faults.folder import HEADER, STUDENTS, base, eventful_night, row
from tests.patience import TIMEOUT_S
from tests.prepared import Task

pytestmark = pytest.mark.only_on("postgresql")

SEED = int(os.environ.get("ROLLBOOK_NEMESIS_SEED", depth.SEED))
LONGEST_SLEEP = 12.0  # seconds that a worker is stopped, more than it takes to be thought dead


@dataclass(frozen=True)
class Size:
    workers: int
    districts: int
    seconds: float
    timeout: float


SIZES = {"": Size(4, 10, 25, 560), "large": Size(10, 50, 1200, 3600)}
SIZE = SIZES[os.environ.get("ROLLBOOK_NEMESIS", "large" if depth.NIGHTLY else "")]


@dataclass
class Nemesis:
    """Disturbs a cluster, one deed at a time."""

    cluster: Cluster
    chance: random.Random
    workers: list[Task]
    asleep: dict[int, float] = field(
        default_factory=dict
    )  # place among the workers to when it wakes
    deeds: Counter[str] = field(default_factory=Counter)

    def rage(self, seconds: float) -> None:
        """For so long, or until there is nothing to disturb any more."""
        until_then = time.monotonic() + seconds
        while time.monotonic() < until_then and not self._all_is_done():
            time.sleep(self.chance.uniform(0.1, 1.0))
            self._wake(time.monotonic())
            deed = self.chance.choices(list(DEEDS), [weight for weight, _ in DEEDS.values()])[0]
            self.deeds[deed] += 1
            with suppress(psycopg.OperationalError):  # it may disturb itself
                DEEDS[deed][1](self)
        self._wake(time.monotonic() + 1 + LONGEST_SLEEP)

    def kill(self) -> None:
        self._replace(self._one(), signal.SIGKILL)

    def stop(self) -> None:
        place = self._one()
        if place not in self.asleep:
            self._replace(place, signal.SIGTERM)

    def put_to_sleep(self) -> None:
        place = self._one()
        self.workers[place].send_signal(signal.SIGSTOP)
        self.asleep[place] = time.monotonic() + self.chance.uniform(1, LONGEST_SLEEP)

    def end_sessions(self) -> None:
        found = self.cluster.ask(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'rollbook' ORDER BY pid"
        )
        for (pid,) in self.chance.sample(found, min(2, len(found))):
            self.cluster.ask("SELECT pg_terminate_backend(%s)", pid)

    def restart_the_database(self) -> None:
        self.cluster.server.stop("immediate")
        time.sleep(self.chance.uniform(0, 3))
        self.cluster.server.start()

    def _one(self) -> int:
        return self.chance.randrange(len(self.workers))

    def _replace(self, place: int, number: int) -> None:
        """End the worker there and start another, as its supervisor would."""
        self.asleep.pop(place, None)
        self.workers[place].send_signal(number)
        self.workers[place].wait(TIMEOUT_S)
        self.workers[place] = self.cluster.start()

    def _wake(self, now: float) -> None:
        for place in [place for place, at in self.asleep.items() if at <= now]:
            self.workers[place].send_signal(signal.SIGCONT)
            del self.asleep[place]
        for place, worker in enumerate(self.workers):
            if worker.poll() is not None:  # it came when the database was away
                self.workers[place] = self.cluster.start()

    def _all_is_done(self) -> bool:
        try:
            return self.cluster.states().keys() <= {"completed"}
        except psycopg.OperationalError:
            return False


DEEDS: dict[str, tuple[float, Callable[[Nemesis], None]]] = {
    "kill": (5, Nemesis.kill),
    "stop": (2, Nemesis.stop),
    "put to sleep": (2, Nemesis.put_to_sleep),
    "end sessions": (5, Nemesis.end_sessions),
    "restart the database": (0.4, Nemesis.restart_the_database),
}


@pytest.mark.timeout(SIZE.timeout)
def test_whatever_befalls_workers_and_database_every_district_ends_as_if_nothing_had_happened(
    tmp_path: Path,
) -> None:
    with running_cluster(tmp_path, SIZE.districts) as cluster:
        rollover = HEADER + "".join(row(number, grade="9") for number in range(1, STUDENTS + 1))
        cluster.send_everywhere(base=base(), night=eventful_night(), rollover=rollover)
        with cluster.copied(tmp_path / "quiet").at_the_end() as quiet:
            for _ in range(2):
                quiet.start(step="0")
            quiet.until_all_have_ended()
            undisturbed = quiet.dump()
        nemesis = Nemesis(
            cluster, random.Random(SEED), [cluster.start() for _ in range(SIZE.workers)]
        )
        nemesis.rage(SIZE.seconds)
        cluster.until_all_have_ended()
        cluster.until_running_jobs_have_ended()
        assert cluster.dump() == undisturbed, f"seed {SEED}, {nemesis.deeds}"
        mails, deeds = cluster.mails(), nemesis.deeds
        assert len(mails) == 3 * SIZE.districts
        assert mails.total() <= len(mails) + deeds.total() - deeds["stop"], f"seed {SEED}, {deeds}"
