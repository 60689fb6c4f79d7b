"""Find the Chromium to test the pages in, or install it.

The browser named by an environment variable is used, otherwise one on the PATH. Without any,
``make test`` installs Chromium if it may.
"""

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
)  # without any fonts, pages have no visible text
INSTALL_COMMAND = "sudo apt-get install chromium"
LOCK_TIMEOUT_S = 300
"""How long to wait for other processes that are installing packages."""
MAX_OUTPUT_CHARS = 2000
"""How much of apt-get's output an error message contains."""


class BrowserProblem(Exception):
    """There is no browser to test with; the text says why and how to fix it."""


def find() -> Path:
    """Return the path of the browser to test with.

    Raises:
        BrowserProblem: There is none. If the environment names a browser that doesn't work,
            no other one is used instead.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return _check_named(Path(named))
    for name in NAMES:
        on_path = shutil.which(name)
        if on_path and version(Path(on_path)):
            return Path(on_path)
    raise BrowserProblem(
        f"there is no Chromium to test the pages in; run `{INSTALL_COMMAND}`, "
        f"or set {VARIABLE} to the path of a Chromium or Chrome"
    )


def version(browser: Path) -> str:
    """Return the browser's name and version.

    The text is empty if the program doesn't run on this machine, or if it only prints how to
    get Chromium, like Ubuntu's placeholder for the snap.
    """
    try:
        output = subprocess.run(
            [browser, "--version"], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return ""
    match = re.search(r"(?:Chromium|Google Chrome) [\d.]+", output)
    return match[0] if match else ""


def find_or_install() -> Path:
    """Return the path of the browser to test with, after installing one if necessary.

    Chromium is installed only by root, on a machine with apt-get, if the environment names no
    browser.

    Raises:
        BrowserProblem: There is none, and it can't be installed.
    """
    apt_get = shutil.which("apt-get")
    try:
        return find()
    except BrowserProblem:
        if os.environ.get(VARIABLE) or os.geteuid() != 0 or not apt_get:
            raise
    with _lock(Path(apt_get)):
        try:
            return find()  # another test run may have installed it in the meantime
        except BrowserProblem:
            _install(apt_get)
    return find()


def _check_named(browser: Path) -> Path:
    if not version(browser):
        raise BrowserProblem(
            f"{VARIABLE} names {browser}, which isn't a Chromium or Chrome that runs on this "
            "machine; set it to one that does, or unset it to test with an installed one "
            f"(`{INSTALL_COMMAND}`)"
        )
    return browser.absolute()


def _install(apt_get: str) -> None:
    """Update the package lists, which may be old or missing, and install Chromium.

    A failed update of the lists is ignored, because the old ones may be good enough.
    """
    print(f"Installing {', '.join(PACKAGES)} with apt-get, to test the pages in", flush=True)
    update = _run_apt(apt_get, "update")
    install = _run_apt(apt_get, "install", "-y", "--no-install-recommends", *PACKAGES)
    if install.returncode:
        output = (update.stdout + install.stdout)[-MAX_OUTPUT_CHARS:].strip()
        raise BrowserProblem(
            f"Chromium could not be installed: `apt-get install` ended with {install.returncode}; "
            f"fix the problem and run `{INSTALL_COMMAND}`, or set {VARIABLE} to the path of a "
            f"Chromium or Chrome. The output was:\n{output}"
        )


def _run_apt(apt_get: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [apt_get, "-q", "-o", f"DPkg::Lock::Timeout={LOCK_TIMEOUT_S}", *arguments],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Lock a file against other test runs; ``apt-get update`` doesn't wait for another one."""
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
