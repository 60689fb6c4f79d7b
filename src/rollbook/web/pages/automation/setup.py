"""The download of the wizard: scripts, token and instructions for one platform, in a ZIP file."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

from django.template.loader import render_to_string

from rollbook.web.pages.automation.scripts import FOLDER, RUN_AT, SCRIPTS, Values, script

READ_ME = "README.txt"
TOKEN = "token.txt"  # noqa: S105 - a name
PRIVATE, EXECUTABLE = 0o600, 0o700
_FOLDER_IN_ZIP = "rollbook-nightly"
_MODE_SHIFT = 16  # where a ZIP file has the mode of a file


@dataclass(frozen=True)
class Platform:
    """What runs the script every night.

    Attributes:
        title: Its name for people.
        scripts: The names of the files that it needs.
        line_end: How lines end in text files there.
    """

    title: str
    scripts: tuple[str, ...]
    line_end: str = "\n"


PLATFORMS: Mapping[str, Platform] = {
    "cron": Platform("Linux, cron", ("nightly.sh",)),
    "systemd": Platform(
        "Linux, systemd", ("nightly.sh", "rollbook-nightly.service", "rollbook-nightly.timer")
    ),
    "windows": Platform("Windows, Task Scheduler", ("nightly.ps1",), line_end="\r\n"),
}
"""The platforms by their name in addresses."""


def steps(name: str) -> str:
    """Return what is left to do on a platform, as plain text."""
    context = {"folder": FOLDER, "run_at": RUN_AT}
    return render_to_string(f"automation/steps/{name}.txt", context).strip() + "\n"


def zip_file(name: str, values: Values, secret: str) -> bytes:
    """Return the download for a platform.

    Args:
        name: A key of ``PLATFORMS``.
        values: What is filled into the scripts.
        secret: The token, which is in no other place.
    """
    platform = PLATFORMS[name]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in platform.scripts:
            content = SCRIPTS[each].as_file(script(each, values))
            _add(archive, each, content, EXECUTABLE if each == "nightly.sh" else PRIVATE)
        texts = {TOKEN: f"Authorization: Bearer {secret}\n", READ_ME: steps(name)}
        for each, text in texts.items():
            content = text.replace("\n", platform.line_end).encode()
            _add(archive, each, content, PRIVATE)
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes, mode: int) -> None:
    entry = zipfile.ZipInfo(f"{_FOLDER_IN_ZIP}/{name}")
    entry.external_attr = mode << _MODE_SHIFT
    archive.writestr(entry, content)
