"""``rollbook keys``."""

import json
from pathlib import Path

import pytest
from django.conf import settings

from rollbook.accounts import key_fingerprints, key_ring
from rollbook.accounts.key_ring import NAMES
from rollbook.accounts.models import AuditEvent, Member
from rollbook.cli.commands.keys import NAMES as NAMES_OF_COMMAND
from rollbook.operations.keys import catalog
from tests.accounts.phone import with_second_factor
from tests.cli.conftest import Rollbook

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The keys of this test's database, as after the first start."""
    monkeypatch.setattr(settings, "KEYS", tmp_path / "keys")
    key_fingerprints.verify_keys()
    return tmp_path / "keys"


def on_sqlite(monkeypatch: pytest.MonkeyPatch, *, really: bool) -> None:
    monkeypatch.setattr(settings, "ON_POSTGRESQL", not really)


def test_the_names_are_the_same_everywhere() -> None:
    assert NAMES_OF_COMMAND == NAMES == tuple(catalog.PURPOSES)


def test_all_keys_are_listed_without_their_bytes(
    folder: Path, rollbook: Rollbook, manager: Member
) -> None:
    with_second_factor(manager)
    (folder / "session").unlink()
    result = rollbook("keys", "list")
    assert (result.code, result.err) == (0, "")
    header, *rows = result.out.splitlines()
    assert header.split() == [
        *("key", "version", "state", "created", "file", "needed", "by", "purpose")
    ]
    assert [row.split()[0] for row in rows] == list(NAMES)
    assert "is missing" in rows[0]
    logins = " ".join(rows[1].split())
    assert "complete 1 two-step verification secret, 10 recovery codes protects" in logins
    output = rollbook("keys", "list", "--json").out
    listed = json.loads(output)["keys"]
    assert [key["file"] for key in listed] == ["is missing", *["complete"] * 5]
    for name in NAMES[1:]:
        assert (folder / name).read_bytes().hex() not in output + result.out


def test_one_machine_uses_the_new_key_right_away(
    folder: Path, rollbook: Rollbook, manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_sqlite(monkeypatch, really=True)
    with_second_factor(manager)
    result = rollbook("keys", "rotate", "logins")
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "New data is protected with version 2 of logins. The old key is kept.\n"
        "1 secret encrypted again.\n"
    )
    events = AuditEvent.objects.filter(action__startswith="keys").order_by("pk")
    assert list(events.values_list("action", "detail")) == [
        ("keys rotate", "logins version 2"),
        ("keys activate", "logins version 2"),
    ]


def test_with_other_machines_the_new_key_is_activated_later(
    folder: Path, rollbook: Rollbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_sqlite(monkeypatch, really=False)
    first = rollbook("keys", "rotate", "session")
    assert first.out == (
        f"Created version 2 of session, which isn't used yet. Copy {folder}/session.2 to the same "
        "folder of all other machines, then run `rollbook keys activate session`.\n"
    )
    assert key_ring.ring("session").current == 1
    assert rollbook("keys", "activate", "session").code == 0
    assert key_ring.ring("session").current == 2
    again = rollbook("keys", "activate", "session")
    assert (again.code, again.err) == (
        1,
        "ERROR no_new_key: there is no new version of session; create one with `rollbook keys "
        "rotate session`\n",
    )


def test_an_operator_of_one_machine_activates_at_once(
    folder: Path, rollbook: Rollbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_sqlite(monkeypatch, really=False)
    assert rollbook("keys", "rotate", "session", "--activate").code == 0
    assert key_ring.ring("session").current == 2


def test_a_key_that_was_not_copied_is_not_activated(
    folder: Path, rollbook: Rollbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_sqlite(monkeypatch, really=False)
    rollbook("keys", "rotate", "session")
    (folder / "session.2").unlink()
    result = rollbook("keys", "activate", "session")
    assert result.err.startswith(f"ERROR key_unusable: {folder}/session.2 is missing; copy it")


def test_a_loss_is_explained_and_accepted(folder: Path, rollbook: Rollbook) -> None:
    (folder / "row-digests").unlink()
    (folder / "logins").write_bytes(b"")
    refused = rollbook("district", "set", "maple-usd", "--encoding", "utf-8")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == (
        f"ERROR other_keys: in {folder} the key logins is empty and the key row-digests is "
        "missing; copy the file from a backup or from the machine that has it, or, if there is no "
        "copy, run `rollbook keys accept-loss logins row-digests`, which first says what is lost\n"
    )
    result = rollbook("keys", "accept-loss", "logins", "row-digests", "--yes")
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        f"In {folder} the key logins is empty. What is lost:\n"
        "  Nothing, as nothing has been written with it.\n"
        f"In {folder} the key row-digests is missing. What is lost:\n"
        "  The next file of each district is read in full, which takes longer.\n"
        f"logins has been replaced by {folder}/logins.2. Copy it to all other machines.\n"
        f"row-digests has been replaced by {folder}/row-digests.2. Copy it to all other machines.\n"
    )
    assert rollbook("retention", "show").code == 0


def test_without_a_terminal_a_loss_needs_an_option(folder: Path, rollbook: Rollbook) -> None:
    (folder / "logins").unlink()
    result = rollbook("keys", "accept-loss", "logins")
    assert (result.code, result.err) == (
        2,
        "ERROR no_terminal: there is no terminal to confirm this on; use --yes; no key was "
        "replaced\n",
    )
    assert not (folder / "logins.2").exists()


def test_a_key_that_is_not_lost_is_kept(folder: Path, rollbook: Rollbook) -> None:
    result = rollbook("keys", "accept-loss", "logins", "--yes")
    assert (result.code, result.err) == (
        1,
        "ERROR key_not_lost: the key logins can be used; nothing was changed\n",
    )
