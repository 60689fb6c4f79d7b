"""A PostgreSQL server, a data folder, and workers that start and stop: tests of many machines."""

import json
import re
import secrets
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from tests.installations import environment
from tests.patience import TIMEOUT_S
from tests.postgres.server import SUPERUSER, Server, running_server
from tests.prepared import Task, prepared

STEP = "0.05"  # seconds that a worker takes for each step
HOLD = "hold"
"""The file in the data folder that keeps all updates from being applied any further."""


@dataclass
class Cluster:
    """Whatever is still running at the end is killed by ``at_the_end``."""

    server: Server
    database: str
    data: Path
    port: int | None = None  # of a proxy that everybody goes through but the tests
    workers: "list[Task | subprocess.Popen[bytes]]" = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.data.with_suffix(".log")

    @property
    def environment(self) -> dict[str, str]:
        url = self.server.url(self.database, port=self.port)
        return environment(self.data, DJANGO_SETTINGS_MODULE="rollbook.settings", DATABASE_URL=url)

    def run(self, *task: str) -> str:
        """Run a task of ``many.py``; returns what it printed."""
        done = prepared().run("tests.faults.many", *task, environment=self.environment)
        assert done.code == 0, done.err
        return done.out

    def start(self, *options: str, how: str = "impatient", step: str = STEP) -> Task:
        """One more worker."""
        words = ("tests.faults.many", how, step, *options)
        worker = prepared().start(*words, environment=self.environment, stderr=self.log)
        self.workers.append(worker)
        return worker

    def ask(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What the database answers."""
        with psycopg.connect(
            self.server.url(self.database, user=SUPERUSER), autocommit=True
        ) as connection:
            cursor = connection.execute(statement, parameters)
            return list(cursor.fetchall()) if cursor.description else []

    def states(self) -> Counter[str]:
        """How many updates are in which state."""
        return Counter(
            dict(self.ask("SELECT state, count(*) FROM updates_updatejob GROUP BY state"))
        )

    def jobs(self, status: str) -> list[tuple[Any, ...]]:
        """The jobs in this status: task, lock and ID."""
        return self.ask(
            "SELECT task_name, lock, id FROM procrastinate_jobs WHERE status::text = %s", status
        )

    def mails(self) -> Counter[str]:
        """How often the result email with each Message-ID was sent."""
        folder = self.data / "mail"
        files = folder.iterdir() if folder.is_dir() else []
        texts = (
            file.read_text(encoding="utf-8") for file in files
        )  # of which each may have several mails
        return Counter(
            found
            for text in texts
            for found in re.findall(r"^Message-ID: (<update-.+)$", text, re.MULTILINE)
        )

    def dump(self) -> dict[str, Any]:
        """What every district's updates have left behind."""
        dump: dict[str, Any] = json.loads(self.run("dump"))
        return dump

    def until_all_have_ended(self, seconds: float = TIMEOUT_S) -> None:
        """Wait for the last update, its letters, and the end of every job about updates."""
        until(
            lambda: self.states().keys() <= {"completed", "failed", "refused", "canceled"}, seconds
        )
        until(lambda: len(self.mails()) == self.states().total())
        until(
            lambda: not [job for job in self.jobs("doing") + self.jobs("todo") if job[0] == "work"],
            show=lambda: (self.jobs("doing"), self.jobs("todo")),
        )

    def until_running_jobs_have_ended(self) -> None:
        """Wait for those that run now; a dead worker's are reclaimed after 25 s at most.

        Others may begin meanwhile: on a busy machine, hashes of passwords are always being
        upgraded.
        """
        running = set(self.jobs("doing"))
        until(lambda: running.isdisjoint(self.jobs("doing")), show=lambda: self.jobs("doing"))

    def send_everywhere(self, **files: str) -> None:
        """Send these files, one after the other, for every district."""
        paths = [self.data.parent / f"{name}.csv" for name in files]
        for path, text in zip(paths, files.values(), strict=True):
            path.write_text(text, encoding="utf-8")
        self.run("submit", *map(str, paths))

    def copied(self, data: Path) -> "Cluster":
        """The same once more, on the same server. No worker may be at work on this one."""
        copy = Cluster(
            self.server, f"copy_{secrets.token_hex(4)}", Path(shutil.copytree(self.data, data))
        )
        self.server.create_database(copy.database, like=self.database)
        return copy

    def ask_server(self, statement: LiteralString) -> None:
        """Do this beside the database."""
        with psycopg.connect(self.server.url(user=SUPERUSER), autocommit=True) as connection:
            connection.execute(statement)

    @contextmanager
    def at_the_end(self) -> Iterator["Cluster"]:
        """Nobody is at work any more when the block ends, and the database is gone."""
        try:
            yield self
        finally:
            for worker in self.workers:
                worker.kill()
                worker.wait()
            self.ask_server(f"DROP DATABASE {self.database} WITH (FORCE)")


@contextmanager
def running_cluster(folder: Path, districts: int, **settings: object) -> Iterator[Cluster]:
    """With so many districts, and no worker yet, on a server of its own."""
    with running_server(tcp=True, settings=settings) as server:
        server.create_database("rollbook")
        with Cluster(server, "rollbook", folder / "data").at_the_end() as cluster:
            cluster.run("make", str(districts))
            yield cluster


def until(
    is_so: Callable[[], bool],
    seconds: float = TIMEOUT_S,
    *,
    show: Callable[[], object] = lambda: "",
) -> None:
    """Check often, even while the database is down; after so many seconds, fail and show this."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if is_so():
                return
        except psycopg.OperationalError:
            pass
        assert time.monotonic() < deadline, f"not so after {seconds} s {show()}"
        time.sleep(0.1)
