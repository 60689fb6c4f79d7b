"""How the browser is come by: the named one, the machine's, an installed one, or a loud word about how to get it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.chromium import MENDS, VARIABLE, BrowserProblem, find, find_or_install

pytestmark = pytest.mark.without_database

ROOT = Path(__file__).parents[2]


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has nothing but what stands in this folder."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


def test_the_named_one_is_taken_and_no_other(
    nothing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(nothing / "chromium", "echo Chromium 1.2.3")
    named = program(nothing / "mine", "echo Google Chrome 4.5.6")
    monkeypatch.setenv(VARIABLE, str(named))
    assert find() == named
    monkeypatch.setenv(VARIABLE, str(nothing / "nothing"))
    with pytest.raises(BrowserProblem, match=f"{VARIABLE} names .*nothing, which is no Chromium"):
        find()


def test_the_machines_is_found_unless_it_only_says_where_to_get_one(nothing: Path) -> None:
    program(nothing / "chromium", "echo 'Command requires the chromium snap'; exit 10")
    chrome = program(nothing / "google-chrome", "echo Google Chrome 4.5.6")
    assert find() == chrome


def test_without_one_it_is_said_how_to_get_it(nothing: Path) -> None:
    with pytest.raises(BrowserProblem, match=MENDS):
        find_or_install()


def test_root_installs_it(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = f"printf '#!/bin/sh\\necho Chromium 1.2.3\\n' > {nothing}/chromium; /bin/chmod +x {nothing}/chromium"
    program(nothing / "apt-get", f'case "$*" in *install*) {made} ;; esac')
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert find_or_install() == nothing / "chromium"


def test_others_do_not(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(nothing / "apt-get", "exit 1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(BrowserProblem, match=MENDS):
        find_or_install()


def test_what_the_installation_said_is_told_if_it_fails(
    nothing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(nothing / "apt-get", "echo no such package; exit 100")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(BrowserProblem, match=r"ended with 100.*\n*no such package"):
        find_or_install()


def test_a_run_without_a_browser_fails_before_it_begins(tmp_path: Path) -> None:
    environment = os.environ | {VARIABLE: str(tmp_path / "nothing")}
    done = subprocess.run(
        [sys.executable, "-m", "tests", "--on", "sqlite", "tests/browser/test_journeys.py"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"ERROR no_browser: {VARIABLE} names ")


def test_pytest_by_itself_is_red_without_a_browser_and_says_how_to_get_one(tmp_path: Path) -> None:
    environment = os.environ | {VARIABLE: str(tmp_path / "nothing")}
    one = "tests/browser/test_machinery.py::test_a_good_page_is_good"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", one]
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "1 error" in done.stdout
    assert f"BrowserProblem: {VARIABLE} names " in done.stdout
    assert MENDS in done.stdout


def test_whoever_does_not_test_pages_needs_none(tmp_path: Path) -> None:
    environment = os.environ | {VARIABLE: str(tmp_path / "nothing")}
    command = [
        sys.executable,
        "-m",
        "tests",
        "--on",
        "sqlite",
        "tests/studentfile/test_spelling.py",
    ]
    assert (
        subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, check=False
        ).returncode
        == 0
    )
