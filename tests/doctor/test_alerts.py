"""The doctor's hint that nobody is alerted."""

import pytest
from pytest_django import Settings

from rollbook.doctor import alerts
from rollbook.doctor.result import Level
from tests.doctor.conftest import Here, results


@pytest.mark.parametrize(
    ("addresses", "url", "level", "what"),
    [
        ((), "", Level.WARNING, "nobody is alerted if something goes wrong here"),
        (
            ("ops@host.example",),
            "",
            Level.OK,
            "sent to 1 operator; `rollbook alert test` tests them",
        ),
        (
            ("ops@host.example", "night@host.example"),
            "https://monitor.example/5cr3t",
            Level.OK,
            "sent to 2 operators and the ping URL; `rollbook alert test` tests them",
        ),
    ],
)
def test_a_channel_is_recommended(
    here: Here, settings: Settings, addresses: tuple[str, ...], url: str, level: Level, what: str
) -> None:
    settings.OPERATOR_EMAIL, settings.PING_URL = addresses, url
    assert results(alerts.check(here())) == [(level, what)]
