"""What an operator sets in the environment, as the whole server heeds it."""

import subprocess
import time
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from tests.conftest import PASSWORD
from tests.endtoend.conftest import LOGIN, Rollbook
from tests.faults.folder import HEADER, base, row
from tests.patience import TIMEOUT_S
from tests.post_office import PostOffice, a_free_port

pytestmark = pytest.mark.daily_on("sqlite")


def test_results_go_to_the_mail_server_that_is_named(rollbook: Rollbook, tmp_path: Path) -> None:
    office = PostOffice(a_free_port())
    rollbook.extra = {
        "ROLLBOOK_SMTP_HOST": "127.0.0.1",
        "ROLLBOOK_SMTP_PORT": str(office.port),
        "ROLLBOOK_SMTP_SECURITY": "none",
        "ROLLBOOK_MAIL_FROM": "Rollbook <rollbook@host.example>",
    }
    (tmp_path / "students.csv").write_text(base(), encoding="utf-8")
    controller = Controller(office, hostname="127.0.0.1", port=office.port)
    controller.start()
    try:
        rollbook.start()
        rollbook.start_update(tmp_path / "students.csv", "mode=add")
        deadline = time.monotonic() + TIMEOUT_S
        while not office.received:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        controller.stop()
    assert office.recipients == [LOGIN]
    [letter] = office.received
    assert letter["From"] == "Rollbook <rollbook@host.example>"
    assert letter["Subject"] == "60 students added · Maple USD update 1"
    assert rollbook.mails() == []


def test_a_file_over_the_operators_limits_is_refused_with_the_limit(
    rollbook: Rollbook, tmp_path: Path
) -> None:
    rollbook.extra = {"ROLLBOOK_MAX_UPLOAD_BYTES": "100000", "ROLLBOOK_MAX_ROWS": "100"}
    rollbook.start()
    (tmp_path / "large.csv").write_text(
        HEADER + "".join(row(n) for n in range(80000)), encoding="utf-8"
    )
    answer = rollbook.start_update(tmp_path / "large.csv")
    assert answer.status == 413
    assert answer.verdict.startswith("ERROR too_large: the request is larger than ")
    (tmp_path / "long.csv").write_text(
        HEADER + "".join(row(n) for n in range(101)), encoding="utf-8"
    )
    answer = rollbook.start_update(tmp_path / "long.csv")
    assert answer.status == 422
    assert answer.verdict.startswith("REFUSED update 1: too_many_rows: ")
    assert "100" in answer.verdict


@pytest.mark.statement("S35")
def test_behind_a_proxy_it_answers_what_came_over_https_and_refuses_the_rest(
    rollbook: Rollbook,
) -> None:
    rollbook.extra = {"ROLLBOOK_BEHIND_PROXY": "1", "ROLLBOOK_URL": "https://rollbook.example"}
    rollbook.start()
    call = [
        "curl",
        "-sS",
        "-F",
        f"login={LOGIN}",
        "-F",
        f"password={PASSWORD}",
        f"{rollbook.url}/slc/studentupdate/status",
    ]
    over_https = subprocess.run(
        [*call, "-H", "X-Forwarded-Proto: https"], capture_output=True, text=True, check=True
    )
    assert over_https.stdout == "NONE Maple USD has not started an update yet\n"
    plain = subprocess.run(
        [*call, "-H", "X-Forwarded-Proto: http"], capture_output=True, text=True, check=True
    )
    assert plain.stdout.startswith("ERROR use_https: ")
