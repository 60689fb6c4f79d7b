"""Each key lost in turn: nothing starts, doctor says why, and one command lets it start again."""

import shutil
import ssl
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from rollbook.accounts.key_ring import NAMES
from tests.cli import process
from tests.doctor.host import doctor, serving
from tests.installations import copied, environment, installed

REFRESH_S = 5.5
"""A little longer than a process uses the versions of keys before it reads them again."""


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with all keys."""
    data = installed(tmp_path_factory.mktemp("used") / "data")
    done = process.rollbook("district", "add", "Maple USD", env=environment(data))
    assert done.returncode == 0, done.stderr
    return data


def refusal(data: Path, *command: str) -> str:
    """Start the command, which must end with one line on stderr."""
    done = process.rollbook(*command, env=environment(data))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    return done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_lost_key_is_named_and_can_be_replaced(used: Path, tmp_path: Path, name: str) -> None:
    data = copied(used, tmp_path / "data")
    (data / "keys" / name).unlink()
    for command in (["worker"], ["serve", "--port", "0"], ["web", "--behind-proxy"]):
        line = refusal(data, *command)
        assert f"in {data / 'keys'} the key {name} is missing; " in line
        assert f"run `rollbook keys accept-loss {name}`, which first says what is lost" in line
    assert doctor(data).parts["keys"] == [("error", f"the key {name} is missing")]
    done = process.rollbook("keys", "accept-loss", name, "--yes", env=environment(data))
    assert (done.returncode, done.stderr) == (0, "")
    assert doctor(data).results("keys") == ["ok"]
    done = process.rollbook("retention", "show", env=environment(data))
    assert (done.returncode, done.stderr) == (0, "")


def page_of(link: str, port: int) -> str:
    """Return the page of an invitation's link."""
    path = "/password/" + link.strip().rpartition("/")[2]
    context = ssl._create_unverified_context()  # noqa: S323 - our own certificate
    with urlopen(f"https://localhost:{port}{path}", context=context) as page:
        text: str = page.read().decode()
        return text


@pytest.mark.daily_on("sqlite")
def test_a_running_server_follows_a_rotation(used: Path, tmp_path: Path) -> None:
    data = copied(used, tmp_path / "data")
    env = environment(data)
    add = ("staff", "add", "maple-usd", "ana@maple.example", "--first", "Ana", "--last", "Ruiz")
    print_link = ("staff", "reinvite", "ana@maple.example", "--print-link")
    process.rollbook(*add, "--role", "district manager", env=env)
    with serving(data) as (_, port):
        before = process.rollbook(*print_link, env=env).stdout
        assert "Ana" in page_of(before, port)
        done = process.rollbook("keys", "rotate", "session", "--activate", env=env)
        assert (done.returncode, done.stderr) == (0, "")
        after = process.rollbook(*print_link, env=env).stdout
        time.sleep(REFRESH_S)
        assert "Ana" in page_of(after, port)
        assert "Ana" in page_of(before, port)
        assert doctor(data).results("keys") == ["ok"]


@pytest.mark.only_on("postgresql")
def test_another_machine_is_told_what_to_copy_and_works_until_then(
    used: Path, tmp_path: Path
) -> None:
    first = copied(used, tmp_path / "first")
    second = tmp_path / "second"
    shutil.copytree(first, second)
    env = environment(first)
    there = {"DATABASE_URL": env["DATABASE_URL"]}

    def works() -> bool:
        done = process.rollbook("retention", "show", env=environment(second, **there))
        return done.returncode == 0

    assert process.rollbook("keys", "rotate", "logins", env=env).returncode == 0
    [(level, what)] = doctor(second, **there).parts["keys"][:1]
    assert (level, what.startswith("the key logins.2 is missing")) == ("warning", True)
    assert works()
    assert process.rollbook("keys", "activate", "logins", env=env).returncode == 0
    assert doctor(second, **there).parts["keys"] == [("error", "the key logins.2 is missing")]
    assert not works()
    shutil.copy2(first / "keys" / "logins.2", second / "keys" / "logins.2")
    assert doctor(second, **there).results("keys") == ["ok"]
    assert works()
