"""Finding the browser: the named one, one on the PATH, an installed one, or a clear error."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import depth
from tests.browser.chromium import (
    INSTALL_COMMAND,
    VARIABLE,
    BrowserProblem,
    find,
    find_or_install,
)

pytestmark = pytest.mark.without_database

ROOT = Path(__file__).parents[2]


def write_program(path: Path, script: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is the whole PATH."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


def test_only_the_named_browser_is_used(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_program(programs / "chromium", "echo Chromium 1.2.3")
    named = write_program(programs / "mine", "echo Google Chrome 4.5.6")
    monkeypatch.setenv(VARIABLE, str(named))
    assert find() == named
    monkeypatch.setenv(VARIABLE, str(programs / "missing"))
    message = f"{VARIABLE} names .*missing, which isn't a Chromium"
    with pytest.raises(BrowserProblem, match=message):
        find()


def test_a_browser_on_the_path_is_found_unless_it_is_a_placeholder(programs: Path) -> None:
    write_program(programs / "chromium", "echo 'Command requires the chromium snap'; exit 10")
    chrome = write_program(programs / "google-chrome", "echo Google Chrome 4.5.6")
    assert find() == chrome


def test_without_a_browser_the_error_contains_the_install_command(programs: Path) -> None:
    with pytest.raises(BrowserProblem, match=INSTALL_COMMAND):
        find_or_install()


def test_root_installs_chromium(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chromium = programs / "chromium"
    script = f"printf '#!/bin/sh\\necho Chromium 1.2.3\\n' > {chromium}; /bin/chmod +x {chromium}"
    write_program(programs / "apt-get", f'case "$*" in *install*) {script} ;; esac')
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert find_or_install() == chromium


def test_other_users_do_not_install_chromium(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_program(programs / "apt-get", "exit 1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(BrowserProblem, match=INSTALL_COMMAND):
        find_or_install()


def test_the_error_of_a_failed_installation_contains_the_output(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_program(programs / "apt-get", "echo no such package; exit 100")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(BrowserProblem, match=r"ended with 100.*\n*no such package"):
        find_or_install()


def test_a_run_without_a_browser_fails_before_it_starts(tmp_path: Path) -> None:
    environment = os.environ | {VARIABLE: str(tmp_path / "missing")}
    process = subprocess.run(
        [sys.executable, "-m", "tests", "--on", "sqlite", "tests/browser/test_journeys.py"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.startswith(f"ERROR no_browser: {VARIABLE} names ")


def test_pytest_without_a_browser_fails_with_the_install_command(tmp_path: Path) -> None:
    whole = {depth.NIGHTLY_VARIABLE: "1"}  # it may not be the test's day
    environment = os.environ | {VARIABLE: str(tmp_path / "missing")} | whole
    test_id = "tests/browser/test_faults.py::test_a_good_page_has_no_faults"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", test_id]
    process = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.returncode == 1
    assert "1 error" in process.stdout
    assert f"BrowserProblem: {VARIABLE} names " in process.stdout
    assert INSTALL_COMMAND in process.stdout


def test_a_run_without_page_tests_needs_no_browser(tmp_path: Path) -> None:
    environment = os.environ | {VARIABLE: str(tmp_path / "missing")}
    test_file = "tests/studentfile/test_spelling.py"
    command = [sys.executable, "-m", "tests", "--on", "sqlite", test_file]
    process = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=False)
    assert process.returncode == 0
