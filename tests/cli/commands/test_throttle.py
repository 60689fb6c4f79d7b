"""``rollbook throttle``."""

import json

import pytest
from django.utils import timezone

from rollbook.accounts.auth import throttle
from rollbook.accounts.auth.throttle import RateLimited
from rollbook.accounts.models import AuditEvent, Member
from tests.cli.conftest import Rollbook

HERE, ELSEWHERE = "203.0.113.7", "198.51.100.9"


@pytest.fixture
def blocked(manager: Member) -> Member:
    """A member whose login is blocked from one network."""
    now = timezone.now()
    for _ in range(throttle.MAX_FAILURES_PER_LOGIN_AND_ADDRESS):
        throttle.record_failure(manager.email, HERE, now)
    throttle.record_code_failure(manager.email, ELSEWHERE, now)
    throttle.record_failure("hunter2", ELSEWHERE, now)
    throttle.record_request(ELSEWHERE, now)
    return manager


def is_blocked(member: Member) -> bool:
    try:
        throttle.check_sign_in(member.email, HERE, timezone.now())
    except RateLimited:
        return True
    return False


def test_failures_are_listed_without_what_strangers_typed(
    rollbook: Rollbook, blocked: Member
) -> None:
    result = rollbook("throttle", "list")
    assert (result.code, result.err) == (0, "")
    blocks, _, failures = result.out.partition("\n\n")
    assert blocks.splitlines()[0] == "Blocked now:"
    words = blocks.splitlines()[2].split()
    assert words[:8] == ["a", "login", "from", "a", "network", blocked.email, HERE, "10"]
    rows = [line.split("  ")[0].strip() for line in failures.splitlines()[1:]]
    assert rows[0] == blocked.email  # the most frequent first
    assert sorted(rows) == ["(no member)", blocked.email, blocked.email]
    assert "hunter2" not in result.out
    listed = json.loads(rollbook("throttle", "list", "--json").out)
    assert [(each["login"], each["address"]) for each in listed["blocked"]] == [
        (blocked.email, HERE)
    ]
    assert {(each["login"], each["what"], each["failures"]) for each in listed["failures"]} == {
        (blocked.email, "password", 10),
        (blocked.email, "code", 1),
        ("", "password", 1),
    }


def test_every_limit_that_is_reached_is_listed(rollbook: Rollbook, manager: Member) -> None:
    now = timezone.now()
    for number in range(throttle.MAX_FAILURES_PER_LOGIN):
        throttle.record_failure(manager.email, f"198.51.100.{number}", now, of_member=True)
    for number in range(throttle.MAX_FAILURES_PER_ADDRESS):
        throttle.record_failure(f"{number}", HERE, now, of_member=True)
    for _ in range(throttle.MAX_CODE_FAILURES_PER_LOGIN):
        throttle.record_code_failure(manager.email, ELSEWHERE, now)
    for _ in range(throttle.MAX_REQUESTS_PER_ADDRESS):
        throttle.record_request(ELSEWHERE, now)
    listed = json.loads(rollbook("throttle", "list", "--json").out)["blocked"]
    assert {(each["limit"], each["login"], each["address"]) for each in listed} == {
        ("a login from unknown networks", manager.email, ""),
        ("codes of a login", manager.email, ""),
        ("wrong passwords from a network", "", HERE),
        ("logins new to a network", "", HERE),
        ("wrong passwords from a network", "", ELSEWHERE),
        ("logins new to a network", "", ELSEWHERE),
        ("password resets from a network", "", ELSEWHERE),
    }


@pytest.mark.parametrize(
    ("options", "cleared", "unblocked"),
    [
        (("--login", "OPS@maple.example"), "11 failed attempts", True),
        (("--address", HERE), "10 failed attempts", True),
        (("--address", ELSEWHERE), "3 failed attempts", False),
        (("--login", "ops@maple.example", "--address", ELSEWHERE), "1 failed attempt", False),
        (("--all",), "13 failed attempts", True),
    ],
)
def test_failures_are_cleared(
    rollbook: Rollbook, blocked: Member, options: tuple[str, ...], cleared: str, *, unblocked: bool
) -> None:
    assert is_blocked(blocked)
    result = rollbook("throttle", "clear", *options)
    assert (result.code, result.out, result.err) == (0, f"Cleared {cleared}.\n", "")
    assert is_blocked(blocked) is not unblocked
    assert AuditEvent.objects.get().action == "throttle clear"


@pytest.mark.parametrize("options", [(), ("--all", "--login", "ops@maple.example")])
def test_what_to_clear_must_be_named(
    rollbook: Rollbook, blocked: Member, options: tuple[str, ...]
) -> None:
    result = rollbook("throttle", "clear", *options)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("ERROR nothing_to_clear: use --login")
    assert is_blocked(blocked)


def test_wrong_arguments_are_refused(rollbook: Rollbook, blocked: Member) -> None:
    assert rollbook("throttle", "clear", "--address", "here").err.startswith("ERROR bad_address")
    assert rollbook("throttle", "clear", "--login", "x@y.z").err.startswith("ERROR no_such_member")


@pytest.mark.django_db
def test_without_failures_there_is_a_sentence(rollbook: Rollbook) -> None:
    assert rollbook("throttle", "list").out == "No sign-in has failed in the last hour.\n"
