"""``rollbook staff``: add a member and turn off a lost second factor."""

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django import Settings

from rollbook.accounts.auth import emailed_links
from rollbook.accounts.members import changes
from rollbook.accounts.models import AccountMail, AuditEvent, Member
from rollbook.cli.actions import staff
from rollbook.districts.models import District
from rollbook.updates.engine import WorkerStatus
from tests.accounts.phone import with_second_factor
from tests.cli.conftest import Rollbook
from tests.conftest import make_member

pytestmark = pytest.mark.django_db

PASSWORD = "plum river candle fox"
ADD = ("staff", "add", "maple-usd", "Ana.Ruiz@maple.example", "--first", "Ana", "--last", "Ruiz")
MANAGER = (*ADD, "--role", "district manager")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\r\nnot this line\n")
    return path


def answer_prompts(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Answer prompts on a terminal; return the list that the prompts are added to."""
    prompts: list[str] = []
    remaining_answers = iter(answers)

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return next(remaining_answers)

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(staff, "getpass", ask)
    return prompts


def set_worker(monkeypatch: pytest.MonkeyPatch, *, alive: bool) -> None:
    """Set whether a worker is running."""
    monkeypatch.setattr(staff, "worker_status", lambda: WorkerStatus(alive=alive, at=None))


@pytest.mark.statement("S08")
def test_without_a_password_the_member_is_invited(
    rollbook: Rollbook, maple: District, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.EMAIL_HOST = "mail.maple.example"
    set_worker(monkeypatch, alive=True)
    result = rollbook(*MANAGER)
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "Invited Ana Ruiz, district manager of Maple USD. The login is ana.ruiz@maple.example.\n"
        "The invitation will be emailed now.\n"
    )
    letter = AccountMail.objects.get()
    assert (letter.member, letter.kind, letter.actor) == (
        Member.objects.get(),
        "invitation",
        None,
    )
    assert not letter.member.has_usable_password()


def test_without_a_mail_server_the_location_of_the_invitation_is_printed(
    rollbook: Rollbook, maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_worker(monkeypatch, alive=False)
    result = rollbook(*MANAGER)
    assert result.out.splitlines()[1:] == [
        f"No mail server is configured: the invitation will be saved in {settings.MAIL_FOLDER} "
        "when `rollbook serve` runs. Send the member the link in it."
    ]


def test_the_audit_log_says_how_a_member_was_added(
    rollbook: Rollbook, maple: District, file: Path
) -> None:
    rollbook(*MANAGER)
    rollbook(
        "staff", "add", "maple-usd", "ben@maple.example", *MANAGER[4:], "--password-file", file
    )
    assert list(AuditEvent.objects.order_by("pk").values_list("action", "detail")) == [
        ("staff add", "invited ana.ruiz@maple.example, district manager"),
        ("staff add", "added ben@maple.example, district manager"),
    ]


@pytest.mark.parametrize("password", [(), ("--password-file",)])
def test_schools_are_identified_by_their_id(
    rollbook: Rollbook, maple: District, file: Path, password: tuple[str, ...]
) -> None:
    how = (*password, file) if password else ()
    result = rollbook(*ADD, "--role", "school manager", "--school", "100", "--school", "200", *how)
    assert (result.code, result.err) == (0, "")
    assert sorted(Member.objects.values_list("schools__organization_id", flat=True)) == [
        "100",
        "200",
    ]


def test_a_school_of_the_neighbor_does_not_exist(
    rollbook: Rollbook, maple: District, cedar: District
) -> None:
    result = rollbook(*ADD, "--role", "instructor", "--school", "900")
    assert (result.code, result.err) == (
        1,
        "ERROR member_refused: there is no school '900' in this district; no member was added\n",
    )
    assert not Member.objects.exists()


def test_a_password_is_either_prompted_for_or_read_from_a_file(
    rollbook: Rollbook, maple: District, file: Path
) -> None:
    assert rollbook(*MANAGER, "--ask-password", "--password-file", file).code == 2
    assert not Member.objects.exists()


def test_the_first_line_of_the_password_file_is_the_password(
    rollbook: Rollbook, maple: District, file: Path
) -> None:
    result = rollbook(*MANAGER, "--password-file", file)
    assert (result.code, result.err) == (0, "")
    assert (
        result.out
        == "Added Ana Ruiz, district manager of Maple USD. The login is ana.ruiz@maple.example.\n"
    )
    member = Member.objects.get()
    assert (member.district, member.email, member.role.name) == (
        maple,
        "ana.ruiz@maple.example",
        "district manager",
    )
    assert member.check_password(PASSWORD)
    assert PASSWORD not in " ".join(AuditEvent.objects.values_list("detail", flat=True))
    assert not AccountMail.objects.exists()


def test_the_password_can_be_read_from_stdin(
    rollbook: Rollbook, maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert rollbook(*MANAGER, "--password-file", "-").code == 0
    assert Member.objects.get().check_password(PASSWORD)


def test_on_a_terminal_the_password_is_prompted_for_twice(
    rollbook: Rollbook, maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = answer_prompts(monkeypatch, PASSWORD, PASSWORD)
    assert rollbook(*MANAGER, "--ask-password").code == 0
    assert prompts == ["Password for Ana.Ruiz@maple.example: ", "Repeat the password: "]
    assert Member.objects.get().check_password(PASSWORD)


def test_different_passwords_add_no_member(
    rollbook: Rollbook, maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_prompts(monkeypatch, PASSWORD, f"{PASSWORD} ")
    result = rollbook(*MANAGER, "--ask-password")
    assert (result.code, result.err) == (
        1,
        "ERROR passwords_differ: the two passwords are not the same; "
        "no member was added, try again\n",
    )
    assert not Member.objects.exists()


def test_without_a_terminal_the_prompt_is_a_usage_error(
    rollbook: Rollbook, maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    result = rollbook(*MANAGER, "--ask-password")
    assert (result.code, result.err) == (
        2,
        "ERROR no_terminal: there is no terminal to prompt for the password on; "
        "use --password-file FILE (- is stdin)\n",
    )


def test_an_invalid_member_is_reported_with_every_reason(
    rollbook: Rollbook, maple: District, file: Path
) -> None:
    file.write_text("mapleusd\n")
    result = rollbook(*ADD, "--role", "manager", "--password-file", file)
    assert result.code == 1
    assert result.err == (
        "ERROR member_refused: there is no role 'manager'; "
        "the roles are district manager, school manager, instructor; "
        "password not accepted: it is shorter than 15 characters: "
        "a few words in a row are easy to remember; "
        "password not accepted: it contains 'Maple USD', which an attacker knows: leave that out; "
        "no member was added\n"
    )


def test_a_login_used_by_the_neighbor_is_an_error_that_does_not_say_whose_it_is(
    rollbook: Rollbook, maple: District, neighbor: Member, file: Path
) -> None:
    command = ("staff", "add", "maple-usd", neighbor.email, *MANAGER[4:])
    result = rollbook(*command, "--password-file", file)
    assert (result.code, Member.objects.count()) == (1, 1)
    assert "Cedar" not in result.err


def test_a_missing_password_file_is_named(
    rollbook: Rollbook, maple: District, tmp_path: Path
) -> None:
    result = rollbook(*MANAGER, "--password-file", tmp_path / "none")
    assert result.code == 1
    assert result.err.startswith(
        f"ERROR not_possible: {tmp_path}/none: No such file or directory; "
    )


@pytest.mark.statement("S11")
def test_a_password_is_never_an_argument(rollbook: Rollbook, maple: District) -> None:
    result = rollbook(*MANAGER, "--password", PASSWORD)
    assert result.code == 2
    assert not Member.objects.exists()


OFF = ("staff", "second-factor-off")


def test_a_lost_second_factor_is_turned_off_on_the_host(
    rollbook: Rollbook, manager: Member
) -> None:
    with_second_factor(manager)
    AccountMail.objects.all().delete()
    result = rollbook(*OFF, "OPS@maple.example")
    assert (result.code, result.err) == (0, "")
    assert (
        result.out
        == "Ana Ruiz can sign in with just the password. The login is ops@maple.example.\n"
    )
    assert not Member.objects.get().has_second_factor
    letter = AccountMail.objects.get()
    assert (letter.member, letter.kind, letter.actor) == (
        manager,
        "two-step verification off",
        None,
    )
    event = AuditEvent.objects.get(action="staff second-factor-off")
    assert (event.district, event.member, event.detail) == (
        manager.district, None, "turned off for ops@maple.example",
    )  # fmt: skip


def test_a_login_of_several_districts_needs_the_name_of_one(
    rollbook: Rollbook, manager: Member, neighbor: Member
) -> None:
    invited = ("--first", "Eve", "--last", "Doe", "--role", "district manager")
    for district in ("maple-usd", "cedar-county"):
        assert rollbook("staff", "add", district, "eve@new.example", *invited).code == 0
    result = rollbook("staff", "deactivate", "eve@new.example")
    assert (result.code, result.err) == (
        1,
        "ERROR ambiguous_member: 'eve@new.example' is a member of several districts, or invited "
        "to them; write cedar-county:eve@new.example, for example; nothing was changed\n",
    )
    assert not Member.objects.filter(is_active=False).exists()
    assert rollbook("staff", "deactivate", "cedar-county:eve@new.example").code == 0
    assert Member.objects.get(is_active=False).district == neighbor.district


@pytest.mark.statement("S49")
@pytest.mark.parametrize(
    ("command", "notice", "is_told"),
    [
        (("deactivate", "ben@maple.example"), "deactivated", True),
        (("reactivate", "ben@maple.example"), "reactivated", True),
        (("second-factor-off", "ben@maple.example"), "two-step verification off", False),
        (
            (*ADD[1:], "--role", "district manager"),
            "manager added",
            False,
        ),
    ],
)
def test_changes_by_the_operator_are_reported(
    rollbook: Rollbook, manager: Member, command: tuple[str, ...], notice: str, *, is_told: bool
) -> None:
    ben = make_member(manager.district, "ben@maple.example", "school manager")
    with_second_factor(ben)
    if command[0] == "reactivate":
        changes.deactivate(ben, None)
    AccountMail.objects.all().delete()
    result = rollbook("staff", *command)
    assert (result.code, result.err) == (0, "")
    queued = AccountMail.objects.filter(notice=notice)
    recipients = {mail.member.email for mail in queued.select_related("member")}
    assert recipients == {manager.email} | ({ben.email} if is_told else set())
    assert not queued.exclude(actor=None).exists()


@pytest.mark.parametrize(
    ("email", "error"),
    [
        (
            "ops@maple.example",
            "ERROR no_second_factor: ops@maple.example does not use two-step verification; "
            "nothing was changed",
        ),
        (
            "who@maple.example",
            "ERROR no_such_member: there is no member with the login 'who@maple.example', "
            "and nothing was changed; `rollbook staff list` lists all of them",
        ),
        (
            "opps@maple.example",
            "ERROR no_such_member: there is no member with the login 'opps@maple.example', "
            "and nothing was changed; did you mean ops@maple.example?",
        ),
    ],
)
def test_without_a_second_factor_or_member_it_is_an_error(
    rollbook: Rollbook, manager: Member, email: str, error: str
) -> None:
    result = rollbook(*OFF, email)
    assert (result.code, result.err) == (1, f"{error}\n")
    assert not AuditEvent.objects.exists()


# Listing, inviting again, deactivating


def test_the_staff_of_all_districts_or_of_one_is_listed(
    rollbook: Rollbook, manager: Member, neighbor: Member
) -> None:
    with_second_factor(manager)
    result = rollbook("staff", "list")
    assert (result.code, result.err) == (0, "")
    assert [line.split()[:2] for line in result.out.splitlines()[1:]] == [
        ["cedar-county", neighbor.email],
        ["maple-usd", manager.email],
    ]
    [listed] = json.loads(rollbook("staff", "list", "maple-usd", "--json").out)
    assert listed == {
        "district": "maple-usd",
        "login": manager.email,
        "first_name": "Ana",
        "last_name": "Ruiz",
        "role": "district manager",
        "state": "active",
        "two_step_verification": True,
        "receives_results": False,
        "last_sign_in": None,
        "schools": [],
    }


def test_a_terminal_shows_states_with_signs_and_colors(
    rollbook: Rollbook, manager: Member, maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollbook(*MANAGER)
    left = make_member(maple, "left@maple.example")
    Member.objects.filter(pk=left.pk).update(is_active=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = rollbook("staff", "list").out
    assert "  \x1b[32m✓ active" in out
    assert "  \x1b[36minvited" in out
    assert "  \x1b[2mnot active" in out


def test_nobody_is_listed_in_a_district_without_staff(rollbook: Rollbook, maple: District) -> None:
    assert rollbook("staff", "list", "maple-usd").out == "There are no staff members.\n"


def test_a_member_is_deactivated_and_reactivated(
    rollbook: Rollbook, manager: Member, maple: District
) -> None:
    other = make_member(maple, "ben@maple.example")
    result = rollbook("staff", "deactivate", " Ben@maple.example")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("Ana Ruiz can no longer sign in.")
    other.refresh_from_db()
    assert not other.is_active
    again = rollbook("staff", "deactivate", other.email)
    assert again.err == (
        "ERROR already_done: ben@maple.example is not active already; nothing was changed\n"
    )
    assert rollbook("staff", "reactivate", other.email).code == 0
    other.refresh_from_db()
    assert other.is_active
    assert rollbook("staff", "reactivate", other.email).code == 1
    actions = AuditEvent.objects.order_by("pk").values_list("action", "detail")
    assert list(actions) == [
        ("staff deactivate", other.email),
        ("staff reactivate", other.email),
    ]


def test_the_last_manager_is_not_deactivated(rollbook: Rollbook, manager: Member) -> None:
    result = rollbook("staff", "deactivate", manager.email)
    assert result.err == (
        "ERROR member_refused: Ana Ruiz is the last district manager who can sign in; add another "
        "one first; nothing was changed\n"
    )
    assert not AuditEvent.objects.exists()


@pytest.mark.statement("S08")
def test_an_invitation_is_printed_and_works(rollbook: Rollbook, maple: District) -> None:
    rollbook(*MANAGER)
    before = AccountMail.objects.count()
    result = rollbook("staff", "reinvite", "ana.ruiz@maple.example", "--print-link")
    assert (result.code, result.err) == (0, "")
    token = result.out.strip().removeprefix(f"{settings.URL}/password/")
    member, kind = emailed_links.read_token(token)
    assert (member.email, kind) == ("ana.ruiz@maple.example", "invitation")
    assert AccountMail.objects.count() == before
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.detail) == (
        "staff reinvite",
        "printed a link for ana.ruiz@maple.example",
    )
    assert token not in "".join(AuditEvent.objects.values_list("detail", flat=True))


def test_an_invitation_is_emailed_again_but_not_at_once(
    rollbook: Rollbook, maple: District
) -> None:
    rollbook(*MANAGER)
    result = rollbook("staff", "reinvite", "ana.ruiz@maple.example")
    assert result.err.endswith(
        "was invited a moment ago; check whether that email arrives; no invitation was sent\n"
    )
    AccountMail.objects.update(queued_at=timezone.now() - timedelta(minutes=6))
    assert rollbook("staff", "reinvite", "ana.ruiz@maple.example").code == 0
    assert AccountMail.objects.count() == 2


@pytest.mark.parametrize("option", [[], ["--print-link"]])
def test_a_member_with_a_password_is_not_invited(
    rollbook: Rollbook, manager: Member, option: list[str]
) -> None:
    result = rollbook("staff", "reinvite", manager.email, *option)
    assert result.err == (
        "ERROR member_refused: ops@maple.example already has a password; they can reset it from "
        "the sign-in page; no invitation was sent\n"
    )


@pytest.mark.statement("S05")
def test_accounts_that_nobody_uses_are_listed(
    rollbook: Rollbook, manager: Member, neighbor: Member
) -> None:
    assert rollbook("staff", "list", "--unused", "90").out == (
        "Every active account was used in the last 90 days.\n"
    )
    Member.objects.filter(pk=manager.pk).update(added_at=timezone.now() - timedelta(days=91))
    [listed] = json.loads(rollbook("staff", "list", "--unused", "90", "--json").out)
    assert listed["login"] == manager.email
    assert rollbook("staff", "list", "--unused", "92", "--json").out == "[]\n"
