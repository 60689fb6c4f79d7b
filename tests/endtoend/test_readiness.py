"""What strangers learn of a real server whose database, disk, spool folder or keys fail."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from django.conf import settings

from tests import installations
from tests.endtoend.conftest import Rollbook
from tests.endtoend.inside import OBEYING_MODES, ON_A_FULL_DISK
from tests.patience import TIMEOUT_S

TOKEN = "d0e1f2a3b4c5d6e7f8"
END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
    "AND usename = current_user AND pid <> pg_backend_pid()"
)
"""So that new ones get the setting."""
ON_SQLITE = not settings.ON_POSTGRESQL


def get(rollbook: Rollbook, path: str, *arguments: str) -> tuple[int, str]:
    """Request an address as a stranger; return the status and the body."""
    done = subprocess.run(
        ["curl", "-sS", "-w", "\n%{http_code}", *arguments, f"{rollbook.url}{path}"],
        env=rollbook.environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def codes(body: str) -> list[str]:
    """Return the codes of an answer of ``/readyz``, after checking that they are all it says."""
    lines = body.splitlines()
    assert all(line.startswith("ERROR ") or line == "OK" for line in lines)
    assert "/" not in body.replace("server log", "")
    return [line.removeprefix("ERROR ").partition(":")[0] for line in lines if line != "OK"]


def until_ready_with(rollbook: Rollbook, expected: Sequence[str]) -> None:
    """Wait until exactly these problems are reported; results are cached for two seconds."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        status, body = get(rollbook, "/readyz")
        assert status == (503 if codes(body) else 200)
        if codes(body) == list(expected):
            return
        assert time.monotonic() < deadline, f"{body} and not {expected}"
        time.sleep(0.1)


def doctor(rollbook: Rollbook, inside: Sequence[str]) -> dict[str, set[str]]:
    """Return what doctor finds, run with this prefix: part to results."""
    done = subprocess.run(
        [*inside, sys.executable, "-m", "rollbook", "doctor", "--json"],
        env=rollbook.environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    parts: dict[str, set[str]] = {}
    for finding in json.loads(done.stdout)["findings"]:
        parts.setdefault(finding["part"], set()).add(finding["result"])
    return parts


@contextmanager
def mode(path: Path, bits: int) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(bits)
    yield
    path.chmod(before)


@contextmanager
def closed_spool(rollbook: Rollbook) -> Iterator[None]:
    with mode(rollbook.data / "spool", 0o500):
        yield


@contextmanager
def file_for_spool(rollbook: Rollbook) -> Iterator[None]:
    spool = rollbook.data / "spool"
    spool.rename(rollbook.data / "moved")
    spool.touch()
    yield
    spool.unlink()
    (rollbook.data / "moved").rename(spool)


@contextmanager
def unreadable_key(rollbook: Rollbook) -> Iterator[None]:
    with mode(rollbook.data / "keys" / "logins", 0):
        yield


@contextmanager
def read_only_database(rollbook: Rollbook) -> Iterator[None]:
    if ON_SQLITE:
        with mode(rollbook.data / "rollbook.sqlite3", 0o400):
            yield
        return
    own = installations._database(rollbook.data)
    own.execute("ALTER DATABASE {database} SET default_transaction_read_only = on")
    own.execute(END_SESSIONS)
    yield
    own.execute(
        "BEGIN; SET TRANSACTION READ WRITE; "
        "ALTER DATABASE {database} RESET default_transaction_read_only; COMMIT"
    )
    own.execute(END_SESSIONS)


@contextmanager
def full_disk(rollbook: Rollbook) -> Iterator[None]:
    """Limit the running web server, as the disk of this machine can't be filled."""
    processes = rollbook.descendants("web")
    no_limit = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    for process in processes:
        resource.prlimit(process, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    yield
    for process in processes:
        resource.prlimit(process, resource.RLIMIT_FSIZE, no_limit)


Fault = Callable[[Rollbook], AbstractContextManager[None]]
FAULTS: dict[str, tuple[Fault, list[str], str, list[str]]] = {
    "closed spool": (closed_spool, ["spool"], "disk", OBEYING_MODES),
    "file for spool": (file_for_spool, ["spool"], "", []),
    "key": (unreadable_key, ["keys"], "", []),
    "read-only": (read_only_database, ["database_write"], "database", OBEYING_MODES),
    "full": (full_disk, ["database_write", "spool"][not ON_SQLITE :], "disk", ON_A_FULL_DISK),
}
"""Name to fault, the codes of /readyz, the part of doctor that is red, and its prefix.

For faults without a part, doctor has tests of its own.
"""


def test_each_fault_is_reported_while_it_lasts_and_no_longer(rollbook: Rollbook) -> None:
    rollbook.start(inside=OBEYING_MODES)
    (rollbook.data / "spool").mkdir(mode=0o700, exist_ok=True)
    until_ready_with(rollbook, [])
    for fault, expected, part, inside in FAULTS.values():
        with fault(rollbook):
            until_ready_with(rollbook, expected)
            assert get(rollbook, "/healthz")[0] == 503
            assert get(rollbook, "/livez") == (200, "OK\n")
            if part:
                assert "error" in doctor(rollbook, inside)[part]
        until_ready_with(rollbook, [])
    assert "error" not in doctor(rollbook, OBEYING_MODES)["disk"]
    assert "Traceback" not in rollbook.read_log()


def test_a_stranger_gets_no_metrics_and_prometheus_does(rollbook: Rollbook) -> None:
    rollbook.extra["ROLLBOOK_METRICS_TOKEN"] = TOKEN
    rollbook.start()
    assert get(rollbook, "/metrics")[0] == 401
    status, body = get(rollbook, "/metrics", "-H", f"Authorization: Bearer {TOKEN}")
    assert status == 200
    assert 'rollbook_check_ok{check="database"} 1.0' in body.splitlines()
    assert "maple" not in body
    assert get(rollbook, "/healthz")[1].splitlines()[1].startswith("Rollbook ")
    for _ in range(20):
        assert get(rollbook, "/readyz") == (200, "OK\n")
    assert "/readyz" not in rollbook.read_log()
