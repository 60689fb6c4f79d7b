"""``/.well-known/security.txt`` exists if the operator has set contacts, and follows RFC 9116."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

ADDRESS = "/.well-known/security.txt"


@pytest.fixture
def contact(settings: Settings) -> None:
    settings.SECURITY_CONTACT = ("mailto:security@maple.example", "https://maple.example/report")
    settings.URL = "https://rollbook.maple.example"


def test_without_the_setting_there_is_no_such_file(settings: Settings) -> None:
    settings.SECURITY_CONTACT = ()
    assert Client().get(ADDRESS, secure=True).status_code == 404


@pytest.mark.statement("S59")
@pytest.mark.usefixtures("contact")
def test_it_names_contacts_and_a_date_within_a_year(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 28, 23, 59, 59, 999, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    answer = Client().get(ADDRESS, secure=True)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert answer.content.decode() == (
        "Contact: mailto:security@maple.example\n"
        "Contact: https://maple.example/report\n"
        "Expires: 2027-05-27T00:00:00Z\n"
        "Preferred-Languages: en\n"
        "Canonical: https://rollbook.maple.example/.well-known/security.txt\n"
    )


@pytest.mark.usefixtures("contact")
def test_the_date_is_always_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    later = timezone.now() + timedelta(days=3650)
    monkeypatch.setattr(timezone, "now", lambda: later)
    lines = Client().get(ADDRESS, secure=True).content.decode().split("\n")
    expires = datetime.fromisoformat(lines[2].removeprefix("Expires: "))
    assert timedelta(days=170) < expires - later < timedelta(days=365)


@pytest.mark.usefixtures("contact")
def test_it_is_only_sent_over_https_and_only_read() -> None:
    assert Client().get(ADDRESS).status_code == 403
    assert Client().post(ADDRESS, secure=True).status_code == 405
