"""``/metrics`` needs the token or the network in the settings; without either, it doesn't exist."""

from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from rollbook import environment
from rollbook.accounts.models import Member
from rollbook.operations.monitoring import metrics
from rollbook.operations.monitoring.cached import Cached
from tests.conftest import PASSWORD
from tests.web.curl import basic, text

pytestmark = pytest.mark.django_db

TOKEN = "d0e1f2a3b4c5d6e7f8"
BEARER = f"Bearer {TOKEN}"
NOT_FOUND = (404, "ERROR not_found: there is nothing at this address\n")
Answer = tuple[int, str]


def get(address: str = "203.0.113.7", **headers: Any) -> Answer:
    """Request the metrics; return the status and the first line."""
    response = Client(REMOTE_ADDR=address).get("/metrics", secure=True, **headers)
    return response.status_code, text(response).partition("\n")[0] + "\n"


@pytest.fixture
def token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


@pytest.fixture
def networks(settings: Settings) -> None:
    settings.METRICS_NETWORKS = environment.METRICS_NETWORKS.parse("10.0.0.0/8, 2001:db8::/32")


def test_without_settings_there_is_nothing_even_for_members(manager: Member) -> None:
    assert get() == NOT_FOUND
    assert get(HTTP_AUTHORIZATION="Bearer ") == NOT_FOUND
    assert get(HTTP_AUTHORIZATION=basic(manager.email, PASSWORD)) == NOT_FOUND


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"],
)
def test_a_wrong_token_gets_nothing(authorization: str) -> None:
    status, body = get(HTTP_AUTHORIZATION=authorization)
    assert (status, body) == (
        401,
        "ERROR metrics_token: send the token of ROLLBOOK_METRICS_TOKEN as Bearer\n",
    )


@pytest.mark.usefixtures("token")
def test_the_token_is_enough() -> None:
    status, line = get(HTTP_AUTHORIZATION=BEARER)
    assert (status, line) == (200, "# HELP rollbook_build_info Always 1\n")
    assert get(HTTP_AUTHORIZATION=BEARER.replace("Bearer", "bearer"))[0] == 200


@pytest.mark.usefixtures("token")
def test_a_wrong_token_says_which_kind_of_sign_in_is_needed(manager: Member) -> None:
    response = Client().get("/metrics", secure=True)
    assert response["WWW-Authenticate"] == 'Bearer realm="Rollbook metrics"'
    signed_in = Client()
    signed_in.force_login(manager)
    assert signed_in.get("/metrics", secure=True).status_code == 401


@pytest.mark.usefixtures("networks")
@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("10.1.2.3", 200),
        ("2001:db8::1", 200),
        ("::ffff:10.1.2.3", 200),
        ("11.0.0.1", 404),
        ("::1", 404),
        ("", 404),
        ("10.1.2.3.4", 404),
    ],
)
def test_only_the_networks_find_it(address: str, status: int) -> None:
    assert get(address)[0] == status


@pytest.mark.usefixtures("token", "networks")
def test_both_are_required_if_both_are_set() -> None:
    assert get("10.1.2.3", HTTP_AUTHORIZATION=BEARER)[0] == 200
    assert get("10.1.2.3")[0] == 401
    assert get("203.0.113.7", HTTP_AUTHORIZATION=BEARER) == NOT_FOUND


@pytest.mark.usefixtures("networks")
def test_a_client_cannot_choose_its_network(settings: Settings) -> None:
    assert get("203.0.113.7", HTTP_X_FORWARDED_FOR="10.1.2.3")[0] == 404
    settings.BEHIND_PROXY = True
    assert get("10.9.9.9", HTTP_X_FORWARDED_FOR="10.1.2.3, 203.0.113.7")[0] == 404
    assert get("10.9.9.9", HTTP_X_FORWARDED_FOR="203.0.113.7, 10.1.2.3")[0] == 200


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    ("accept", "content_type", "end"),
    [
        ("*/*", "text/plain; version=0.0.4", "\n"),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text", "# EOF\n"),
    ],
)
def test_prometheus_can_parse_it(accept: str, content_type: str, end: str) -> None:
    response = Client().get("/metrics", secure=True, HTTP_AUTHORIZATION=BEARER, HTTP_ACCEPT=accept)
    assert response["Content-Type"].startswith(content_type)
    assert response.content.decode().endswith(end)
    if end == "\n":
        families = list(text_string_to_metric_families(response.content.decode()))
        assert len(families) > 10


@pytest.mark.usefixtures("token")
def test_a_slow_database_does_not_occupy_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    blocked: Cached[metrics.Snapshot] = Cached(lambda: metrics.Snapshot([]), 5.0, max_wait_s=0.01)
    monkeypatch.setattr(metrics, "_snapshot", blocked)
    with blocked._lock:
        assert get(HTTP_AUTHORIZATION=BEARER)[0] == 503


@pytest.mark.usefixtures("token")
def test_nothing_can_be_written_to_it() -> None:
    response = Client().post("/metrics", secure=True, HTTP_AUTHORIZATION=BEARER)
    assert response.status_code == 405
