"""No value of a student's row and no password appears in answers, logs and tables (S43)."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from rollbook.accounts.models import AuditEvent, Member, SignInFailure
from rollbook.log_format import LineFormatter
from rollbook.studentfile.columns import COLUMNS
from rollbook.web.api import request_steps
from tests.conftest import PASSWORD
from tests.updates.night import stored_text
from tests.web.api.test_status import work
from tests.web.curl import STUDENTS, Curl, File, basic, form, text

CANARY = "zQcanary"
NAMES = [column.name for column in COLUMNS]
ROW = ",".join(f"{CANARY}{number}" for number in range(len(NAMES)))
CANARIES = File(f"{','.join(NAMES)}\r\n{ROW}\r\n".encode())
SECRETS = (CANARY, "wrong-zQsecret", PASSWORD)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that Rollbook and Django log during the test, as written to stderr."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter())
    loggers = [logging.getLogger(), logging.getLogger("django")]
    for logger in loggers:
        logger.addHandler(handler)
    yield stream
    for logger in loggers:
        logger.removeHandler(handler)


def _leaks(content: str) -> list[str]:
    return [secret for secret in SECRETS if secret.casefold() in content.casefold()]


def _stored_data_about_clients() -> str:
    rows = [*AuditEvent.objects.values(), *SignInFailure.objects.values(), *Member.objects.values()]
    return json.dumps(rows, default=str)


def _answers(curl: Curl) -> list[Any]:
    """Return every kind of answer, with canaries wherever a client can put them."""
    stranger = Curl("ops@maple.example", "wrong-zQsecret")
    rows_as_login = Curl(CANARIES.data.decode(), "wrong-zQsecret")
    answers = [
        curl.start(CANARIES),
        curl.status(),
        curl.start(CANARIES, accept="application/json"),
        stranger.start(CANARIES),
        stranger.start(CANARIES, authorization=basic(CANARY, "wrong-zQsecret")),
        rows_as_login.start(CANARIES),
        curl.start(CANARIES, ("password", "wrong-zQsecret")),
        curl.post("start", [*curl.sign_in, ("file", CANARIES.data)]),
        curl.raw("start", form([("file", CANARIES), *curl.sign_in])[:-200], length=10_000),
        curl.raw(
            "start",
            form([("file", CANARIES), *curl.sign_in]),
            content_type="multipart/form-data; boundary=x",
        ),
        curl.raw("start", CANARIES.data, content_type="text/csv"),
        curl.start(File(CANARIES.data.replace(b"\r\n", b'\r\n"', 1))),
        curl.start(File(CANARIES.data + b"\xff\xfe")),
        Client().post(
            f"/slc/studentupdate/start?password=wrong-zQsecret&file={CANARY}", secure=True
        ),
        curl.status(authorization=f"Bearer {CANARY}"),
    ]
    work()
    page = Client().get(
        "/updates/1", secure=True, HTTP_AUTHORIZATION=basic("ops@maple.example", PASSWORD)
    )
    return [*answers, page, curl.status(), curl.cancel()]


@pytest.mark.statement("S43")
def test_answers_logs_and_tables_contain_no_canary(curl: Curl, log: io.StringIO) -> None:
    for answer in _answers(curl):
        assert _leaks(text(answer) + str(answer.headers)) == [], text(answer)
    assert log.getvalue().count("rollbook.web.middleware: ") > 15
    assert _leaks(log.getvalue()) == []
    assert _leaks(_stored_data_about_clients()) == []


@pytest.mark.statement("S44")
def test_an_internal_error_does_not_expose_its_text(
    curl: Curl, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError(f"could not store {CANARY}")

    monkeypatch.setattr(request_steps, "receive", broken)
    answer = curl.start(CANARIES)
    assert answer.status_code == 500
    assert _leaks(text(answer) + str(answer.headers)) == []
    assert "RuntimeError at " in log.getvalue()
    assert _leaks(log.getvalue()) == []


@pytest.mark.statement("S36", "S43")
def test_refused_files_leave_nothing_on_the_disk(curl: Curl) -> None:
    curl.sign_in[1] = ("password", "wrong-zQsecret")
    curl.start(File(STUDENTS + CANARIES.data))
    assert _files_with(CANARY) == []


def test_this_test_can_fail(curl: Curl) -> None:
    """What is stored is encrypted, so a plain file is added."""
    curl.start(CANARIES)
    assert _files_with(CANARY) == []
    [stored] = settings.SPOOL.iterdir()
    plain = stored.with_name("plain")
    plain.write_bytes(stored_text(stored.name))
    assert _files_with(CANARY) == [plain]
    assert _leaks(f"x{CANARY}x") == [CANARY]


def _files_with(canary: str) -> list[Path]:
    folders = (settings.SPOOL, settings.DATA / "mail", settings.DATA / "keys")
    paths = [path for folder in folders for path in folder.rglob("*")]
    files = filter(Path.is_file, paths)
    return [path for path in files if canary.encode() in path.read_bytes()]
