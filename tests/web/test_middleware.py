"""Each request has an id and one log line; errors don't expose details."""

import logging
import re

import pytest
from django.test import Client
from pytest_django import Settings

from rollbook.log_format import LineFormatter
from rollbook.security_headers import HSTS, SECURITY_HEADERS
from rollbook.web.api import views
from tests.web.curl import Curl, text


def test_one_line_is_logged_for_each_request(curl: Curl, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="rollbook.web.middleware")
    response = curl.client.post(
        "/slc/studentupdate/status?password=hush", secure=True, REMOTE_ADDR="203.0.113.7"
    )
    lines = [
        record.getMessage() for record in caplog.records if record.name == "rollbook.web.middleware"
    ]
    assert len(lines) == 1
    assert re.fullmatch(r"POST /slc/studentupdate/status 400 in \d+ ms", lines[0])
    assert response["X-Request-Id"]


@pytest.mark.statement("S09", "S54")
@pytest.mark.parametrize("path", ["/sign-in", "/slc/studentupdate/status", "/static/no.css", "/x"])
def test_an_unknown_host_is_refused_with_what_to_set(curl: Curl, path: str) -> None:
    response = curl.client.get(path, secure=True, HTTP_HOST="evil.example")
    assert response.status_code == 400
    assert text(response) == (
        "ERROR unknown_host: this server is not known as 'evil.example'; set ROLLBOOK_URL to the "
        "address that people use, and let a proxy pass on the Host header\n"
    )


@pytest.mark.parametrize("host", ["localhost:8443", "127.0.0.1:8443", "[::1]:8443"])
def test_the_names_of_this_machine_are_known(curl: Curl, host: str) -> None:
    assert curl.client.get("/sign-in", secure=True, HTTP_HOST=host).status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
def test_monitors_may_use_any_host(curl: Curl, path: str) -> None:
    answer = curl.client.get(path, secure=True, HTTP_HOST="10.0.0.7:8443")
    assert "unknown_host" not in text(answer)


@pytest.mark.statement("S17")
@pytest.mark.parametrize(
    "path", ["/sign-in", "/livez", "/slc/studentupdate/status", "/unknown", "/static/style.css"]
)
def test_every_response_has_the_security_headers(curl: Curl, path: str) -> None:
    answer = curl.client.get(path, secure=True)
    expected = {**SECURITY_HEADERS, HSTS[0]: HSTS[1]}
    assert {name: answer.headers.get(name) for name in expected} == expected
    assert "Server" not in answer.headers


def test_an_unknown_address_is_not_logged(curl: Curl, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    response = curl.client.post(
        "/slc/studentupdate/status&login=ops@maple.example&password=hush", secure=True
    )
    assert response.status_code == 404
    assert "hush" not in caplog.text
    assert "POST unknown address 404 in" in caplog.text


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines that are logged for each request, as they are written."""
    caplog.set_level(logging.DEBUG, logger="rollbook")
    written: list[str] = []

    def write(record: logging.LogRecord) -> bool:
        written.append(LineFormatter().format(record))
        return True

    caplog.handler.addFilter(write)
    return written


def test_every_line_of_a_request_contains_its_id(
    lines: list[str], monkeypatch: pytest.MonkeyPatch, curl: Curl
) -> None:
    def broken(*args: object) -> None:
        raise KeyError("Ada Lovelace")

    monkeypatch.setattr(views, "ApiRequest", broken)
    curl.client.raise_request_exception = False
    first, second = curl.status(), curl.status()
    assert len(lines) == 4
    for line in lines[:2]:
        assert f", request {first['X-Request-Id']}" in line
    for line in lines[2:]:
        assert f", request {second['X-Request-Id']}" in line
    logging.getLogger("rollbook.test").warning("afterward")
    assert lines[-1].endswith("WARNING rollbook.test: afterward")


def test_the_clients_address_is_logged_only_if_a_setting_says_so(
    lines: list[str], settings: Settings, db: None
) -> None:
    client = Client(REMOTE_ADDR="203.0.113.7")
    client.get("/nothing", secure=True)
    settings.LOG_CLIENT_ADDRESS = True
    client.get("/nothing", secure=True)
    assert ["client 203.0.113.7" in line for line in lines] == [False, True]


def test_a_static_file_is_logged_by_its_name_and_nothing_else_below_its_folder(
    lines: list[str], db: None
) -> None:
    for path, status in (("rollbook/style.css", 200), ("zQcanary.css", 404)):
        assert Client().get(f"/static/{path}", secure=True).status_code == status
    assert "GET /static/rollbook/style.css 200 in " in lines[0]
    assert "GET unknown address 404 in " in lines[1]


def test_what_a_monitor_polls_is_logged_for_debugging_only(
    caplog: pytest.LogCaptureFixture, db: None
) -> None:
    caplog.set_level(logging.DEBUG, logger="rollbook")
    Client().get("/healthz", secure=True)  # 503, as no worker is running
    Client().get("/livez", secure=True)
    Client().get("/metrics", secure=True)  # 404, as it is not configured
    assert [record.levelname for record in caplog.records if "in" in record.getMessage()] == [
        "INFO",
        "DEBUG",
        "INFO",
    ]


def test_the_id_of_the_client_is_not_used(curl: Curl) -> None:
    first, second = curl.status(x_request_id="forged"), curl.status(x_request_id="forged")
    assert re.fullmatch(r"[0-9a-f]{16}", first["X-Request-Id"])
    assert first["X-Request-Id"] != second["X-Request-Id"] != "forged"


@pytest.mark.statement("S44")
@pytest.mark.parametrize("accept", ["text/plain", "application/json"])
def test_an_internal_error_has_a_reference_and_no_traceback(
    db: None, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    def broken(*args: object) -> None:
        raise KeyError("Ada Lovelace")

    monkeypatch.setattr(views, "ApiRequest", broken)
    client = Client(raise_request_exception=False)
    response = client.post("/slc/studentupdate/start", secure=True, HTTP_ACCEPT=accept)
    assert response.status_code == 500
    assert response["Content-Type"].startswith(
        {"text/plain": "text/plain", "application/json": "application/problem"}[accept]
    )
    assert f"reference {response['X-Request-Id']}" in text(response)
    assert "internal_error" in text(response)
    assert not {"Traceback", "Lovelace", "KeyError", ".py"} & set(
        re.findall(r"[\w.]+", text(response))
    )


def test_an_unknown_address_is_reported_in_plain_text(db: None) -> None:
    response = Client().get("/wp-login.php", secure=True)
    assert (response.status_code, text(response)) == (
        404,
        "ERROR not_found: there is nothing at this address\n",
    )
