"""Access to addresses for scripts by role and district (S20); pages have their own matrix."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from rollbook.accounts import roles
from rollbook.accounts.models import AuditEvent, Member
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts.models import District
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import State
from rollbook.urls import urlpatterns
from tests.conftest import PASSWORD, make_member
from tests.web.curl import STUDENTS, Curl, File, basic, text

NUMBER = 2  # Cedar has an update with this number, Maple has none

Call = Callable[[Curl, str], Any]
OPEN = {
    "livez": "/livez",
    "readyz": "/readyz",
    "healthz": "/healthz",
    "metrics": "/metrics",
    "security-txt": "/.well-known/security.txt",
}


def _report(curl: Curl, login: str) -> Any:
    return Client().get(
        f"/updates/{NUMBER}", secure=True, HTTP_AUTHORIZATION=basic(login, PASSWORD)
    )


# A request of each address, with the number of an update of Cedar County where it has one.
CALLS: dict[str, Call] = {
    "start": lambda curl, login: curl.start(),
    "status": lambda curl, login: curl.status(("update", str(NUMBER))),
    "cancel": lambda curl, login: curl.cancel(("update", str(NUMBER))),
    "update": _report,
}
COMMANDS_AND_CHECKS = {"start", "status", "cancel", "approve", "discard", *OPEN}
"""The addresses that are not pages."""
NAMES = [pattern.name for pattern in urlpatterns if pattern.name in {*CALLS, *OPEN}]
# What a district manager of Maple USD gets.
ANSWERS = {
    "start": (200, "OK update 1 accepted"),
    "status": (200, "NONE Maple USD has no update 2\n"),
    "cancel": (200, "NOTHING TO CANCEL Maple USD has no update 2\n"),
    "update": (404, "ERROR not_found"),
}


@pytest.fixture
def cedars(neighbor: object) -> UpdateJob:
    """The second update of Cedar County."""
    theirs = Curl("ops@cedar.example")
    for number in (1, NUMBER):
        theirs.start(File(STUDENTS + b"90%d,Cedar,Child\r\n" % number, f"cedar-{number}.csv"))
    AuditEvent.objects.all().delete()
    return UpdateJob.objects.get(number=NUMBER)


@pytest.mark.statement("S20")
def test_every_address_is_in_the_matrix() -> None:
    without_rule = {
        pattern.name for pattern in urlpatterns if not hasattr(pattern.callback, "rule")
    }
    assert without_rule == COMMANDS_AND_CHECKS
    assert set(CALLS) == set(ANSWERS)


@pytest.mark.statement("S20")
@pytest.mark.parametrize("role", list(RoleType))
@pytest.mark.parametrize("name", CALLS)
def test_access_depends_on_role_and_district(
    name: str, role: RoleType, maple: District, cedars: UpdateJob
) -> None:
    member = make_member(maple, "someone@maple.example", role.value)
    response = CALLS[name](Curl(member.email), member.email)
    status, beginning = (
        ANSWERS[name] if role is RoleType.DISTRICT_MANAGER else (403, "ERROR not_allowed")
    )
    assert response.status_code == status
    assert text(response).startswith(beginning)
    assert "cedar" not in text(response).casefold()
    cedars.refresh_from_db()
    assert cedars.state == State.RECEIVED


@pytest.mark.statement("S20")
@pytest.mark.parametrize(
    "role", [role for role in RoleType if role is not RoleType.DISTRICT_MANAGER]
)
@pytest.mark.parametrize("name", CALLS)
def test_denied_access_is_audited(name: str, role: RoleType, maple: District) -> None:
    member = make_member(maple, "someone@maple.example", role.value)
    CALLS[name](Curl(member.email), member.email)
    event = AuditEvent.objects.get(result="not allowed")
    assert (event.member, event.district) == (member, maple)


@pytest.mark.parametrize("name", CALLS)
def test_a_removed_permission_applies_to_the_next_request(name: str, maple: District) -> None:
    manager, clerk = (
        make_member(maple, "ops@maple.example"),
        make_member(maple, "clerk@maple.example"),
    )
    role = roles.create_role(
        manager,
        RoleType.DISTRICT_MANAGER,
        "Clerk",
        "",
        [Permission.SEE_STUDENTS, Permission.UPDATE_STUDENTS],
    )
    Member.objects.filter(pk=clerk.pk).update(role=role)
    assert text(CALLS[name](Curl(clerk.email), clerk.email)).startswith(ANSWERS[name][1])
    roles.change(role, manager, "Clerk", "", [])
    response = CALLS[name](Curl(clerk.email), clerk.email)
    assert (response.status_code, text(response).startswith("ERROR not_allowed")) == (403, True)


@pytest.mark.parametrize("name", CALLS)
def test_an_unknown_login_has_no_access(name: str, maple: District) -> None:
    response = CALLS[name](Curl("who@example.org"), "who@example.org")
    assert response.status_code == 401


@pytest.mark.statement("S05")
@pytest.mark.parametrize("name", CALLS)
def test_a_deactivated_member_has_no_access(name: str, maple: District) -> None:
    member = make_member(maple, "someone@maple.example")
    assert CALLS[name](Curl(member.email), member.email).status_code != 401
    member.is_active = False
    member.save()
    assert CALLS[name](Curl(member.email), member.email).status_code == 401


@pytest.mark.statement("S19")
@pytest.mark.parametrize("name", NAMES)
def test_every_answer_has_an_id_and_is_not_cached(name: str, maple: District) -> None:
    response = (
        CALLS[name](Curl(), "ops@maple.example")
        if name in CALLS
        else Client().get(OPEN[name], secure=True)
    )
    assert len(response["X-Request-Id"]) == 16
    assert "no-store" in response["Cache-Control"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Strict-Transport-Security"] == "max-age=31536000"
    assert not response.cookies
