"""The nightly scripts, with a district's own values filled in; the documentation shows the same ones."""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time

from django.conf import settings
from django.template.loader import render_to_string

FOLDER = "/opt/rollbook-nightly"
"""Where the words beside the scripts say that they are put."""

AT = time(4, 30)
"""When they run. Clocks are changed between nine in the evening and four: what is due then is missed, or due twice."""


@dataclass(frozen=True)
class Values:
    """What is filled in: the address of the commands, the login, and whose students they are."""

    address: str
    login: str
    district: str
    time_zone: str


@dataclass(frozen=True)
class Script:
    """One file: how values are quoted in it, and the line ends and the encoding that its readers expect."""

    quote: Callable[[str], str]
    line_end: str = "\n"
    encoding: str = "utf-8"

    def as_file(self, text: str) -> bytes:
        """The text with ``\\n`` between its lines, as it stands on a disk."""
        return text.replace("\n", self.line_end).encode(self.encoding)


def _powershell(text: str) -> str:
    """Each of the five characters that PowerShell takes for a single quote stands for itself if it is doubled."""
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", text) + "'"


def _unit(text: str) -> str:
    """In a unit file a % begins something of systemd's, and nothing may go on behind the line."""
    return (
        "".join(char for char in text if char.isprintable())
        .replace("\\", "\\\\")
        .replace("%", "%%")
    )


SCRIPTS: Mapping[str, Script] = {
    "nightly.sh": Script(shlex.quote),
    "rollbook-nightly.service": Script(_unit),
    "rollbook-nightly.timer": Script(_unit),
    # Without a mark at its beginning, the PowerShell that is part of Windows does not take a file for UTF-8.
    "nightly.ps1": Script(_powershell, line_end="\r\n", encoding="utf-8-sig"),
}


def script(name: str, values: Values) -> str:
    """The script of this name, with ``\\n`` between its lines. Raises KeyError if there is none."""
    quote = SCRIPTS[name].quote
    facts = {
        "address": quote(values.address),
        "login": quote(values.login),
        "district": quote(values.district),
        "time_zone": values.time_zone,
        "folder": FOLDER,
        "at": AT,
    }
    # No longer marked as safe: on a page it must be escaped like any other text.
    return render_to_string(f"automation/scripts/{name}", facts).rstrip("\n") + "\n"


def address() -> str:
    """Of the three commands, without the last word."""
    return f"{settings.URL}/slc/studentupdate"
