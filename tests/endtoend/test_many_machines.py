"""F15, F17, F18: the whole server on PostgreSQL; web servers and workers without ``serve``."""

import secrets
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests import depth
from tests.endtoend.conftest import LOGIN, Answer, Rollbook
from tests.faults.folder import HEADER, base, row
from tests.patience import TIMEOUT_S
from tests.postgres.server import Server, running_server
from tests.prepared import Task, prepared
from tests.server.conftest import free_port

pytestmark = pytest.mark.only_on("postgresql")

MANY = depth.choose(daily=10_000, nightly=20_000)  # students
SCARCE = 10  # sessions that a server has for everybody, of which it keeps three for its superuser


@pytest.fixture(scope="module")
def ample() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def server(ample: Server, request: pytest.FixtureRequest) -> Iterator[Server]:
    """The PostgreSQL of a test; one that names how many sessions there are gets its own."""
    if not hasattr(request, "param"):
        yield ample
    else:
        with running_server(settings={"max_connections": request.param}) as scarce:
            yield scarce


@pytest.fixture(scope="module")
def made(ample: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a district in the database ``made``; to be copied, not to be used."""
    return _made(tmp_path_factory.mktemp("made") / "data", ample.create_database("made")).data


def _made(data: Path, url: str) -> Rollbook:
    rollbook = Rollbook(data, extra={"DATABASE_URL": url})
    rollbook.add_district("Maple USD", "maple-usd", LOGIN, "100,Maple High\n200,Maple Middle\n")
    return rollbook


@pytest.fixture
def rollbook(ample: Server, made: Path, server: Server, tmp_path: Path) -> Iterator[Rollbook]:
    """A district on a server that does not run yet."""
    name = f"rollbook_{secrets.token_hex(6)}"
    if server is ample:
        data = Path(shutil.copytree(made, tmp_path / "data"))
        rollbook = Rollbook(data, extra={"DATABASE_URL": server.create_database(name, like="made")})
    else:
        rollbook = _made(tmp_path / "data", server.create_database(name))
    yield rollbook
    rollbook.kill()


@pytest.fixture
def serving(rollbook: Rollbook) -> Rollbook:
    rollbook.start()
    return rollbook


def a_file(folder: Path, students: int, grade: str = "5") -> Path:
    path = folder / f"{students}-{grade}.csv"
    path.write_text(
        HEADER + "".join(row(number, grade=grade) for number in range(students)), encoding="utf-8"
    )
    return path


def ask(rollbook: Rollbook, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(rollbook.extra["DATABASE_URL"], autocommit=True) as connection:
        return connection.execute(statement.encode()).fetchall()


def log(rollbook: Rollbook) -> str:
    return (rollbook.data.parent / "serve.log").read_text()


def test_a_night_goes_from_start_to_completed_and_the_result_is_mailed(
    serving: Rollbook, tmp_path: Path
) -> None:
    (tmp_path / "base.csv").write_text(base(), encoding="utf-8")
    assert serving.start_update(tmp_path / "base.csv", "mode=add").verdict.startswith(
        "OK update 1 accepted: 60 students"
    )
    assert serving.until_ended().startswith("COMPLETED update 1: 60 students: 0 updated, 60 added")
    serving.until_mailed(1)
    assert serving.subjects()[0].startswith("60 students added ")
    assert ask(serving, "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'updates'") == [
        (0,)
    ]


def test_beside_a_server_a_load_is_done_by_its_worker_and_without_one_by_itself(
    rollbook: Rollbook, tmp_path: Path
) -> None:
    (tmp_path / "base.csv").write_text(base(), encoding="utf-8")
    rollbook.run("student", "load", "maple-usd", str(tmp_path / "base.csv"))
    rollbook.start()
    rollbook.run("student", "load", "maple-usd", str(a_file(tmp_path, 100, "6")))
    states = [rollbook.show_update(number)["state"] for number in (1, 2)]
    assert states == ["completed", "completed"]


def alone(rollbook: Rollbook, *arguments: str) -> Task:
    return prepared().start(
        "rollbook", *arguments, environment=rollbook.environment, stderr=rollbook.log
    )


def test_web_servers_and_workers_run_alone_and_together(rollbook: Rollbook, tmp_path: Path) -> None:
    ports = [free_port(), free_port()]
    with ExitStack() as stack:
        for port in ports:
            stack.callback(alone(rollbook, "web", "--port", str(port), "--behind-proxy").kill)
        workers = [alone(rollbook, "worker"), alone(rollbook, "worker", "--concurrency", "2")]
        for worker in workers:
            stack.callback(worker.kill)
        rollbook.url = f"http://localhost:{ports[0]}"
        until_answered(rollbook)
        https_headers = ("-H", "X-Forwarded-Proto: https")
        started = rollbook.curl(
            "start", *https_headers, "-F", f"file=@{a_file(tmp_path, 5000)}", "-F", "mode=add"
        )
        assert started.verdict.startswith("OK update 1 accepted")
        rollbook.url = f"http://localhost:{ports[1]}"
        until_answered(rollbook)
        while (verdict := rollbook.curl("status", *https_headers).verdict).startswith("RUNNING"):
            time.sleep(0.2)
        assert verdict.startswith("COMPLETED update 1: 5,000 students: 0 updated, 5,000 added")
        for worker in workers:
            worker.terminate()
            assert worker.wait(TIMEOUT_S) == 0
        waiting = rollbook.curl(
            "start", *https_headers, "-F", f"file=@{a_file(tmp_path, 5000, '6')}"
        ).verdict
        assert waiting.startswith(
            "OK update 2 accepted: 5,000 students in 5000-6.csv, waiting; "
            "no worker has been seen since "
        )
    assert "Traceback" not in log(rollbook)


def until_answered(rollbook: Rollbook, seconds: float = TIMEOUT_S) -> None:
    deadline = time.monotonic() + seconds
    while subprocess.run(
        ["curl", "-s", f"{rollbook.url}/healthz"], capture_output=True, check=False
    ).returncode:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_web_server_and_a_worker_alone_bring_up_a_new_database(
    server: Server, tmp_path: Path
) -> None:
    rollbook = Rollbook(
        tmp_path / "data", extra={"DATABASE_URL": server.create_database("brought_up")}
    )
    workers = [alone(rollbook, "worker") for _ in range(3)]
    try:
        deadline = time.monotonic() + TIMEOUT_S
        while log(rollbook).count("worker ready") < 3:
            assert time.monotonic() < deadline, log(rollbook)
            time.sleep(0.1)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert ask(rollbook, "SELECT count(*) FROM districts_district") == [(0,)]


@pytest.mark.parametrize("server", [SCARCE], indirect=True)
def test_f18_when_sessions_are_scarce_status_waits_or_says_when_to_come_again_and_the_work_goes_on(
    serving: Rollbook, tmp_path: Path
) -> None:
    serving.start_update(a_file(tmp_path, MANY), "mode=add")
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: serving.curl("status"), range(120)))
    assert {answer.status for answer in answers} <= {200, 503}
    assert Counter(answer.status for answer in answers)[200] > 40
    assert all(
        answer.verdict.startswith("ERROR database_busy: ")
        for answer in answers
        if answer.status == 503
    )
    assert serving.until_ended().startswith(
        f"COMPLETED update 1: {MANY:,} students: 0 updated, {MANY:,} added"
    )
    assert "Traceback" not in log(serving)


def refused(answer: Answer) -> bool:
    return (answer.status, answer.verdict.split(":")[0]) == (503, "ERROR database_busy")


def test_f15_while_the_database_is_away_calls_are_told_to_come_again_and_then_it_goes_on(
    serving: Rollbook, server: Server, tmp_path: Path
) -> None:
    serving.start_update(a_file(tmp_path, MANY), "mode=add")
    while "changed students" not in serving.curl("status").verdict:
        time.sleep(0.05)
    server.stop("immediate")
    answer = serving.curl(
        "start", "-D", str(tmp_path / "head"), "-F", f"file=@{a_file(tmp_path, 10)}"
    )
    assert refused(answer)
    assert "\nRetry-After: 5" in (tmp_path / "head").read_text()
    lines = health(serving).splitlines()
    assert lines[0] == "ERROR database: the database is not responding; see the server log"
    assert lines[-1] == "503"
    server.start()
    again = serving.curl("start", "--retry", "5", "-F", f"file=@{a_file(tmp_path, 10)}")
    assert (
        "OK update 2 accepted: 10 students" in again.text
    )  # below the answer to the first attempt
    assert serving.until_ended().startswith(
        "COMPLETED update 2: 10 students: 0 updated, 10 unchanged"
    )
    assert serving.show_update(1)["added"] == MANY
    assert len(serving.until_mailed(2)) == 2
    assert "Traceback" not in log(serving)


def health(rollbook: Rollbook) -> str:
    command = ["curl", "-s", "-w", "%{http_code}", f"{rollbook.url}/healthz"]
    return subprocess.run(
        command, env=rollbook.environment, capture_output=True, text=True, check=True
    ).stdout


def test_f17_a_database_that_is_frozen_is_as_good_as_away(
    serving: Rollbook, server: Server, tmp_path: Path
) -> None:
    serving.start_update(a_file(tmp_path, MANY), "mode=add")
    while "changed students" not in serving.curl("status").verdict:
        time.sleep(0.05)
    server.freeze()
    try:
        assert refused(serving.curl("start", "-F", f"file=@{a_file(tmp_path, 10)}"))
        assert refused(serving.curl("status"))
    finally:
        server.thaw()
    assert (
        serving.curl("start", "--retry", "5", "-F", f"file=@{a_file(tmp_path, 10)}").status == 200
    )
    assert serving.until_ended().startswith(
        "COMPLETED update 2: 10 students: 0 updated, 10 unchanged"
    )
    assert serving.show_update(1)["added"] == MANY
    assert "Traceback" not in log(serving)
