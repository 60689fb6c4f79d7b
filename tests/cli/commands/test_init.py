"""``rollbook init``."""

import io

import pytest
from django.conf import settings

from rollbook.accounts.auth import emailed_links
from rollbook.accounts.models import AccountMail, AuditEvent, Member
from rollbook.districts.models import District
from tests.cli.conftest import Rollbook

pytestmark = pytest.mark.django_db

OPTIONS = {
    "--district": "Maple USD",
    "--time-zone": "America/Chicago",
    "--email": "Ana.Ruiz@maple.example",
    "--first": "Ana",
    "--last": "Ruiz",
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def options(**changes: str | None) -> list[str]:
    given = OPTIONS | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return [word for name, value in given.items() if value is not None for word in (name, value)]


@pytest.mark.statement("S08")
def test_options_answer_every_question(rollbook: Rollbook) -> None:
    result = rollbook("init", *options())
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0] == "Added Maple USD. Its short name is maple-usd."
    district = District.objects.get()
    assert (district.slug, district.time_zone) == ("maple-usd", "America/Chicago")
    token = lines[2].removeprefix(f"{settings.URL}/password/")
    member, _ = emailed_links.read_token(token)
    assert (member.email, member.role.is_fixed) == ("ana.ruiz@maple.example", True)
    assert not AccountMail.objects.exists()
    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["district add", "staff add"]


def test_what_is_missing_is_asked_and_asked_again(
    rollbook: Rollbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = "\nMaple USD\nChicago\nAmerica/Chicago\nana@maple.example\nAna\nRuiz\n"
    monkeypatch.setattr("sys.stdin", Terminal(answers))
    result = rollbook("init")
    assert (result.code, "?" in result.out) == (0, False)
    assert "the name of a district must have 1 to 100 printable characters" in result.err
    assert "there is no time zone 'Chicago'; did you mean America/Chicago?" in result.err
    assert Member.objects.get().email == "ana@maple.example"


def test_only_what_is_missing_is_asked(rollbook: Rollbook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("ana@maple.example\n"))
    result = rollbook("init", *options(email=None))
    assert result.code == 0
    assert result.err == "Email of the first district manager, which is the login: "
    assert result.out.startswith("Added Maple USD.")


def test_an_end_of_input_creates_nothing(
    rollbook: Rollbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("Maple USD\n"))
    result = rollbook("init")
    assert "\nERROR no_answer: Time zone" in result.err
    assert not District.objects.exists()


def test_without_a_terminal_the_missing_options_are_named(rollbook: Rollbook) -> None:
    result = rollbook("init", *options(email=None, last=None))
    assert (result.code, result.err) == (
        2,
        "ERROR no_terminal: there is no terminal to ask on; use --email, --last\n",
    )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"time_zone": "Mars/Olympus"}, "ERROR unknown_time_zone: "),
        ({"district": "\n"}, "ERROR bad_name: "),
        ({"email": "ana"}, "ERROR member_refused: 'ana' isn't an email address"),
        ({"first": ""}, "ERROR member_refused: "),
    ],
)
def test_a_bad_answer_creates_nothing(
    rollbook: Rollbook, changes: dict[str, str], error: str
) -> None:
    result = rollbook("init", *options(**changes))
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(error)
    assert not District.objects.exists()
    assert not AuditEvent.objects.exists()


def test_an_installation_is_set_up_once(rollbook: Rollbook, maple: District) -> None:
    result = rollbook("init", *options())
    assert result.err.startswith("ERROR already_set_up: this installation has districts already;")
