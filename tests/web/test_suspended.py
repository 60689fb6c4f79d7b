"""Every address refuses members of a suspended district, with the reason; generated from the URLs.

An address that isn't listed as public must answer 403.
"""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rollbook.accounts.auth import api_tokens, emailed_links
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.models import AccountMailKind, AuditEvent, Member, Session
from rollbook.districts.models import District
from rollbook.operations.lifecycle import deletion
from rollbook.operations.lifecycle.suspension import resume, suspend
from rollbook.urls import urlpatterns
from tests.accounts.phone import with_second_factor
from tests.conftest import PASSWORD
from tests.web.curl import Curl, basic, text
from tests.web.pages.reading import read
from tests.web.pages.test_matrix import FOR_MEMBERS, PAGES, RULES, _some_keys, again, signed_in
from tests.web.test_matrix import OPEN

pytestmark = pytest.mark.daily_on("sqlite")

REASON = "the contract has ended"
PUBLIC = {"slc", "sign-in", "sign-in-code", "sign-out", "forgotten-password", "password"}
"""Pages for everyone; what they do for a member of a suspended district is tested one by one."""

COMMANDS = ("start", "status", "cancel", "approve", "discard")


@pytest.fixture
def suspended(maple: District, manager: Member) -> Client:
    """A browser in which the manager signed in before Maple USD was suspended."""
    client = signed_in(manager)
    suspend(maple, f"{REASON}.", timezone.now())
    return client


@pytest.mark.statement("S20")
def test_every_page_is_for_members_or_listed_as_public() -> None:
    assert {*FOR_MEMBERS, *PUBLIC} == set(PAGES)
    names = {pattern.name for pattern in urlpatterns}
    assert names == {*PAGES, *COMMANDS, *OPEN}


@pytest.mark.parametrize("method", ["get", "post"])
def test_every_page_answers_403_with_the_reason(suspended: Client, method: str) -> None:
    answers = {}
    for name in FOR_MEMBERS:
        if method.upper() in RULES[name].methods:
            address = reverse(name, kwargs=_some_keys(name))
            answers[name] = getattr(again(suspended), method)(address, secure=True)
    assert answers
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(
        answers, 403
    )
    for answer in answers.values():
        page = read(answer)
        assert page.heading == "District suspended"
        assert (
            f"Maple USD is suspended in Rollbook: {REASON}. "
            "Ask your Rollbook administrator about it." in page.text
        )


def test_a_session_in_use_continues_after_the_district_is_resumed(
    suspended: Client, maple: District
) -> None:
    assert again(suspended).get("/", secure=True).status_code == 403
    resume(maple, timezone.now())
    assert again(suspended).get("/", secure=True).status_code == 200


def test_sign_in_answers_403_and_starts_no_session(suspended: Client, manager: Member) -> None:
    Session.objects.all().delete()
    right = {"login": manager.email, "password": PASSWORD}
    for _ in range(2):
        answer = Client(headers={"Accept": "text/html"}).post("/sign-in", right, secure=True)
        assert (answer.status_code, REASON in answer.content.decode()) == (403, True)
    assert not Session.objects.exclude(member=None).exists()
    events = AuditEvent.objects.filter(action="sign in", result="district suspended")
    assert events.count() == 1


def test_a_wrong_password_reveals_nothing(suspended: Client, manager: Member) -> None:
    wrong = {"login": manager.email, "password": "wrong"}
    answer = Client(headers={"Accept": "text/html"}).post("/sign-in", wrong, secure=True)
    assert (answer.status_code, REASON in answer.content.decode()) == (403, False)


def test_the_second_step_of_a_sign_in_is_refused(maple: District, manager: Member) -> None:
    with_second_factor(manager, timezone.now())
    client = Client(headers={"Accept": "text/html"})
    login = {"login": manager.email, "password": PASSWORD}
    assert client.post("/sign-in", login, secure=True)["Location"] == "/sign-in/code"
    suspend(maple, REASON, timezone.now())
    answer = client.post("/sign-in/code", {"code": "123456"}, secure=True)
    assert (answer.status_code, REASON in answer.content.decode()) == (403, True)


def test_an_emailed_link_is_refused_and_works_after_resuming(
    suspended: Client, maple: District, manager: Member
) -> None:
    token = emailed_links.make_token(manager, AccountMailKind.FORGOTTEN_PASSWORD)
    client = Client(headers={"Accept": "text/html"})
    answer = client.get(f"/password/{token}", secure=True)
    assert (answer.status_code, REASON in answer.content.decode()) == (403, True)
    resume(maple, timezone.now())
    assert client.get(f"/password/{token}", secure=True).status_code == 200


def test_people_can_still_sign_out(suspended: Client) -> None:
    answer = suspended.post("/sign-out", secure=True)
    assert answer["Location"] == "/sign-in"
    assert not Session.objects.exclude(member=None).exists()


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("is_json", [False, True])
@pytest.mark.parametrize("by_token", [False, True])
def test_the_upload_commands_answer_403_with_the_reason(
    maple: District, manager: Member, name: str, is_json: bool, by_token: bool
) -> None:
    _, secret = api_tokens.create(manager, "Night", tuple(Scope), timezone.now())
    suspend(maple, REASON, timezone.now())
    headers = {"Accept": "application/json"} if is_json else {}
    if by_token:
        headers["Authorization"] = f"Bearer {secret}"
    response = _command(manager, name, headers, by_token=by_token)
    assert response.status_code == 403
    if is_json:
        body = response.json()
        assert (body["code"], body["status"]) == ("district_suspended", 403)
        assert REASON in body["detail"]
    else:
        assert text(response) == (
            f"ERROR district_suspended: Maple USD is suspended in Rollbook: {REASON}. "
            "Ask your Rollbook administrator about it.\n"
        )


def _command(manager: Member, name: str, headers: dict[str, str], *, by_token: bool) -> Any:
    curl = Curl(manager.email)
    if by_token:
        curl.sign_in = [("update", "1")] if name != "start" else []
    return getattr(curl, name)(**headers)


def test_the_report_as_text_answers_403(suspended: Client, manager: Member) -> None:
    response = Client().get(
        "/updates/1", secure=True, HTTP_AUTHORIZATION=basic(manager.email, PASSWORD)
    )
    assert (response.status_code, REASON in response.content.decode()) == (403, True)


def test_a_district_that_is_being_deleted_answers_the_same(
    maple: District, manager: Member
) -> None:
    client = signed_in(manager)
    deletion.start(maple, timezone.now(), None)
    answer = client.get("/", secure=True)
    assert (answer.status_code, "it is being deleted" in answer.content.decode()) == (403, True)
    response = Curl(manager.email).start()
    assert (response.status_code, "it is being deleted" in text(response)) == (403, True)


def test_the_neighbor_is_not_affected(suspended: Client, neighbor: Member) -> None:
    assert signed_in(neighbor).get("/", secure=True).status_code == 200
    assert Session.objects.exclude(member=None).count() == 2
    assert Curl(neighbor.email).status().status_code == 200
