"""What is done once at each start."""

import pytest
from django.db import connections

from rollbook.accounts.models import Member
from rollbook.server import startup
from rollbook.server.startup import UNUSED


def test_the_log_says_that_nobody_can_sign_in_yet(
    db: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "close_all", lambda: None)  # it has the test's data
    startup.complete()
    assert UNUSED in caplog.messages


def test_it_says_nothing_of_it_once_somebody_has_an_account(
    manager: Member, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "close_all", lambda: None)
    startup.complete()
    assert UNUSED not in caplog.messages
