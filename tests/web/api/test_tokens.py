"""API tokens for the upload commands, and passwords of accounts with two-step verification."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rollbook.accounts import roles
from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.auth.throttle import MAX_FAILURES_PER_ADDRESS
from rollbook.accounts.auth.token_limits import NO_LIMITS, TokenLimits
from rollbook.accounts.members import changes
from rollbook.accounts.models import AuditEvent, Member, Token
from rollbook.districts.models import District
from rollbook.updates.models import UpdateJob
from rollbook.web.http.command_reference import COMMANDS
from tests.accounts.phone import with_second_factor
from tests.conftest import PASSWORD, make_member
from tests.web.curl import Curl, File, Part, basic, first_line, text, verdict

PAGE = "https://localhost:8443/account/tokens"


class Script(Curl):
    """A client that sends a token instead of a login."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.sign_in = []
        self.token = token

    def post(self, command: str, parts: Any, **headers: str) -> Any:
        return super().post(command, parts, **{"authorization": f"Bearer {self.token}", **headers})


def a_script(
    member: Member,
    *scopes: Scope,
    good_for: timedelta = api_tokens.DEFAULT_LIFETIME,
    limits: TokenLimits = NO_LIMITS,
) -> Script:
    _, secret = api_tokens.create(
        member, "night", scopes or tuple(Scope), timezone.now(), good_for, limits
    )
    return Script(secret)


@pytest.fixture
def script(manager: Member) -> Script:
    return a_script(manager)


def test_the_scopes_are_the_commands() -> None:
    assert {scope.value for scope in Scope} == {command.scope for command in COMMANDS}


def test_a_token_replaces_login_and_password(script: Script, manager: Member) -> None:
    assert (
        first_line(script.start())
        == "OK update 1 accepted: 2 students in students.csv, now checking"
    )
    assert verdict(script.status()).startswith("RUNNING update 1")
    assert verdict(script.cancel()) == "OK update 1 canceled"
    event = AuditEvent.objects.get(action="start")
    assert (event.member, event.result) == (manager, "received")


def test_status_needs_no_form(script: Script) -> None:
    answer = script.client.generic(
        "POST",
        "/slc/studentupdate/status",
        secure=True,
        content_type="",
        HTTP_AUTHORIZATION=f"bearer  {script.token} ",
    )
    assert verdict(answer).startswith("NONE")


@pytest.mark.parametrize("before", ["\ufeff", "\ufeff".encode().decode("latin-1"), " "])
def test_a_token_may_come_from_a_text_file(script: Script, before: str) -> None:
    header = f"Bearer {before}{script.token}\r"
    assert verdict(script.start(authorization=header)) == "OK update 1 accepted"


def test_the_starter_is_the_owner_of_the_token(script: Script, manager: Member) -> None:
    script.start()
    other = make_member(manager.district, "it@maple.example")
    assert text(Curl(other.email).status()).endswith("\nStarted by Ana Ruiz (ops@maple.example).\n")


@pytest.mark.statement("S12")
@pytest.mark.parametrize("scope", Scope)
def test_a_token_is_valid_for_its_scope_only(manager: Member, scope: Scope) -> None:
    script = a_script(manager, scope)
    for command in COMMANDS:
        answer = getattr(script, command.name)()
        if command.scope == scope:
            expected = "ERROR which_plan" if command.is_decision else ""
            assert verdict(answer) == expected or answer.status_code == 200
        else:
            assert answer.status_code == 403
            assert text(answer) == (
                f"ERROR token_scope: this token isn't valid for {command.scope}, "
                f"only for {scope}; create one that includes {command.scope} at {PAGE}\n"
            )
    refused = sum(command.scope != scope for command in COMMANDS)
    assert AuditEvent.objects.filter(result="not allowed", member=manager).count() == refused


def _revoked(token: Token) -> None:
    api_tokens.revoke(token.member, token.pk, timezone.now())


def _expired(token: Token) -> None:
    Token.objects.update(expires_at=timezone.now())


def _member_deactivated(token: Token) -> None:
    changes.deactivate(token.member, make_member(token.member.district, "it@maple.example"))


def _not_active(token: Token) -> None:
    Member.objects.update(is_active=False)


ENDS = [_revoked, _expired, _member_deactivated, _not_active]


@pytest.mark.parametrize("end", ENDS, ids=[end.__name__.strip("_") for end in ENDS])
def test_every_invalid_token_gets_the_same_answer(script: Script, end: Any) -> None:
    end(Token.objects.get())
    answer = script.start()
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="Rollbook", error="invalid_token"'
    assert text(answer) == text(Script("rb_nonsense").start())
    assert text(answer) == (
        "ERROR token_failed: the token is wrong, expired or revoked, or its owner isn't active; "
        f"create another one at {PAGE}\n"
    )


def test_a_token_of_a_member_without_the_permission_is_refused(
    script: Script, manager: Member
) -> None:
    Member.objects.update(role=roles.standard(manager.district, "instructor"))
    answer = script.start()
    assert (answer.status_code, verdict(answer)) == (403, "ERROR not_allowed")


@pytest.mark.statement("S12")
def test_a_token_works_only_from_its_networks(manager: Member) -> None:
    script = a_script(manager, limits=TokenLimits(networks=("198.51.100.0/24",)))
    for _ in range(2):
        answer = script.status()
        assert first_line(answer) == (
            "ERROR token_network: this token isn't valid from 127.0.0.1, only from "
            f"198.51.100.0/24; call from there, or create another one at {PAGE}"
        )
        assert answer.status_code == 403
    event = AuditEvent.objects.get(action="sign in")
    assert (event.result, event.member) == ("token not valid from here", manager)
    assert Token.objects.get().last_used_at is None


@pytest.mark.statement("S12")
def test_a_token_starts_only_its_modes(manager: Member) -> None:
    script = a_script(manager, limits=TokenLimits(modes=("update",)))
    answer = script.start(None, ("mode", "add"))
    assert verdict(answer) == "ERROR token_mode"
    assert "isn't valid for mode=add, only for mode=update" in text(answer)
    assert AuditEvent.objects.get(action="start").result == "not allowed"
    assert verdict(script.start()) == "OK update 1 accepted"


@pytest.mark.statement("S12")
def test_an_update_has_the_limits_of_its_token(manager: Member) -> None:
    script = a_script(manager, limits=TokenLimits(protected_columns=("STATUS",), max_percent=5))
    script.start()
    assert UpdateJob.objects.get().limits == {"columns": ["STATUS"], "percent": 5}


@pytest.mark.statement("S04", "S12")
def test_wrong_tokens_throttle_the_address_but_never_a_valid_one(script: Script) -> None:
    wrong = Script(script.token[:-3] + "000")
    for _ in range(MAX_FAILURES_PER_ADDRESS):
        assert wrong.status().status_code == 401
    assert verdict(wrong.status()) == "ERROR throttled"
    assert script.status().status_code == 200


@pytest.mark.statement("S04")
def test_a_valid_token_and_known_staff_get_in_whatever_others_have_sent_from_their_address(
    script: Script, manager: Member, maple: District
) -> None:
    assert Curl().status().status_code == 200
    newcomer = make_member(maple, "new@maple.example")
    for number in range(MAX_FAILURES_PER_ADDRESS):
        login = make_member(maple, f"{number}@maple.example").email
        assert verdict(Curl(login, "a wrong password").status()) == "ERROR sign_in_failed"
    assert verdict(Curl("x@maple.example", "wrong").status()) == "ERROR throttled"
    assert verdict(Curl(newcomer.email).status()) == "ERROR throttled"
    assert Curl().status().status_code == 200
    assert script.status().status_code == 200


def test_repeated_requests_are_audited_once_a_day(script: Script) -> None:
    AuditEvent.objects.all().delete()
    for _ in range(3):
        script.status()
    event = AuditEvent.objects.get()
    assert (event.action, event.result, event.detail) == (
        "sign in",
        "ok",
        f"token {Token.objects.get().key}",
    )


@pytest.mark.parametrize("part", [("login", "ops@maple.example"), ("password", PASSWORD)])
def test_a_token_and_a_login_are_two_sign_ins(script: Script, part: Part) -> None:
    assert verdict(script.status(part)) == "ERROR duplicate_field"


def test_a_token_sent_from_a_web_page_is_ignored(script: Script) -> None:
    assert verdict(script.status(origin="https://evil.example")) == "ERROR missing_login"


def test_a_token_in_the_address_is_refused(script: Script) -> None:
    answer = Client().post(f"/slc/studentupdate/status?token={script.token}", secure=True)
    assert verdict(answer) == "ERROR credentials_in_address"


def report(script: Script, number: int = 1, **headers: str) -> Any:
    meta = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    meta["HTTP_AUTHORIZATION"] = f"Bearer {script.token}"
    return Client().get(f"/updates/{number}", secure=True, **meta)  # type: ignore[arg-type]


def test_a_token_reads_the_report_that_status_names(script: Script, manager: Member) -> None:
    script.start()
    answer = report(script)
    assert (answer.status_code, first_line(answer)) == (200, first_line(script.status()))
    assert json.loads(report(script, accept="application/json").content)["update"] == 1
    event = AuditEvent.objects.filter(action="report").latest("pk")
    assert (event.result, event.member) == ("seen", manager)


@pytest.mark.statement("S07")
def test_a_token_opens_no_page(script: Script) -> None:
    script.start()
    header = f"Bearer {script.token}"
    for address in ("/updates/1", "/account", "/account/tokens"):
        page = Client().get(
            address, secure=True, HTTP_AUTHORIZATION=header, HTTP_ACCEPT="text/html"
        )
        assert (page.status_code, page["Location"].partition("?")[0]) == (302, "/sign-in")
    answer = Client().get("/account/tokens", secure=True, HTTP_AUTHORIZATION=header)
    assert answer.status_code != 200


@pytest.mark.statement("S07")
def test_a_report_needs_a_valid_token_with_the_scope_status(
    script: Script, manager: Member, neighbor: Member
) -> None:
    script.start()
    start_only = report(a_script(manager, Scope.START))
    assert (start_only.status_code, verdict(start_only)) == (403, "ERROR token_scope")
    assert AuditEvent.objects.get(action="report").result == "not allowed"
    assert report(a_script(neighbor)).status_code == 404
    elsewhere = report(a_script(manager, limits=TokenLimits(networks=("203.0.113.0/24",))))
    assert (elsewhere.status_code, verdict(elsewhere)) == (403, "ERROR token_network")
    Token.objects.update(revoked_at=timezone.now())
    revoked = report(script)
    assert (revoked.status_code, verdict(revoked)) == (401, "ERROR token_failed")


def test_a_token_of_a_lesser_role_reads_no_report(script: Script, manager: Member) -> None:
    script.start()
    teacher = make_member(manager.district, "it@maple.example", "instructor")
    answer = report(a_script(teacher))
    assert (answer.status_code, verdict(answer)) == (403, "ERROR not_allowed")


def test_a_token_sent_from_a_web_page_reads_no_report(script: Script) -> None:
    script.start()
    answer = report(script, origin="https://evil.example")
    assert (answer.status_code, verdict(answer)) == (401, "ERROR sign_in_needed")


def test_another_district_cannot_see_our_updates(script: Script, neighbor: Member) -> None:
    script.start()
    assert text(a_script(neighbor).status()) == "NONE Cedar County has not started an update yet\n"


TOKEN_NEEDED = (
    "ERROR token_needed: this account uses two-step verification, "
    f"so a password alone isn't enough; create a token at {PAGE} and "
    "send it to the upload commands: "
    "-H @token.txt instead of login and password\n"
)


@pytest.mark.statement("S07")
def test_with_two_step_verification_a_password_in_the_form_is_refused(
    curl: Curl, manager: Member
) -> None:
    with_second_factor(manager, timezone.now())
    for answer in (curl.start(), curl.status(), curl.cancel()):
        assert (answer.status_code, text(answer)) == (403, TOKEN_NEEDED)


@pytest.mark.statement("S07")
def test_with_two_step_verification_a_password_in_the_header_is_refused(
    curl: Curl, manager: Member
) -> None:
    curl.start()
    with_second_factor(manager, timezone.now())
    header = basic(manager.email, PASSWORD)
    for answer in (
        curl.post("start", [("file", File())], authorization=header),
        Client().get("/updates/1", secure=True, HTTP_AUTHORIZATION=header),
    ):
        assert (answer.status_code, text(answer)) == (403, TOKEN_NEEDED)


def test_the_token_created_with_two_step_verification_works(curl: Curl, manager: Member) -> None:
    setup = with_second_factor(manager, timezone.now())
    assert setup.token
    assert verdict(Script(setup.token).start()) == "OK update 1 accepted"


def test_a_wrong_password_does_not_reveal_two_step_verification(manager: Member) -> None:
    wrong = Curl(manager.email, "wrong").status()
    with_second_factor(manager, timezone.now())
    assert text(Curl(manager.email, "wrong").status()) == text(wrong)


def test_if_the_district_requires_two_step_verification_passwords_are_refused(
    curl: Curl, manager: Member
) -> None:
    script = a_script(manager)
    District.objects.update(requires_second_factor=True)
    answer = curl.start()
    assert (answer.status_code, text(answer)) == (
        403,
        "ERROR second_factor_missing: your district requires two-step verification, "
        "and this account doesn't use it yet; "
        "sign in at https://localhost:8443 in a browser and turn it on; "
        "you'll also get a token for your scripts there\n",
    )
    assert verdict(script.start()) == "OK update 1 accepted"
