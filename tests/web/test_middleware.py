"""Each request has an id and one log line; errors don't expose details."""

import logging
import re

import pytest
from django.test import Client

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
    assert re.fullmatch(
        rf"POST /slc/studentupdate/status 400 in \d+ ms, request {response['X-Request-Id']}",
        lines[0],
    )


def test_an_unknown_address_is_not_logged(curl: Curl, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    response = curl.client.post(
        "/slc/studentupdate/status&login=ops@maple.example&password=hush", secure=True
    )
    assert response.status_code == 404
    assert "hush" not in caplog.text
    assert "POST unknown address 404 in" in caplog.text


def test_the_id_of_the_client_is_not_used(curl: Curl) -> None:
    first, second = curl.status(x_request_id="forged"), curl.status(x_request_id="forged")
    assert re.fullmatch(r"[0-9a-f]{16}", first["X-Request-Id"])
    assert first["X-Request-Id"] != second["X-Request-Id"] != "forged"


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
