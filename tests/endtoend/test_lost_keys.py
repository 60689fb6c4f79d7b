"""Each key lost in turn: nothing starts, doctor says why, and one command lets it start again."""

from pathlib import Path

import pytest

from rollbook.accounts.key_ring import NAMES
from tests.cli import process
from tests.doctor.host import doctor
from tests.installations import copied, environment, installed


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
