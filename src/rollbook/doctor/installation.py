"""The installation that is looked at: what is known of it before, and what one look leaves to the next."""

import os
from argparse import Namespace
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.conf import settings

from rollbook.doctor.environment import Variables
from rollbook.doctor.result import CheckResult, error
from rollbook.doctor.server_process import Server, find
from rollbook.environment import BEHIND_PROXY


@dataclass
class Installation:
    """One data folder with its settings, some of which may be of no use.

    ``database`` and ``tables`` are filled by the looks at them: whether it answers, and whether it has all that this
    version of Rollbook expects.
    """

    data: Path
    variables: Variables
    settings: Any | None
    findings: list[CheckResult]
    server: Server | None
    certificate: tuple[Path, Path] | None = None
    behind_proxy: bool = False
    mail_to: str = ""
    database: bool = field(default=False, init=False)
    tables: bool = field(default=False, init=False)

    def missing_requirement(self, need: str) -> str:
        """Why there is not what a look needs; nothing if it is there. A need is a variable, or one of these words."""
        reasons = {
            "settings": "" if self.settings else "the settings cannot be loaded",
            "folder": _why_closed(self.data),
            "database": "" if self.database else "the database cannot be used",
            "tables": "" if self.tables else "the database is not ready for this version",
        }
        return reasons.get(need, f"{need} is wrong" if need in self.variables.wrong else "")


def opened(data: Path, variables: Variables, arguments: Namespace) -> Installation:
    """Load the settings, which creates neither a folder nor a key."""
    findings = list(variables.findings)
    found: Any = None
    try:
        _set_up()
        found = settings
    except Exception as fault:  # whatever it is, the other looks go on
        findings.append(
            error(
                f"they cannot be loaded ({type(fault).__name__}: {fault})",
                "see the line above, or report it",
            )
        )
    server = find(data)
    given = (arguments.cert, arguments.key) if arguments.cert and arguments.key else None
    behind_proxy = arguments.behind_proxy or BEHIND_PROXY.read(variables.values)
    return Installation(
        data,
        variables,
        found,
        findings,
        server,
        certificate=given or (server.certificate if server else None),
        behind_proxy=behind_proxy or bool(server and server.behind_proxy and not given),
        mail_to=arguments.mail_to or "",
    )


def _why_closed(data: Path) -> str:
    """Why nothing can be said of what is in the data folder; nothing if it is open to us."""
    try:
        if not data.is_dir():
            return "there is no data folder"
    except OSError:  # the folder above it is closed
        return "the data folder cannot be reached"
    return "" if os.access(data, os.R_OK | os.X_OK) else "the data folder is closed to this account"


def _set_up() -> None:
    if not apps.ready:
        django.setup()
