"""F04, F25, F36, F37: uploads that end otherwise than they should, against a whole server."""

import os
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import PASSWORD
from tests.endtoend.conftest import Rollbook
from tests.faults.folder import HEADER, base, row
from tests.patience import TIMEOUT_S

pytestmark = pytest.mark.daily_on("sqlite")


def large_file(folder: Path, rows: int = 20000) -> Path:
    path = folder / "large.csv"
    path.write_text(HEADER + "".join(row(number) for number in range(rows)), encoding="utf-8")
    return path


def slow_upload(rollbook: Rollbook, file: Path, rate: str) -> "subprocess.Popen[str]":
    """A curl that takes its time; what it prints ends with the status."""
    form = [
        "-F",
        f"file=@{file}",
        "-F",
        f"login={rollbook.district.login}",
        "-F",
        f"password={PASSWORD}",
        "-F",
        "mode=add",
    ]
    command = [
        "curl",
        "-sS",
        "-i",
        "--limit-rate",
        rate,
        *form,
        f"{rollbook.url}/slc/studentupdate/start",
    ]
    return subprocess.Popen(
        command, env=rollbook.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def spooled(rollbook: Rollbook) -> list[str]:
    return sorted(path.name for path in (rollbook.data / "spool").iterdir())


def until_spooled(rollbook: Rollbook, suffix: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not any(name.endswith(suffix) for name in spooled(rollbook)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_web_process_killed_in_the_middle_of_an_upload_leaves_no_update_and_its_file_is_swept(
    serving_alone: Rollbook, tmp_path: Path
) -> None:
    serving = serving_alone
    with slow_upload(serving, large_file(tmp_path), "200k") as curl:
        until_spooled(serving, ".part")
        os.kill(serving.descendants("web")[-1], signal.SIGKILL)
        curl.wait(TIMEOUT_S)
    assert serving.curl("status", "--retry", "5", "--retry-connrefused").verdict.startswith("NONE")
    serving.stop()
    for path in (serving.data / "spool").iterdir():
        os.utime(path, (0, 0))  # it is kept for a day
    serving.start()
    assert spooled(serving) == []
    assert serving.start_update(large_file(tmp_path, 10), "mode=add").verdict.startswith(
        "OK update 1 accepted"
    )


def test_a_client_that_dies_in_the_middle_leaves_nothing(serving: Rollbook, tmp_path: Path) -> None:
    before = spooled(serving)
    with slow_upload(serving, large_file(tmp_path), "200k") as curl:
        until_spooled(serving, ".part")
        curl.kill()
    deadline = time.monotonic() + TIMEOUT_S
    while spooled(serving) != before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert serving.curl("status").verdict.startswith("NONE")


def test_a_client_that_gets_no_answer_sends_again_and_gets_the_same_update(
    serving: Rollbook, tmp_path: Path
) -> None:
    """The answer is lost: the connection is cut after the update exists, before it is read."""
    file = large_file(tmp_path, 30000)
    body, boundary = multipart(file, serving.district.login)
    host, _, port = serving.url.removeprefix("https://").partition(":")
    context = ssl.create_default_context(cafile=serving.environment["CURL_CA_BUNDLE"])
    with (
        socket.create_connection((host, int(port))) as plain,
        context.wrap_socket(plain, server_hostname=host) as sent,
    ):
        sent.sendall(
            f"POST /slc/studentupdate/start HTTP/1.1\r\nHost: {host}\r\n"
            f"Content-Length: {len(body)}\r\n"
            f"Content-Type: multipart/form-data; boundary={boundary}\r\n\r\n".encode()
        )
        sent.sendall(body)
        deadline = time.monotonic() + TIMEOUT_S
        while serving.curl("status").verdict.startswith("NONE"):
            assert time.monotonic() < deadline
    again = serving.curl("start", "-i", "-F", f"file=@{file}", "-F", "mode=add")
    assert again.status == 200
    assert "\nIdempotent-Replayed: true" in again.text.replace("\r", "")
    assert "update 1" in again.text
    assert len(serving.list_updates()) == 1


def multipart(file: Path, login: str) -> tuple[bytes, str]:
    """A form as curl makes it, and its boundary."""
    boundary = "a-boundary-that-does-not-occur"
    fields = {"login": login, "password": PASSWORD, "mode": "add"}
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'
        for n, v in fields.items()
    ]
    disposition = f'form-data; name="file"; filename="{file.name}"'
    head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n"
    return (
        "".join(parts) + head
    ).encode() + file.read_bytes() + f"\r\n--{boundary}--\r\n".encode(), boundary


def test_a_disk_that_fills_up_during_an_upload_is_told_as_such_and_the_service_goes_on(
    rollbook: Rollbook, tmp_path: Path
) -> None:
    """The spool is on its own disk of 8 MB, which only this server uses."""
    spool = rollbook.data / "spool"
    spool.mkdir(exist_ok=True)
    mount = f'mount -t tmpfs -o size=8m,mode=700 tmpfs "{spool}" && exec "$@"'
    rollbook.start(inside=["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh"])
    assert rollbook.process
    seen_by_the_server = Path(f"/proc/{rollbook.process.pid}/root{spool}")
    file = large_file(tmp_path, 40000)
    with slow_upload(rollbook, file, "1M") as curl:
        while not list(seen_by_the_server.glob("*.part")):
            time.sleep(0.05)
        filler = seen_by_the_server / "filler"
        filler.write_bytes(bytes(7 << 20))
        answer, _ = curl.communicate(timeout=TIMEOUT_S)
    assert "HTTP/1.1 503" in answer
    assert "Retry-After: " in answer
    assert answer.splitlines()[-1].startswith("ERROR disk_full")
    assert [path.name for path in seen_by_the_server.iterdir()] == ["filler"]
    filler.unlink()
    assert rollbook.curl("status").verdict.startswith("NONE")
    small = tmp_path / "small.csv"
    small.write_text(base(), encoding="utf-8")
    assert rollbook.start_update(small, "mode=add").verdict.startswith("OK update 1 accepted")
    assert rollbook.until_ended().startswith("COMPLETED update 1")
