"""F23: a rolling upgrade during running updates: two web servers and two workers, PostgreSQL.

The next release is a wheel that the test builds; see ``tests/next_release.py``.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rollbook.exit_codes import NEWER_DATABASE
from tests.conftest import PASSWORD
from tests.faults.cluster import HOLD, STEP, Cluster, running_cluster, until
from tests.faults.folder import base, eventful_night
from tests.next_release import ADDITIVE, VERSION, add_migrations, copied_tree, unpacked_wheel
from tests.patience import TIMEOUT_S
from tests.prepared import prepared
from tests.server.conftest import free_port

pytestmark = pytest.mark.only_on("postgresql")

COMMIT = "0123456789ab"
LOGIN = "script@maple.example"
PAUSE_S = 0.1
MAX_OUTAGE = 40
"""Rounds of requests in which neither web server may answer.

The one that waits compares every 3 seconds, which is time for about 20 rounds. On a busy machine, a
round takes longer, too.
"""


@dataclass
class Script:
    """Asks both web servers for the status all the time.

    Attributes:
        urls: The addresses of the servers.
        rounds: The status of each server in each round; 0 if it can't be reached.
        missing_headers: Answers 503 that don't say when to come again.
    """

    urls: list[str]
    rounds: list[list[int]] = field(default_factory=list)
    missing_headers: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stop.wait(PAUSE_S):
            self.rounds.append([self.ask(url) for url in self.urls])

    def ask(self, url: str) -> int:
        command = ["curl", "-s", "-i", "-H", "X-Forwarded-Proto: https", "-F", f"login={LOGIN}"]
        command += ["-F", f"password={PASSWORD}", f"{url}/slc/studentupdate/status"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        if done.returncode:
            return 0
        status = int(done.stdout.split()[1])
        if status == 503 and "\nRetry-After: " not in done.stdout:
            self.missing_headers.append(done.stdout)
        return status

    def longest_outage(self) -> int:
        """Return the most rounds in a row in which no server could answer."""
        longest = current = 0
        for answers in self.rounds:
            current = 0 if 200 in answers else current + 1
            longest = max(longest, current)
        return longest


@dataclass
class Machines:
    """Two web servers and two workers, each of today's version or of the next one."""

    cluster: Cluster
    release: Path
    ports: list[int] = field(default_factory=lambda: [free_port(), free_port()])

    def start(self, *command: str, is_next: bool) -> "subprocess.Popen[bytes]":
        """Start a process, which is killed with the cluster's workers."""
        with self.cluster.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command], env=self.environment(is_next), stderr=log
            )
        self.cluster.workers.append(process)
        return process

    def environment(self, is_next: bool) -> dict[str, str]:
        more = {"PYTHONPATH": str(self.release)} if is_next else {}
        return self.cluster.environment | more

    def web(self, number: int, *, is_next: bool = False) -> "subprocess.Popen[bytes]":
        port = str(self.ports[number])
        return self.start("rollbook", "web", "--port", port, "--behind-proxy", is_next=is_next)

    def worker(self, *, is_next: bool = False) -> "subprocess.Popen[bytes]":
        return self.start("tests.faults.many", "impatient", STEP, is_next=is_next)

    def rollbook(self, *words: str) -> str:
        """Run a command of the next version."""
        command = [sys.executable, "-m", "rollbook", *words]
        done = subprocess.run(
            command, env=self.environment(True), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The next release, installed from its wheel."""
    folder = tmp_path_factory.mktemp("release")
    tree = copied_tree(folder / "tree")
    add_migrations(tree, {"9001_next": ADDITIVE})
    (tree / "src" / "rollbook" / "commit").write_text(COMMIT)  # as a source distribution has it
    return unpacked_wheel(tree, folder / "wheel")


@pytest.fixture
def machines(tmp_path: Path, release: Path) -> Iterator[Machines]:
    """Two districts with their updates waiting, and somebody who asks for the status."""
    with running_cluster(tmp_path, 2) as cluster:
        cluster.send_everywhere(base=base(), night=eventful_night())
        password = tmp_path / "password.txt"
        password.write_text(PASSWORD)
        words = ["staff", "add", "district-0", LOGIN, "--first", "Ana", "--last", "Ruiz"]
        words += ["--role", "district manager", "--password-file", str(password)]
        done = prepared().run("rollbook", *words, environment=cluster.environment)
        assert done.code == 0, done.err
        yield Machines(cluster, release)


def test_f23_a_rolling_upgrade_during_updates_loses_and_doubles_nothing(
    machines: Machines, tmp_path: Path
) -> None:
    cluster, script = machines.cluster, Script([f"http://localhost:{p}" for p in machines.ports])
    assert machines.rollbook("--version") == f"rollbook {VERSION} (commit {COMMIT})\n"
    with ExitStack() as stack:
        undisturbed = stack.enter_context(cluster.copied(tmp_path / "undisturbed").at_the_end())
        undisturbed.start(step="0")
        undisturbed.until_all_have_ended()
        expected = undisturbed.dump()

    # 1. Everything is of today's version, and the updates are running. They don't end before the
    # upgrade does.
    hold = cluster.data / HOLD
    hold.touch()
    old_webs, old_workers = [machines.web(0), machines.web(1)], [machines.worker() for _ in "12"]
    until(lambda: [script.ask(url) for url in script.urls] == [200, 200])
    until(lambda: "applying" in cluster.states())
    asking = threading.Thread(target=script.run)
    asking.start()
    try:
        # 2. One of each is replaced by the next version, which waits.
        for old in (old_webs[1], old_workers[1]):
            old.terminate()
            assert old.wait(TIMEOUT_S) == 0
        machines.web(1, is_next=True)
        machines.worker(is_next=True)
        until(lambda: script.rounds[-1][1] == 503)
        until(lambda: cluster.log.read_text().count("waiting for `rollbook migrate`: ") >= 2)
        assert {answers[0] for answers in script.rounds} == {200}
        assert "applying" in cluster.states()

        # 3. The migration stops today's version and starts the next one.
        assert machines.rollbook("migrate") == "updates.9001_next\n"
        assert old_workers[0].wait(TIMEOUT_S) == NEWER_DATABASE
        assert old_webs[0].wait(TIMEOUT_S) == NEWER_DATABASE
        assert "applying" in cluster.states()
        machines.web(0, is_next=True)
        machines.worker(is_next=True)
        until(lambda: script.rounds[-1] == [200, 200])
        hold.unlink()
        cluster.until_all_have_ended()
    finally:
        script.stop.set()
        asking.join()
    assert cluster.dump() == expected
    statuses = {status for answers in script.rounds for status in answers}
    assert (statuses <= {0, 200, 503}, script.missing_headers) == (True, []), statuses
    assert script.longest_outage() <= MAX_OUTAGE
    assert script.rounds[-1] == [200, 200]
    assert "Traceback" not in cluster.log.read_text()
