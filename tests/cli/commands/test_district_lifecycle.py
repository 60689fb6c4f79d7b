"""``rollbook district``: list, show, rename, suspend, resume, export and delete."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone

from rollbook.accounts.models import AuditEvent, Member
from rollbook.db.triggers import install_triggers
from rollbook.districts.models import District
from rollbook.operations.lifecycle import deletion, destruction
from rollbook.operations.models import Destruction
from tests.accounts.audit.test_seals import bypass_triggers
from tests.cli.conftest import Rollbook
from tests.operations.lifecycle.district import fill, rows
from tests.updates.night import a_class, enroll, send

REASON = "the contract has ended"
DELETE = ("district", "delete", "maple-usd", "--without-export", "--name", "Maple USD")


@pytest.fixture
def enrolled(maple: District) -> District:
    enroll(maple, a_class(3))
    return maple


class Terminal(io.StringIO):
    """Standard input of a person at a terminal."""

    def isatty(self) -> bool:
        return True


def test_list_without_districts(rollbook: Rollbook, db: None) -> None:
    result = rollbook("district", "list")
    assert result.out == 'There is no district yet; add one with `rollbook district add "NAME"`.\n'


def test_list(rollbook: Rollbook, enrolled: District, cedar: District) -> None:
    rollbook("district", "suspend", "cedar-county", "--reason", REASON)
    lines = [line.split() for line in rollbook("district", "list").out.splitlines()]
    assert lines[0][:4] == ["district", "name", "active", "inactive"]
    assert lines[1] == [
        "cedar-county",
        *["Cedar", "County", "0", "0", "2", "0", "none", "0", "bytes", "suspended"],
    ]
    assert lines[2][:9] == ["maple-usd", *["Maple", "USD", "3", "0", "2", "0", "1", "completed"]]
    assert lines[2][-1] == "active"


def test_list_as_json(rollbook: Rollbook, enrolled: District, cedar: District) -> None:
    cedars, maples = json.loads(rollbook("district", "list", "--json").out)
    assert (cedars["district"], cedars["last_update"]) == ("cedar-county", None)
    assert (maples["students_active"], maples["last_update_state"]) == (3, "completed")
    assert maples["last_update_ended_at"].endswith("+00:00")


def test_show(rollbook: Rollbook, enrolled: District) -> None:
    rollbook("district", "suspend", "maple-usd", "--reason", REASON)
    out = rollbook("district", "show", "maple-usd").out
    assert out.startswith("Maple USD (maple-usd)\n\n  state ")
    for line in (
        "state                  suspended",
        f"reason                 {REASON}",
        "students               3 active, 0 inactive",
        "last update            1, completed <time>",
        "date order             month first",
        "audit is kept          7 years",
    ):
        assert f"  {line}\n" in out
    (shown,) = [json.loads(rollbook("district", "show", "maple-usd", "--json").out)]
    assert (shown["state"], shown["suspension_reason"]) == ("suspended", REASON)


def test_rename(rollbook: Rollbook, enrolled: District, manager: Member) -> None:
    arguments = ("--name", "Maple  Unified", "--slug", "maple-unified")
    result = rollbook("district", "rename", "maple-usd", *arguments)
    assert result.out == (
        "The district is called Maple Unified now. Its short name is maple-unified.\n"
        "Change maple-usd to maple-unified in your own scripts with commands.\n"
    )
    assert rollbook("update", "list", "maple-unified").code == 0
    gone = rollbook("update", "list", "maple-usd")
    assert gone.err.startswith("ERROR no_such_district: ")
    assert "did you mean maple-unified?" in gone.err


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        ((), 2, "nothing_to_set"),
        (("--name", ""), 1, "bad_name"),
        (("--slug", "Maple"), 1, "not_renamed"),
        (("--slug", "maple-usd"), 1, "not_renamed"),
    ],
)
def test_rename_needs_a_new_and_valid_name(
    rollbook: Rollbook, maple: District, arguments: tuple[str, ...], code: int, error: str
) -> None:
    result = rollbook("district", "rename", "maple-usd", *arguments)
    assert (result.code, result.err.split(":")[0]) == (code, f"ERROR {error}")


def test_suspend_and_resume_say_which_updates_wait(rollbook: Rollbook, enrolled: District) -> None:
    send(enrolled, a_class(3, GRADE="9"))
    suspended = rollbook("district", "suspend", "maple-usd", "--reason", REASON)
    assert suspended.out == (
        "Maple USD is suspended: nobody in it can sign in or upload. Its data is kept.\n"
        "Paused until it is resumed: update 2.\n"
    )
    resumed = rollbook("district", "resume", "maple-usd")
    assert resumed.out == "Maple USD is active again.\nContinued: update 2.\n"
    again = rollbook("district", "resume", "maple-usd")
    assert again.err == "ERROR not_resumed: Maple USD isn't suspended; nothing was changed\n"


def test_a_suspended_district_cannot_load_students(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    rollbook("district", "suspend", "maple-usd", "--reason", REASON)
    result = rollbook("student", "load", "maple-usd", base)
    assert (result.code, result.err) == (
        1,
        f"ERROR district_suspended: Maple USD is suspended: {REASON}; "
        "`rollbook district resume maple-usd` resumes it\n",
    )


def test_an_export_to_a_missing_folder_names_the_folder(
    rollbook: Rollbook, maple: District, tmp_path: Path
) -> None:
    result = rollbook("district", "export", "maple-usd", tmp_path / "none" / "maple.zip")
    assert result.code == 1
    assert result.err.startswith(
        f"ERROR not_possible: {tmp_path}/none: No such file or directory; "
    )


def test_export_and_delete(rollbook: Rollbook, enrolled: District, tmp_path: Path) -> None:
    exported = rollbook("district", "export", "maple-usd", tmp_path)
    assert exported.out.startswith(f"Exported Maple USD to {tmp_path}/maple-usd-")
    (archive,) = tmp_path.glob("*.zip")
    deleted = rollbook(*DELETE[:3], "--name", "Maple USD", "--certificates", tmp_path / "c")
    assert deleted.code == 0, deleted.err
    assert "Deleted Maple USD.\n" in deleted.out
    finished = Destruction.objects.get()
    digest = finished.export_digest
    assert digest in exported.out
    path = tmp_path / "c" / f"certificate-{finished.pk}-maple-usd.json"
    assert f"Certificate {finished.pk}: {path}\n" in deleted.out
    assert rollbook("certificate", "verify", path).code == 0
    assert rollbook("district", "show", "maple-usd").code == 1
    assert rollbook("audit", "check").code == 0
    assert archive.exists()


def test_an_existing_file_is_not_replaced(
    rollbook: Rollbook, maple: District, tmp_path: Path
) -> None:
    target = tmp_path / "maple.zip"
    target.write_text("mine", encoding="utf-8")
    result = rollbook("district", "export", "maple-usd", target)
    assert result.err == (
        f"ERROR file_exists: {target} already exists; choose another name, or a folder\n"
    )


def test_a_dry_run_shows_counts_and_removes_nothing(rollbook: Rollbook, enrolled: District) -> None:
    rollbook("district", "list")  # the first command stores the fingerprints of the keys
    before = rows()
    result = rollbook("district", "delete", "maple-usd", "--dry-run")
    assert result.out.startswith("This removes Maple USD (maple-usd) and cannot be undone:\n")
    assert "    3  students\n" in result.out
    assert result.out.endswith("Nothing was removed.\n")
    assert rows() == before


@pytest.mark.parametrize(
    ("arguments", "exit_code", "error"),
    [
        (("--name", "Maple USD"), 1, "no_export"),
        (("--without-export",), 2, "no_terminal"),
        (("--without-export", "--name", "maple-usd"), 1, "not_confirmed"),
    ],
)
def test_nothing_is_deleted_without_export_and_name(
    rollbook: Rollbook,
    enrolled: District,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    exit_code: int,
    error: str,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("Maple USD\n"))
    rollbook("district", "list")  # the first command stores the fingerprints of the keys
    before = rows()
    result = rollbook("district", "delete", "maple-usd", *arguments)
    assert (result.code, result.err.split(":")[0]) == (exit_code, f"ERROR {error}")
    assert "nothing was removed" in result.err
    assert rows() == before


@pytest.mark.parametrize(("typed", "code"), [("Maple USD\n", 0), ("yes\n", 1), ("", 1)])
def test_the_name_is_typed_at_a_terminal(
    rollbook: Rollbook,
    maple: District,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    typed: str,
    code: int,
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    arguments = ("--without-export", "--certificates", tmp_path)
    result = rollbook("district", "delete", "maple-usd", *arguments)
    assert result.code == code
    assert District.objects.exists() == bool(code)


def test_an_interrupted_deletion_is_continued_without_asking_again(
    rollbook: Rollbook, enrolled: District, tmp_path: Path
) -> None:
    begun = deletion.start(enrolled, timezone.now(), None)
    destruction.advance(begun.pk, deletion.remove_batch)
    listed = rollbook("district", "list").out
    assert "being deleted" in listed
    assert "`rollbook district delete maple-usd` continues" in listed
    for arguments in (("update", "list"), ("student", "export"), ("district", "suspend")):
        more = ("--reason", "x") if "suspend" in arguments else ()
        refused = rollbook(*arguments, "maple-usd", *more)
        assert refused.err.startswith("ERROR district_being_deleted: "), arguments
    result = rollbook("district", "delete", "maple-usd", "--certificates", tmp_path)
    assert result.out.startswith("Continuing to delete Maple USD.\nDeleted Maple USD.\n")


def test_a_broken_audit_is_investigated_first(
    rollbook: Rollbook, maple: District, tmp_path: Path
) -> None:
    fill(maple)
    event = AuditEvent.objects.filter(district=maple).latest("pk")
    bypass_triggers(f"UPDATE accounts_auditevent SET detail = 'x' WHERE id = {event.pk}")
    install_triggers(DEFAULT_DB_ALIAS)
    refused = rollbook(*DELETE)
    assert refused.err.startswith("ERROR audit_broken: audit events of Maple USD were changed")
    result = rollbook(*DELETE, "--broken-audit", "--certificates", tmp_path)
    assert result.code == 0
    assert rollbook("audit", "check").code == 1


def test_the_certificate_can_be_saved_later(
    rollbook: Rollbook, maple: District, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    result = rollbook(*DELETE, "--certificates", blocked)
    assert result.code == 0
    number = Destruction.objects.get().pk
    assert f"save it with `rollbook certificate save {number}`" in result.err
    saved = rollbook("certificate", "save", number, "--certificates", tmp_path / "later")
    assert saved.out.count(f"Certificate {number}: ") == 2


def test_commands_of_other_districts_do_not_see_it(
    rollbook: Rollbook, enrolled: District, cedar: District
) -> None:
    enroll(cedar, a_class(2))
    before: Any = json.loads(rollbook("district", "show", "cedar-county", "--json").out)
    rollbook(*DELETE)
    assert json.loads(rollbook("district", "show", "cedar-county", "--json").out) == before
