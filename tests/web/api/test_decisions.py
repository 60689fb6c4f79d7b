"""Approve and discard: who may, which plan, and what the answers say."""

import pytest
from django.utils import timezone

from rollbook.accounts import roles
from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.models import AuditEvent, Member
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts.models import District
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import limit_sets
from rollbook.updates.planning.limit_document import LimitDocument
from rollbook.updates.planning.limits import DEFAULT_LIMITS
from rollbook.updates.state_machine import State
from tests.conftest import make_member
from tests.updates.night import a_class, column_of, dump, enroll, finish, send
from tests.updates.planning.test_judge import movers
from tests.web.curl import Curl, File, text, verdict


@pytest.fixture(scope="module")
def roster(maple_once: District) -> None:
    enroll(maple_once, a_class(200))


@pytest.fixture
def held(roster: None, maple: District) -> UpdateJob:
    """Update 2: 60 of 200 students of School 100 would go to School 200."""
    return judged(send(maple, movers(60)))


def judged(update: UpdateJob) -> UpdateJob:
    finish(update)
    update.refresh_from_db()
    assert update.state in {State.HELD, State.CHECKED}
    return update


def with_token(member: Member, *scopes: Scope) -> Curl:
    curl = Curl(member.email)
    curl.sign_in = []
    _, secret = api_tokens.create(member, "night", scopes, timezone.now())
    curl.client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    return curl


def plan_of(update: UpdateJob) -> list[tuple[str, str]]:
    return [("update", str(update.number)), ("plan", update.plan_digest)]


def outcomes() -> list[tuple[str, str]]:
    events = AuditEvent.objects.filter(action__in=("approve", "discard", "approve update"))
    return list(events.order_by("pk").values_list("action", "result"))


def test_status_names_the_plan_that_approve_needs(
    held: UpdateJob, curl: Curl, maple: District
) -> None:
    lines = text(curl.status()).splitlines()
    named = next(line for line in lines if line.startswith("Its plan is "))
    digest = named.removeprefix("Its plan is ").partition(".")[0]
    answer = curl.approve(("update", "2"), ("plan", digest), ("note", "boundary change"))
    assert text(answer) == "OK update 2 approved\n"
    finish(held)
    assert sorted(column_of(maple, "SCHOOL_ID").values()).count("200") == 60
    held.refresh_from_db()
    assert held.decision_note == "boundary change"
    assert "Its plan is" not in text(curl.status())


def test_a_school_can_be_left_out(held: UpdateJob, curl: Curl) -> None:
    answer = curl.approve(*plan_of(held), ("without", "200, 100"))
    assert text(answer).splitlines()[0] == "OK update 2 approved without 100 and 200"
    held.refresh_from_db()
    assert held.left_out_schools == ["100", "200"]


def test_a_discarded_plan_changes_nothing(held: UpdateJob, curl: Curl, maple: District) -> None:
    before = dump(maple)
    answer = curl.discard(*plan_of(held), accept="application/json").json()
    assert (answer["verdict"], answer["state"]) == ("OK", "discarded")
    assert answer["message"] == "OK update 2 discarded; nothing was applied"
    assert dump(maple) == before


@pytest.mark.parametrize("name", ["approve", "discard"])
@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ([], 400, "which_plan"),
        ([("update", "2")], 400, "which_plan"),
        ([("plan", "PLAN")], 400, "which_plan"),
        ([("update", "2"), ("plan", "0" * 12)], 409, "another_plan"),
        ([("update", "2"), ("plan", "../..")], 400, "wrong_value"),
        ([("update", "2"), ("plan", "")], 400, "wrong_value"),
        ([("update", "9"), ("plan", "PLAN")], 404, "no_update"),
        ([("update", "1"), ("plan", "PLAN")], 409, "no_plan_waiting"),
        ([("update", "2"), ("plan", "PLAN"), ("mode", "add")], 400, "field_elsewhere"),
    ],
)
def test_a_decision_that_is_not_possible_is_explained_and_changes_nothing(
    held: UpdateJob,
    curl: Curl,
    name: str,
    fields: list[tuple[str, str]],
    status: int,
    code: str,
) -> None:
    sent = [(key, value.replace("PLAN", held.plan_digest)) for key, value in fields]
    answer = getattr(curl, name)(*sent)
    assert (answer.status_code, verdict(answer)) == (status, f"ERROR {code}")
    held.refresh_from_db()
    assert (held.state, held.decided_at) == (State.HELD, None)


def test_an_unknown_school_is_an_error(held: UpdateJob, curl: Curl) -> None:
    answer = curl.approve(*plan_of(held), ("without", "100,9x9"))
    assert (answer.status_code, verdict(answer)) == (400, "ERROR no_school")
    assert "9x9" in text(answer)


def test_a_plan_is_decided_once(held: UpdateJob, curl: Curl) -> None:
    assert verdict(curl.discard(*plan_of(held))).startswith("OK update 2 discarded")
    again = curl.approve(*plan_of(held))
    assert (again.status_code, verdict(again)) == (409, "ERROR no_plan_waiting")
    assert "Upload the file again if it is still wanted." in text(again)


def test_a_neighbor_finds_no_such_update(held: UpdateJob, neighbor: Member) -> None:
    for decide in (Curl(neighbor.email).approve, Curl(neighbor.email).discard):
        answer = decide(*plan_of(held))
        assert (answer.status_code, verdict(answer)) == (404, "ERROR no_update")
        assert "Maple" not in text(answer)
    held.refresh_from_db()
    assert held.state == State.HELD


@pytest.mark.parametrize("role", ["school manager", "instructor"])
def test_lesser_roles_may_not_decide(held: UpdateJob, maple: District, role: str) -> None:
    member = make_member(maple, "lee@maple.example", role)
    for decide in (Curl(member.email).approve, Curl(member.email).discard):
        assert verdict(decide(*plan_of(held))) == "ERROR not_allowed"


def test_a_role_without_the_permission_may_only_discard(held: UpdateJob, maple: District) -> None:
    chief = make_member(maple, "chief@maple.example")
    role = roles.create_role(
        chief,
        RoleType.DISTRICT_MANAGER,
        "Assistant",
        "",
        [Permission.SEE_STUDENTS, Permission.UPDATE_STUDENTS],
    )
    member = make_member(maple, "assistant@maple.example")
    Member.objects.filter(pk=member.pk).update(role=role)
    answer = Curl(member.email).approve(*plan_of(held))
    assert (answer.status_code, verdict(answer)) == (403, "ERROR not_allowed")
    assert outcomes()[-1] == ("approve", "not allowed")
    assert Curl(member.email).discard(*plan_of(held)).status_code == 200


@pytest.mark.statement("S24")
def test_the_token_that_sent_a_file_never_approves_it(
    roster: None, maple: District, manager: Member
) -> None:
    script = with_token(manager, Scope.START, Scope.APPROVE)
    script.start(File(movers(60).encode()))
    held = judged(UpdateJob.objects.get(district=maple, number=2))
    answer = script.approve(*plan_of(held))
    assert (answer.status_code, verdict(answer)) == (403, "ERROR own_update")
    assert outcomes()[-1] == ("approve", "own update")
    other = with_token(manager, Scope.APPROVE)
    assert verdict(other.approve(*plan_of(held))) == "OK update 2 approved\n"


@pytest.mark.statement("S24")
def test_a_second_person_is_required_of_tokens_too(
    roster: None, maple: District, manager: Member
) -> None:
    document = LimitDocument(DEFAULT_LIMITS, second_person=True)
    limit_sets.save(maple, document, None, timezone.now())
    Curl(manager.email).start(File(movers(60).encode()))
    held = judged(UpdateJob.objects.get(district=maple, number=2))
    assert verdict(with_token(manager, Scope.APPROVE).approve(*plan_of(held))) == "ERROR own_update"
    other = make_member(maple, "lee@maple.example")
    assert with_token(other, Scope.APPROVE).approve(*plan_of(held)).status_code == 200
