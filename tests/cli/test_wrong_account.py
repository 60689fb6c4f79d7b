"""A command on a data folder of another account does nothing, and names that account."""

import json
import os
import pwd
from pathlib import Path

import pytest

from rollbook import system_accounts
from tests.cli.conftest import Rollbook

NOBODY = pwd.getpwnam("nobody").pw_uid
NO_NAME = 54_321
"""An account that this machine has no name for."""

COMMANDS = (
    ("serve",),
    ("web", "--behind-proxy"),
    ("worker",),
    ("admin",),
    ("migrate",),
    ("adopt",),
    ("doctor",),
    ("doctor", "--json"),
    ("district", "add", "Maple USD", "--time-zone", "America/Chicago"),
    ("school", "load", "maple-usd", "schools.csv"),
    ("update", "list", "maple-usd"),
    ("retention", "show"),
)
"""One or more of each kind of bootstrap, with all that would write to the folder."""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("ROLLBOOK_DATA", str(folder))
    return folder


def give_to(owner: int, folder: Path, runs_as: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the folder to this account, or let this process believe so if it isn't root."""
    if os.getuid() == 0:
        os.chown(folder, owner, -1)
    else:
        status = list(folder.stat())
        status[4] = owner
        real = Path.stat
        monkeypatch.setattr(
            Path,
            "stat",
            lambda path, **how: os.stat_result(status) if path == folder else real(path, **how),
        )
    monkeypatch.setattr(os, "geteuid", lambda: runs_as)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_root_on_a_folder_of_another_account_creates_nothing(
    rollbook: Rollbook, data: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    give_to(NOBODY, data, 0, monkeypatch)
    result = rollbook(*command)
    words = [word for word in command[:2] if word.isalpha()]
    printed = json.loads(result.out)["error"]["code"] if "--json" in command else result.out
    assert (result.code, printed) == (1, "wrong_account" if "--json" in command else "")
    assert result.err == (
        f"ERROR wrong_account: the data folder {data} belongs to nobody, but this command runs as "
        "root; run it as the account that owns the folder: "
        f"`sudo -u nobody rollbook {' '.join(words)} ...`\n"
    )
    assert list(data.iterdir()) == []


def test_another_account_is_refused_too(
    rollbook: Rollbook, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_to(NO_NAME, data, NOBODY, monkeypatch)
    error = rollbook("retention", "resume").err
    assert f"belongs to account {NO_NAME}, but this command runs as nobody" in error
    assert f"`sudo -u '#{NO_NAME}' rollbook retention resume ...`" in error


@pytest.mark.parametrize("account", [0, NOBODY])
def test_an_account_on_its_own_folder_is_not_refused(
    data: Path, monkeypatch: pytest.MonkeyPatch, account: int
) -> None:
    give_to(account, data, account, monkeypatch)
    assert system_accounts.other_owner(data) is None


def test_a_folder_that_does_not_exist_yet_belongs_to_no_other_account(tmp_path: Path) -> None:
    assert system_accounts.other_owner(tmp_path / "new") is None
