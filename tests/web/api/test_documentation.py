"""``docs/upload-commands.md`` matches the code: error codes, fields, verdicts and the script."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollbook.accounts.auth import known_addresses, throttle
from rollbook.updates.reporting import status_line
from rollbook.web.api import responses
from rollbook.web.http.command_reference import COMMANDS, FIELDS
from rollbook.web.http.error_codes import ERROR_CODES
from rollbook.web.pages.automation import scripts

PAGE = Path(__file__).parents[3] / "docs" / "upload-commands.md"
TEXT = PAGE.read_text(encoding="utf-8")


def _rows(pattern: str) -> list[tuple[str, ...]]:
    return [match.groups() for match in re.finditer(pattern, TEXT, re.MULTILINE)]


def test_every_error_is_documented_in_order_with_its_status() -> None:
    documented = [(code, int(status)) for status, code in _rows(r"^\| (\d{3}) \| `(\w+)` \|")]
    assert documented == [(code, error.status) for code, error in ERROR_CODES.items()]


def test_every_status_is_in_the_table_of_statuses() -> None:
    retryable = {429, 503}
    for error in ERROR_CODES.values():
        row = next(
            line
            for line in TEXT.splitlines()
            if re.match(rf"\| [\d ]*\b{error.status}\b[\d ]* \|", line)
        )
        assert row.endswith("| no |") == (error.status not in retryable | {500})
        assert (error.retry_after is not None) == (error.status in retryable)


def test_every_field_is_documented_with_its_commands() -> None:
    documented = {
        name: (set(commands.split(", ")), description)
        for name, commands, description in _rows(r"^\| `([a-z_]+)` \| ([a-z, ]+) \| ([^|]+) \|$")
    }
    assert documented == {
        name: (set(field.commands), field.description) for name, field in FIELDS.items()
    }


def test_every_verdict_is_documented_with_its_meaning() -> None:
    rows = _rows(r"^\| `([A-Z ]+)` \| ([a-z, ]+) \| ([^|]+) \|")
    assert {word: tuple(meaning) for word, *meaning in rows} == status_line.VERDICT_MEANINGS
    sources = "".join(
        Path(module.__file__ or "").read_text() for module in (responses, status_line)
    )
    used = set(re.findall(r'"((?:[A-Z]{2,} ?)+)"', sources)) | {"RUNNING", "ERROR"}
    assert set(status_line.VERDICT_MEANINGS) == used


def test_the_addresses_are_those_of_the_commands() -> None:
    assert _rows(r"^\| (\w+) \| `https://HOST(/[\w/]+)` \|") == [
        (command.name, f"/slc/studentupdate/{command.name}") for command in COMMANDS
    ]


def test_the_limits_of_failed_sign_ins_are_documented() -> None:
    limits = (
        f"{throttle.MAX_FAILURES_PER_LOGIN_AND_ADDRESS} an hour for a login",
        f"{throttle.MAX_FAILURES_PER_ADDRESS} an hour for an address",
    )
    for limit in (
        *limits,
        f"{throttle.MAX_FAILURES_PER_LOGIN} an hour for a\nlogin",
        f"last {known_addresses.LIFETIME.days} days",
    ):
        assert limit in TEXT


@pytest.mark.statement("S11")
def test_the_first_commands_have_no_secret_in_their_arguments() -> None:  # S11
    calls = [line for line in TEXT.splitlines() if line.startswith("    curl")]
    shows = ["password=PASSWORD" in line for line in calls]
    assert shows.index(True) >= 3
    assert "password=PASSWORD" not in TEXT.partition("## Fields")[2]
    assert all("<password.txt" in command.example for command in COMMANDS)


def _script() -> str:
    body = re.search(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    assert body
    return body[1]


def test_the_script_is_the_one_on_the_automation_page() -> None:
    values = scripts.Values(
        "https://HOST/slc/studentupdate", "ops@maple.example", "Maple USD", "America/Chicago"
    )
    assert _script() == scripts.script("nightly.sh", values)


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Path]:
    """The page's script in its own folder, with a fake curl that prints lines of a file."""
    (tmp_path / "nightly.sh").write_text(_script())
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "curl"
    fake.write_text('#!/bin/sh\necho "$*" >> calls\nsed -n "$(wc -l < calls)p" answers\n')
    fake.chmod(0o700)
    yield tmp_path / "nightly.sh"
    shutil.rmtree(tmp_path)


def run_script(
    script: Path, answers: list[str], **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the script with a server that gives these answers."""
    (script.parent / "answers").write_text("\n".join(answers) + "\n")
    path = f"{script.parent / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", script],
        env={"PATH": path, "ROLLBOOK_PAUSE": "0", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("answers", "code", "calls"),
    [
        (["OK update 17 accepted: …", "RUNNING update 17: …", "COMPLETED update 17: …"], 0, 3),
        (["OK update 17 accepted: …", "COMPLETED WITH ERRORS update 17: …"], 0, 2),
        (["OK update 17 accepted: …", "FAILED update 17: …"], 1, 2),
        (["REFUSED update 17: not_utf8: …"], 1, 1),
        (["REFUSED update 17: no_header: it begins with C:\\new\\cut"], 1, 1),
        (["ERROR sign_in_failed: …"], 1, 1),
    ],
)
def test_the_script_waits_for_the_end_and_fails_loudly(
    script: Path, answers: list[str], code: int, calls: int
) -> None:
    ran = run_script(script, answers)
    requests = (script.parent / "calls").read_text().splitlines()
    assert (ran.returncode, len(requests)) == (code, calls), ran.stderr
    assert answers[-1] in ran.stdout
    assert all("update=17" in call for call in requests[1:])


@pytest.mark.parametrize(
    ("wish", "verdict", "code"),
    [
        ("yes", "COMPLETED WITH ERRORS", 2),
        ("no", "COMPLETED WITH ERRORS", 0),
        ("", "COMPLETED WITH ERRORS", 0),
        ("yes", "COMPLETED", 0),
        ("yes", "FAILED", 1),
    ],
)
def test_the_script_fails_for_rejected_rows_on_request(
    script: Path, wish: str, verdict: str, code: int
) -> None:
    answers = ["OK update 17 accepted: …", f"{verdict} update 17: …"]
    ran = run_script(script, answers, ROLLBOOK_FAIL_ON_REJECTED=wish)
    assert (ran.returncode, ran.stdout.splitlines()) == (code, answers)


def test_the_script_does_not_wait_forever(script: Path) -> None:
    answers = [
        "OK update 17 accepted: …",
        "RUNNING update 17: waiting; no worker has been seen since 02:05:11 CST",
    ]
    ran = run_script(script, answers, ROLLBOOK_PATIENCE="0")
    assert (ran.returncode, ran.stdout.splitlines()) == (1, answers)
