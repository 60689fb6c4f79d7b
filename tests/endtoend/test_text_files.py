"""File names, passwords, tokens and forms as Windows programs save them, sent with curl."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import PASSWORD
from tests.endtoend.conftest import Answer, Rollbook

STUDENTS = b"STUDENT_ID,FIRST_NAME\n00101,Ana\n"
BOM = b"\xef\xbb\xbf"

pytestmark = pytest.mark.daily_on("sqlite")


def sign_in(rollbook: Rollbook) -> tuple[str, ...]:
    """Return curl's arguments for the login and password of the district manager."""
    login = f"login={rollbook.district.login}"
    return "--form-string", login, "--form-string", f"password={PASSWORD}"


def start(rollbook: Rollbook, folder: Path, *arguments: str) -> Answer:
    """Send a request to start with exactly these arguments, in this folder."""
    address = f"{rollbook.url}/slc/studentupdate/start"
    done = subprocess.run(
        list(map(os.fsencode, ("curl", "-sS", "-w", "\n%{http_code}", *arguments, address))),
        env=rollbook.environment,
        cwd=folder,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    text, _, status = done.stdout.decode().rpartition("\n")
    return Answer(int(status), text)


def test_a_file_name_in_latin_1_is_accepted(serving: Rollbook, tmp_path: Path) -> None:
    name = os.fsdecode(b"\xe9l\xe8ves.csv")
    (tmp_path / name).write_bytes(STUDENTS)
    answer = start(serving, tmp_path, "-F", f"file=@{name}", *sign_in(serving))
    assert "1 student in élèves.csv" in answer.verdict


def test_a_form_with_bare_line_feeds_is_accepted(serving: Rollbook, tmp_path: Path) -> None:
    parts = {'file"; filename="students.csv': STUDENTS.decode(), "login": serving.district.login}
    parts["password"] = PASSWORD
    lines = [
        f'--B\nContent-Disposition: form-data; name="{name}"\n\n{text}\n'
        for name, text in parts.items()
    ]
    (tmp_path / "form").write_text("".join(lines) + "--B--\n", encoding="utf-8")
    form_type = "Content-Type: multipart/form-data; boundary=B"
    answer = start(serving, tmp_path, "-H", form_type, "--data-binary", "@form")
    assert "1 student in students.csv" in answer.verdict


@pytest.mark.parametrize("before", [b"", BOM])
@pytest.mark.parametrize("after", [b"", b"\n", b"\r\n"])
def test_a_password_file_may_begin_with_a_byte_order_mark(
    serving: Rollbook, tmp_path: Path, before: bytes, after: bytes
) -> None:
    (tmp_path / "password.txt").write_bytes(before + PASSWORD.encode() + after)
    (tmp_path / "students.csv").write_bytes(STUDENTS)
    arguments = (
        "-F",
        "file=@students.csv",
        "-F",
        f"login={serving.district.login}",
        "-F",
        "password=<password.txt",
    )
    assert start(serving, tmp_path, *arguments).status == 200


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (b"", b"\r\n", "ERROR token_failed"),
        (BOM, b"\r\n", "ERROR bad_request: a header of the request starts with a byte order mark"),
    ],
)
def test_a_token_file_is_read_or_the_cause_is_answered(
    serving: Rollbook, tmp_path: Path, before: bytes, after: bytes, expected: str
) -> None:
    (tmp_path / "token.txt").write_bytes(before + b"Authorization: Bearer rb_long_ago" + after)
    (tmp_path / "students.csv").write_bytes(STUDENTS)
    answer = start(serving, tmp_path, "-H", "@token.txt", "-F", "file=@students.csv")
    assert re.match(expected, answer.verdict)
