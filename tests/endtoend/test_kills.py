"""The whole server is killed at random (F12, F43); the result is the same as without kills."""

import csv
import io
import os
import signal
import subprocess
import time
from pathlib import Path

from tests import depth
from tests.endtoend.conftest import Rollbook
from tests.faults.folder import HEADER, base, row
from tests.installations import execute
from tests.patience import TIMEOUT_S
from tests.prepared import prepared

STUDENTS = depth.choose(daily=8_000, nightly=20_000)
KILLS = depth.choose(daily=3, nightly=10)


def everybody(grade: str) -> str:
    return HEADER + "".join(row(number, grade=grade) for number in range(STUDENTS))


def test_a_server_killed_again_and_again_during_a_rollover_ends_where_one_does_that_was_not(
    rollbook: Rollbook, tmp_path: Path
) -> None:
    (tmp_path / "base.csv").write_text(everybody("5"), encoding="utf-8")
    (tmp_path / "rollover.csv").write_text(everybody("6"), encoding="utf-8")
    rollbook.run("student", "load", "maple-usd", str(tmp_path / "base.csv"))
    rollbook.start()
    port = int(rollbook.url.rpartition(":")[2])
    rollbook.start_update(tmp_path / "rollover.csv")
    moments = depth.generator("moments to kill a server")
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.05, 0.4))
        while (
            deaths_without_a_step(rollbook) > 1
        ):  # one more and it would have failed, as it should
            time.sleep(0.02)
        rollbook.kill()
        rollbook.start(port)
    assert rollbook.until_ended().startswith(
        f"COMPLETED update 2: {STUDENTS:,} students: {STUDENTS:,} updated, "
    )
    exported = list(csv.DictReader(io.StringIO(rollbook.run("student", "export", "maple-usd"))))
    assert len(exported) == STUDENTS
    assert {student["GRADE"] for student in exported} == {"6"}
    shown = rollbook.run("student", "show", "maple-usd", "00007")
    assert shown.count("GRADE") == 2  # once in the record, once in the history
    mails = rollbook.until_mailed(1)
    time.sleep(1)
    assert len(rollbook.mails()) == len(mails) == 1


def deaths_without_a_step(rollbook: Rollbook) -> int:
    [(deaths,)] = execute(
        rollbook.data, "SELECT attempts_without_progress FROM updates_updatejob WHERE number = 2"
    )
    return int(deaths)


def test_a_worker_that_dies_is_started_again_and_the_update_goes_on(
    serving_alone: Rollbook, tmp_path: Path
) -> None:
    serving = serving_alone
    (tmp_path / "base.csv").write_text(everybody("5"), encoding="utf-8")
    serving.start_update(tmp_path / "base.csv", "mode=add")
    while "changed students" not in serving.curl("status").verdict:
        time.sleep(0.02)
    os.kill(serving.descendants("worker")[0], signal.SIGKILL)
    assert serving.until_ended().startswith(
        f"COMPLETED update 1: {STUDENTS:,} students: 0 updated, {STUDENTS:,} added"
    )


def health_of(rollbook: Rollbook) -> str:
    """What /healthz answers as soon as somebody answers, and the status."""
    command = ["curl", "-s", "-w", "%{http_code}", f"{rollbook.url}/healthz"]
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        done = subprocess.run(
            command, env=rollbook.environment, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return done.stdout
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_without_a_worker_files_are_accepted_and_status_and_health_say_what_is_missing(
    rollbook: Rollbook, tmp_path: Path
) -> None:
    rollbook.start()
    port = rollbook.url.rpartition(":")[2]
    rollbook.stop()
    (tmp_path / "base.csv").write_text(base(), encoding="utf-8")
    certificate = ("--cert", str(rollbook.data / "certificate.pem"))
    key = ("--key", str(rollbook.data / "certificate.key"))
    web = ("web", "--host", "localhost", "--port", port, *certificate, *key)
    alone = prepared().start("rollbook", *web, environment=rollbook.environment)
    try:
        answer = health_of(rollbook)
        assert "ERROR worker: no worker has been seen since " in answer
        assert answer.endswith("503")
        assert rollbook.start_update(tmp_path / "base.csv", "mode=add").verdict.startswith(
            "OK update 1 accepted"
        )
        verdict = rollbook.curl("status").verdict
        assert verdict.startswith("RUNNING update 1: waiting")
        assert "no worker has been seen since " in verdict
    finally:
        alone.terminate()
        alone.wait(TIMEOUT_S)
    rollbook.start()
    assert rollbook.until_ended().startswith("COMPLETED update 1")
