"""``rollbook session``."""

import json

import pytest

from rollbook.accounts.models import AuditEvent, Member
from tests.accounts.browser import HERE, Browser
from tests.cli.conftest import Rollbook


@pytest.fixture
def browsers(manager: Member, neighbor: Member) -> tuple[Browser, Browser, Browser]:
    """Two browsers of the manager and one of the neighbor."""
    found = Browser(), Browser(), Browser()
    for browser, member in zip(found, (manager, manager, neighbor), strict=True):
        browser.sign_in(member)
    return found


def test_sessions_are_listed(
    rollbook: Rollbook, browsers: tuple[Browser, Browser, Browser]
) -> None:
    result = rollbook("session", "list")
    assert (result.code, result.err) == (0, "")
    assert len(result.out.splitlines()) == 4
    assert not any(browser.key in result.out for browser in browsers)
    of_cedar = json.loads(rollbook("session", "list", "--district", "cedar-county", "--json").out)
    assert [(each["login"], each["address"]) for each in of_cedar] == [("ops@cedar.example", HERE)]
    of_member = rollbook("session", "list", "--member", "ops@maple.example").out
    assert len(of_member.splitlines()) == 3


@pytest.mark.statement("S57")
@pytest.mark.parametrize(
    ("options", "out", "left"),
    [
        (("--member", "ops@maple.example"), "Ended 2 sessions of ops@maple.example.\n", [2]),
        (("--district", "cedar-county"), "Ended 1 session of cedar-county.\n", [0, 1]),
    ],
)
def test_sessions_are_ended(
    rollbook: Rollbook,
    browsers: tuple[Browser, Browser, Browser],
    options: tuple[str, str],
    out: str,
    left: list[int],
) -> None:
    AuditEvent.objects.all().delete()
    result = rollbook("session", "end", *options)
    assert (result.code, result.out, result.err) == (0, out, "")
    assert [at for at, browser in enumerate(browsers) if browser.member()] == left
    assert AuditEvent.objects.get().action == "session end"


def test_whose_sessions_to_end_must_be_named(
    rollbook: Rollbook, browsers: tuple[Browser, Browser, Browser]
) -> None:
    assert rollbook("session", "end").code == 2
    assert browsers[0].member()


@pytest.mark.django_db
def test_nobody_is_signed_in(rollbook: Rollbook) -> None:
    assert rollbook("session", "list").out == "Nobody is signed in.\n"
