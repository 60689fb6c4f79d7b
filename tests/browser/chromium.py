"""Which Chromium the pages are tested in: a named one, else the machine's; ``make test`` installs it if it may."""

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "ROLLBOOK_TEST_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = (
    "chromium",
    "chromium-sandbox",
    "fonts-dejavu-core",
)  # without any fonts a page shows no text
MENDS = "sudo apt-get install chromium"
PATIENCE = 300  # seconds for others who install something
SHOWN = 2000  # characters of what apt-get said


class BrowserProblem(Exception):
    """There is no browser to test with; the text says why, and what to do."""


def find() -> Path:
    """The browser to test with.

    Raises BrowserProblem if there is none, or none under the name that the environment gives: then never another one.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return _named(Path(named))
    for name in NAMES:
        on_path = shutil.which(name)
        if on_path and version(Path(on_path)):
            return Path(on_path)
    raise BrowserProblem(
        f"there is no Chromium to test the pages in; run `{MENDS}`, or let {VARIABLE} name a Chromium or Chrome"
    )


def version(browser: Path) -> str:
    """What it calls itself; empty if it does not run on this machine, or only says where to get one, as Ubuntu's."""
    try:
        said = subprocess.run(
            [browser, "--version"], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return ""
    found = re.search(r"(?:Chromium|Google Chrome) [\d.]+", said)
    return found[0] if found else ""


def find_or_install() -> Path:
    """The same, after installing Debian's if there is none and whoever asks is root on a machine with apt-get."""
    apt_get = shutil.which("apt-get")
    try:
        return find()
    except BrowserProblem:
        if os.environ.get(VARIABLE) or os.geteuid() != 0 or not apt_get:
            raise
    with _one_at_a_time(Path(apt_get)):
        try:
            return find()  # which the other one has installed meanwhile
        except BrowserProblem:
            _install(apt_get)
    return find()


def _named(browser: Path) -> Path:
    if not version(browser):
        raise BrowserProblem(
            f"{VARIABLE} names {browser}, which is no Chromium or Chrome that runs here; name one that does, or unset "
            f"it to test with the machine's (`{MENDS}`)"
        )
    return browser.absolute()


def _install(apt_get: str) -> None:
    """The lists of packages may be old or missing; if they cannot be had, the old ones may do."""
    print(f"Installing {', '.join(PACKAGES)} with apt-get, to test the pages in", flush=True)
    listed = _apt(apt_get, "update")
    done = _apt(apt_get, "install", "-y", "--no-install-recommends", *PACKAGES)
    if done.returncode:
        raise BrowserProblem(
            f"Chromium could not be installed: `apt-get install` ended with {done.returncode}; once that is mended, "
            f"run `{MENDS}`, or let {VARIABLE} name a Chromium or Chrome. It said:\n"
            + (listed.stdout + done.stdout)[-SHOWN:].strip()
        )


def _apt(apt_get: str, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [apt_get, "-q", "-o", f"DPkg::Lock::Timeout={PATIENCE}", *words],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


@contextmanager
def _one_at_a_time(what: Path) -> Iterator[None]:
    """Of two test runs; ``apt-get update`` does not wait for another one by itself."""
    with what.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
