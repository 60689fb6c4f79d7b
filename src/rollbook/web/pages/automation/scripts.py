"""Nightly scripts with the values of a district; the documentation has the same scripts."""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time

from django.conf import settings
from django.template.loader import render_to_string

FOLDER = "/opt/rollbook-nightly"
"""The folder that the page suggests for the scripts."""

RUN_AT = time(4, 30)
"""The local time at which the scripts run.

Clocks change between 9 PM and 4 AM: a job that is due then can be skipped or run twice.
"""


@dataclass(frozen=True)
class Values:
    """The values that are filled into a script.

    Attributes:
        address: The URL of the upload commands, without the name of a command.
        login: The email address that the script signs in with.
        district: The name of the district.
        time_zone: The district's time zone, such as "America/Chicago".
        fails_on_rejected: Whether the script exits with an error if rows were rejected.
    """

    address: str
    login: str
    district: str
    time_zone: str
    fails_on_rejected: bool = False


@dataclass(frozen=True)
class Script:
    """How values are quoted in a script, and the line ends and encoding of its file."""

    quote: Callable[[str], str]
    line_end: str = "\n"
    encoding: str = "utf-8"

    def as_file(self, text: str) -> bytes:
        r"""Return the contents of the file for a text whose lines end with ``\n``."""
        return text.replace("\n", self.line_end).encode(self.encoding)


def _powershell(text: str) -> str:
    """Quote a value for PowerShell, which accepts five characters as a single quote."""
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", text) + "'"


def _unit(text: str) -> str:
    """Quote a value for a systemd unit file: one line, with ``%`` and backslash doubled."""
    printable = "".join(filter(str.isprintable, text))
    return printable.replace("\\", "\\\\").replace("%", "%%")


SCRIPTS: Mapping[str, Script] = {
    "nightly.sh": Script(shlex.quote),
    "rollbook-nightly.service": Script(_unit),
    "rollbook-nightly.timer": Script(_unit),
    # Windows PowerShell reads a file as UTF-8 only if it has a byte order mark.
    "nightly.ps1": Script(_powershell, line_end="\r\n", encoding="utf-8-sig"),
}


def script(name: str, values: Values) -> str:
    r"""Return the script with this name; its lines end with ``\n``.

    Raises:
        KeyError: If there is no such script.
    """
    quote = SCRIPTS[name].quote
    fails = "yes" if values.fails_on_rejected else "no"
    context = {
        "fail_on_rejected": fails,
        "address": quote(values.address),
        "login": quote(values.login),
        "district": quote(values.district),
        "time_zone": values.time_zone,
        "folder": FOLDER,
        "run_at": RUN_AT,
    }
    # Adding "\n" makes it a plain string, so that a page that shows the script escapes it.
    return render_to_string(f"automation/scripts/{name}", context).rstrip("\n") + "\n"


def commands_url() -> str:
    """Return the URL of the upload commands, without the name of a command."""
    return f"{settings.URL}/slc/studentupdate"
