"""The logs of a real server contain no personal data and no traceback, whatever happens.

A demo with canaries wherever a person's data can be: rows, logins, passwords, tokens, file names,
addresses and headers, and in the texts of exceptions.
"""

import json
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from tests.conftest import PASSWORD
from tests.endtoend.conftest import Rollbook
from tests.installations import execute
from tests.patience import TIMEOUT_S

CANARY = "zQcanary"
BIRTH_DATE = "2013-02-17"
BIRTH_DATES = (BIRTH_DATE, "2/17/2013", "17.02.2013")
SECRETS = (CANARY, PASSWORD, "Ana", "Ruiz", "@maple.example", *BIRTH_DATES)
LINE = re.compile(
    r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ (DEBUG|INFO|WARNING|ERROR|CRITICAL) ([\w.]+): (.+)"
)
SQLITE_CODES = ("SQLITE_CONSTRAINT_TRIGGER", "SQLITE_ERROR")  # a trigger; no such table
HEADER = (
    "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,ELL,SPECIAL_ED,USERNAME,EMAIL,"
    "PASSWORD"
)


def row(number: int, birth_date: str = BIRTH_DATE, grade: str = "4") -> str:
    name = f"{CANARY}{number}"
    return (
        f"{name},{name}first,{name}last,{birth_date},f,{grade},100,n,n,"
        f"{name}user,{name}@maple.example,{name}secret"
    )


def a_file(folder: Path, name: str, *rows: str) -> Path:
    path = folder / name
    path.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return path


def send_files(rollbook: Rollbook, folder: Path) -> None:
    """Load students, send rows with errors, and files that can't be used."""
    good = a_file(folder, f"{CANARY}.csv", *map(row, range(20)))
    assert rollbook.start_update(good, "mode=add").status == 200
    assert rollbook.until_ended().startswith("COMPLETED update 1")
    bad = [row(number, birth_date, "Z9") for number, birth_date in enumerate(BIRTH_DATES)]
    rollbook.start_update(a_file(folder, f"{CANARY} bad.csv", *bad))
    assert rollbook.until_ended().startswith("COMPLETED WITH ERRORS update 2")
    rollbook.start_update(a_file(folder, f"{CANARY} worse.csv", f'"{CANARY}', row(0)))
    (folder / f"{CANARY}.xlsx").write_bytes(b"PK\x03\x04" + CANARY.encode() * 100)
    rollbook.start_update(folder / f"{CANARY}.xlsx")
    rollbook.start_update(folder / f"{CANARY}.xlsx", f"mode={CANARY}")


def request_wrongly(rollbook: Rollbook) -> None:
    """Fail to sign in, and put canaries into everything that a client sends."""
    rollbook.curl("status", login=f"{CANARY}@maple.example")
    rollbook.curl("status", password=f"{CANARY}-password")
    for address in (
        f"/slc/studentupdate/status?password={CANARY}",
        f"/slc/studentupdate/status&password={CANARY}",
        f"/password/{CANARY}",
        f"/static/{CANARY}.css",
        f"/students/{CANARY}",
        f"/{CANARY}?{CANARY}",
        "/static/rollbook/style.css",
    ):
        curl(rollbook, address)
    for sign_in in (f"Authorization: Bearer {CANARY}", f"Authorization: Basic {CANARY}"):
        curl(rollbook, "/slc/studentupdate/status", "-X", "POST", "-H", sign_in)
    headers = (f"X-Request-Id: {CANARY}", f"Cookie: __Host-session={CANARY}", f"Host: {CANARY}")
    for header in (*headers, f"User-Agent: {CANARY}", f"X-{CANARY}: {CANARY * 2000}"):
        curl(rollbook, "/sign-in", "-H", header)


def curl(rollbook: Rollbook, address: str, *arguments: str) -> None:
    command = ["curl", "-sS", "-o", "/dev/null", *arguments, f"{rollbook.url}{address}"]
    subprocess.run(command, env=rollbook.environment, check=True, timeout=TIMEOUT_S)


def disconnect(rollbook: Rollbook) -> None:
    """Close connections in the middle of an upload, of a header, and before the answer."""
    boundary = "b"
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{CANARY}"'
    head = (
        "POST /slc/studentupdate/start HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\nContent-Length: 500000\r\n\r\n"
    )
    upload = f"{head}{part}\r\n\r\n{CANARY * 20_000}"
    for sent in (upload, head[:50], f"GET /{CANARY} nonsense\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"):
        with connected(rollbook) as client:
            client.sendall(sent.encode())


def connected(rollbook: Rollbook) -> ssl.SSLSocket:
    trust = ssl.create_default_context(cafile=str(rollbook.data / "certificate.pem"))
    port = int(rollbook.url.rpartition(":")[2])
    return trust.wrap_socket(
        socket.create_connection(("127.0.0.1", port), TIMEOUT_S), server_hostname="localhost"
    )


def break_the_database(rollbook: Rollbook, folder: Path) -> None:
    """Let the worker and the web server fail with errors whose texts are canaries."""
    with failing(rollbook, "UPDATE ON updates_updatejob", "WHEN (NEW.state = 'applying')"):
        rollbook.start_update(a_file(folder, "changed.csv", row(1, grade="5")))
        assert rollbook.until_ended().startswith("FAILED")
    with failing(rollbook, "INSERT ON accounts_auditevent"):
        assert rollbook.curl("status", password="wrong").status == 500
    execute(rollbook.data, f"ALTER TABLE accounts_role RENAME TO {CANARY}")
    assert rollbook.curl("status").status == (500 if settings.ON_POSTGRESQL else 503)


@contextmanager
def failing(rollbook: Rollbook, event: str, condition: str = "") -> Iterator[None]:
    """Let each such statement fail with a text that is a canary."""
    function = "CREATE OR REPLACE FUNCTION canary() RETURNS trigger LANGUAGE plpgsql AS "
    action = f"BEGIN SELECT RAISE(FAIL, '{CANARY}'); END"
    drop = "DROP TRIGGER canary"
    if settings.ON_POSTGRESQL:
        execute(
            rollbook.data,
            f"{function} $$BEGIN RAISE check_violation USING MESSAGE = '{CANARY}'; END$$",
        )
        action = "EXECUTE FUNCTION canary()"
        drop += f" ON {event.rpartition(' ')[2]}"
    execute(
        rollbook.data, f"CREATE TRIGGER canary BEFORE {event} FOR EACH ROW {condition} {action}"
    )
    yield
    execute(rollbook.data, drop)


def until_logged(rollbook: Rollbook, text: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while text not in rollbook.read_log():
        assert time.monotonic() < deadline, rollbook.read_log()
        time.sleep(0.1)


@pytest.fixture(params=[pytest.param("text", marks=pytest.mark.only_on("sqlite")), "json"])
def lines(rollbook: Rollbook, tmp_path: Path, request: pytest.FixtureRequest) -> list[str]:
    """The log of the demo in one of the formats."""
    rollbook.extra |= {
        "ROLLBOOK_LOG_FORMAT": request.param,
        "ROLLBOOK_LOG_LEVEL": "debug",
        "ROLLBOOK_LOG_CLIENT_ADDRESS": "1",
        "ROLLBOOK_SMTP_HOST": "127.0.0.1",
        "ROLLBOOK_SMTP_PORT": "1",  # where no mail server is
    }
    rollbook.start()
    send_files(rollbook, tmp_path)
    request_wrongly(rollbook)
    disconnect(rollbook)
    until_logged(rollbook, "could not be sent")
    break_the_database(rollbook, tmp_path)
    rollbook.stop()
    return rollbook.read_log().splitlines()


@pytest.mark.statement("S43")
def test_a_whole_demo_logs_no_personal_data(lines: list[str]) -> None:
    records = [read(line) for line in lines]
    log = "\n".join(lines)
    assert [secret for secret in SECRETS if secret.casefold() in log.casefold()] == []
    assert "Traceback" not in log
    messages = [record["message"] for record in records]
    for number, state in ((1, "received"), (1, "checking"), (1, "applying"), (1, "completed")):
        assert any(
            message.startswith(f"update {number} of maple-usd is {state}: 20 rows")
            for message in messages
        )
    assert any(
        message.startswith("update 2 of maple-usd is completed: 3 rows, 0 updated, ")
        and " 0 rejected" not in message
        for message in messages
    )
    for code in ("23514", "42P01") if settings.ON_POSTGRESQL else SQLITE_CODES:
        assert code in log
    assert any(message.startswith("GET /static/rollbook/style.css 200 ") for message in messages)
    assert any(message.startswith("GET unknown address 404 ") for message in messages)
    of_requests = [record for record in records if record["logger"] == "rollbook.web.middleware"]
    assert len(of_requests) > 20
    for record in of_requests:
        assert re.fullmatch("[0-9a-f]{16}", record["request_id"])
        assert record["client"] in {"127.0.0.1", "::1"}
    internal = [record for record in records if "internal error" in record["message"]]
    assert internal
    assert all(record["request_id"] in record["message"] for record in internal)


def read(line: str) -> dict[str, str]:
    """Return the parts of a line of either format."""
    if line.startswith("{"):
        record: dict[str, str] = json.loads(line)
        assert {"timestamp", "level", "logger", "message"} <= record.keys()
        return record
    match = LINE.fullmatch(line)
    assert match, line
    context = re.findall(r", (request|client) (\S+?)(?=,| \[|$)", match[3])
    names = {"request": "request_id", "client": "client"}
    return {"logger": match[2], "message": match[3]} | {
        names[name]: value for name, value in context
    }
