"""However the test run ends, no process, folder or shared memory of PostgreSQL is left."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.postgres import PostgresProblem
from tests.postgres.looking import Traces, traces
from tests.postgres.server import Server

ROOT = Path(__file__).parents[2]

DOOMED = """
import dataclasses, json, os, signal, time
from tests.postgres.looking import traces
from tests.postgres.server import Server
server = Server()
fields = dataclasses.asdict(traces(server))
{before}
print(json.dumps(fields), flush=True)
time.sleep(600)
"""


def freeze(server: Server) -> None:
    server.freeze()


def kill(server: Server) -> None:
    os.kill(server.pid, signal.SIGKILL)


def stop(server: Server) -> None:
    server.stop()


def test_nothing_is_left_when_it_was_closed_with_a_session_open() -> None:
    server = Server()
    of_it = traces(server)
    assert of_it.shared_memory()
    with psycopg.connect(server.url()):
        for pid in server.processes():
            maps = Path(f"/proc/{pid}/maps").read_text()
            assert "/dev/shm" not in maps  # noqa: S108 - only searched for
        server.close()
    assert of_it.left() == []
    server.close()  # may be said twice


def leave_frozen_children(server: Server) -> None:
    server.freeze()
    kill(server)


@pytest.mark.parametrize("before", [freeze, kill, leave_frozen_children, stop])
def test_nothing_is_left_when_it_was_closed(before: Callable[[Server], None]) -> None:
    server = Server()
    of_it = traces(server)
    before(server)
    server.close()
    assert of_it.left() == []


@pytest.mark.parametrize(
    "before",
    [
        "",
        "server.freeze()",
        "os.kill(server.pid, signal.SIGKILL)",
        "server.stop()",
        "os.fork() or time.sleep(600)",  # a child that holds whatever its parent held
    ],
    ids=[
        "running",
        "frozen",
        "without a postmaster",
        "stopped",
        "with a child of the test run left",
    ],
)
def test_nothing_is_left_when_the_test_run_was_killed(before: str) -> None:
    script = [sys.executable, "-c", DOOMED.format(before=before)]
    with subprocess.Popen(
        script, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        assert run.stdout
        of_it = Traces(**json.loads(run.stdout.readline()))
        assert set(of_it.folders) < set(of_it.left())
        os.kill(run.pid, signal.SIGKILL)
        try:
            assert of_it.left_after() == []
        finally:
            os.killpg(run.pid, signal.SIGKILL)  # the child


def test_no_process_and_no_memory_is_left_when_the_guard_was_killed() -> None:
    server = Server()
    of_it = traces(server)
    server._guard.kill()
    server._guard.wait()
    try:
        assert Traces(of_it.processes, []).left_after() == []
        with pytest.raises(PostgresProblem, match="ended with -9; see what is left in"):
            server.close()
    finally:
        for folder in of_it.folders:
            shutil.rmtree(folder)


def test_nothing_is_left_of_one_that_cannot_start_and_it_says_why() -> None:
    made: list[Traces] = []

    class Seen(Server):
        def start(self) -> None:
            made.append(traces(self))
            super().start()

    with pytest.raises(
        PostgresProblem, match=r'did not start:(?s:.*)invalid value for parameter "max_connections"'
    ):
        Seen(settings={"max_connections": "many"})
    assert len(made) == 1
    assert made[0].left() == []
