"""``make demo`` and ``make demo-spreadsheet``."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli import process
from tests.patience import TIMEOUT_S

pytestmark = pytest.mark.process

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.only_on("sqlite")  # it creates its own data folder and sets no database
@pytest.mark.daily_share(1 / 8)
def test_the_demo_runs_as_documented(tmp_path: Path) -> None:
    env = {**process.environment(), "TMPDIR": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, EXAMPLES / "demo.py"],
        env=env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("$ curl -F ") >= 6
    assert list(tmp_path.iterdir()) == []


@pytest.mark.only_on("sqlite")
@pytest.mark.daily_share(1 / 8)
def test_the_demo_with_a_spreadsheet_applies_every_good_row(tmp_path: Path) -> None:
    env = {**process.environment(), "TMPDIR": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, EXAMPLES / "spreadsheet_demo.py"],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "every good row was applied" in result.stdout


def test_a_made_up_district_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        subprocess.run(
            [sys.executable, EXAMPLES / "made_up_district.py", tmp_path / name, "300"], check=True
        )
    for file in ("schools.csv", "base.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert (
        process.rollbook(
            "file", "check", tmp_path / "one" / "base.csv", env=process.environment()
        ).returncode
        == 0
    )
