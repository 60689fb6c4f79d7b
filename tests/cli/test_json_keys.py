"""The keys that the page of JSON lists are those that the commands print."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.models import Member
from rollbook.cli.command_parser import has_option, iter_commands
from rollbook.cli.json_facts import FACTS, TEXT
from rollbook.cli.json_keys import FORMS
from rollbook.cli.parser import WITHOUT_JSON, build_parser
from rollbook.districts.models import District
from tests.cli.conftest import Rollbook
from tests.cli.files import HEADER, row

COMMANDS = {command.prog: command for command in iter_commands(build_parser())}
MAPPING = {
    "format": 1,
    "name": "powerschool",
    "columns": [{"to": "STUDENT_ID", "from": ["Number"]}],
}

Json = Callable[..., Any]


def test_every_command_has_json_except_those_that_cannot() -> None:
    without = {name for name, each in COMMANDS.items() if not has_option(each, "--json")}
    assert without == WITHOUT_JSON


def test_every_command_with_json_of_its_own_is_listed() -> None:
    own = {
        name
        for name, each in COMMANDS.items()
        if name not in WITHOUT_JSON and not each.get_default("prints_text")
    }
    assert own == FORMS.keys()
    assert FACTS.keys() <= COMMANDS.keys() - FORMS.keys()


@pytest.fixture
def keys(rollbook: Rollbook) -> Json:
    """Run a command with --json, and compare the keys with the listed ones."""

    def run(*arguments: object) -> Any:
        name = _name(arguments)
        printed = json.loads(rollbook(*arguments, "--json").out)
        if name not in FORMS:
            expected = {*TEXT, *FACTS.get(name, {})}
            assert printed.keys() == expected, name
            assert printed["exit_code"] in {0, 1}
            return printed
        form = FORMS[name]
        assert isinstance(printed, list) == form.is_list
        for each in printed if form.is_list else [printed]:
            assert each.keys() - form.optional.keys() == form.keys.keys(), name
        return printed

    return run


def _name(arguments: tuple[object, ...]) -> str:
    for count in (1, 2):
        name = " ".join(("rollbook", *map(str, arguments[:count])))
        if name in COMMANDS:
            return name
    raise LookupError(arguments)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder with a file of each kind that commands read."""
    rows = (row("00123", "Ana", "Brook", grade="6"), row("00124", "Ben", "Cole", born="x"))
    (tmp_path / "students.csv").write_text("\n".join((HEADER, *rows, "")))
    (tmp_path / "schools.csv").write_text("SCHOOL_ID,NAME\n100,Maple Elementary\n")
    (tmp_path / "mapping.json").write_text(json.dumps(MAPPING))
    (tmp_path / "limits.json").write_text('{"discard_after_hours": 24}')
    (tmp_path / "wrong.toml").write_text("[[district]]\n")
    return tmp_path


class TestPrinted:
    """What commands print in a district with students, updates, staff and tokens."""

    @pytest.mark.django_db(transaction=True)
    def test_of_students_and_updates(
        self, keys: Json, maple: District, base: Path, files: Path
    ) -> None:
        keys("school", "load", "maple-usd", files / "schools.csv")
        assert keys("school", "list", "maple-usd")
        assert keys("student", "load", "maple-usd", base)["added"] == 2
        plan = keys("student", "check", "maple-usd", files / "students.csv")["plan"]["digest"]
        assert keys("update", "approve", "maple-usd", 2, "--plan", plan)["update"] == 2
        waiting = keys("student", "check", "maple-usd", base, "--no-wait")
        assert (waiting["update"], waiting["state"]) == (3, "received")
        assert keys("update", "show", "maple-usd", 2)["problems"][0]["code"] == "bad_date"
        assert keys("update", "cancel", "maple-usd", 3)["state"] == "canceled"
        assert keys("update", "retry", "maple-usd", 3)["update"] == 4
        assert keys("update", "watch", "maple-usd", 4)["state"] == "checked"
        assert keys("update", "start", "maple-usd", base)["update"] == 5
        assert len(keys("update", "list", "maple-usd")) == 5
        assert keys("update", "undo", "maple-usd", 1)["undoes"] == 1
        assert keys("student", "show", "maple-usd", "00123")["history"]
        assert keys("audit", "who-saw", "maple-usd", "--student", "00123")
        assert keys("file", "check", files / "students.csv")["problems"]

    @pytest.mark.django_db
    def test_of_districts_and_their_settings(
        self, keys: Json, maple: District, files: Path
    ) -> None:
        assert keys("district", "add", "Pine USD")["district"] == "pine-usd"
        keys("district", "set", "pine-usd", "--date-order", "dmy")
        keys("district", "suspend", "pine-usd", "--reason", "why")
        keys("district", "resume", "pine-usd")
        assert keys("district", "rename", "pine-usd", "--slug", "oak")["district"] == "oak"
        assert keys("district", "export", "oak", files)["bytes"] > 0
        number = keys("district", "delete", "oak", "--name", "Pine USD")["certificate"]
        assert len(keys("district", "list")) == 1
        keys("district", "show", "maple-usd")
        assert keys("certificate", "list")
        keys("certificate", "show", number)
        keys("schedule", "set", "maple-usd", "--time", "mon=02:00")
        assert keys("schedule", "show", "maple-usd")["times"]
        keys("sync", "show", "maple-usd")
        assert keys("limits", "set", "maple-usd", "--file", files / "limits.json")["version"] == 1
        keys("limits", "show", "maple-usd")
        keys("limits", "try", "maple-usd")
        assert keys("limits", "expect", "maple-usd", "--columns", "GRADE", "--one-update")
        keys("mapping", "save", "maple-usd", files / "mapping.json")
        assert keys("mapping", "list", "maple-usd")
        keys("mapping", "show", "maple-usd", "powerschool")
        keys("mapping", "remove", "maple-usd", "powerschool")
        assert keys("apply", files / "wrong.toml")["problems"]

    @pytest.mark.django_db
    def test_of_staff_and_the_installation(self, keys: Json, manager: Member) -> None:
        api_tokens.create(manager, "night", (Scope.STATUS,), timezone.now(), timedelta(days=1))
        ann = ("--first", "Ann", "--last", "Lee", "--role", "district manager")
        keys("staff", "add", "maple-usd", "ann@maple.example", *ann)
        assert keys("staff", "reinvite", "ann@maple.example", "--print-link")["link"]
        keys("staff", "deactivate", "ann@maple.example")
        keys("staff", "reactivate", "ann@maple.example")
        assert keys("staff", "list")
        assert keys("token", "list")
        assert keys("token", "revoke", "--all")["revoked"] == 1
        keys("session", "list")
        keys("session", "end", "--district", "maple-usd")
        keys("throttle", "list")
        keys("throttle", "clear", "--all")
        (mail, *_) = keys("outbox", "list")
        keys("outbox", "show", mail["id"])
        keys("outbox", "resend", mail["id"])
        assert keys("keys", "list")["keys"]
        keys("status")
        keys("alert", "list")
        keys("retention", "show")
        keys("mail", "show")
        keys("doctor")
