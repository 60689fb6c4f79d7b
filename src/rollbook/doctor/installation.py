"""The installation that is checked, and what the checks pass on to later ones."""

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
    """One data folder with its settings, some of which may be wrong.

    Attributes:
        data: The data folder.
        variables: The settings in the environment.
        settings: Django's settings; None if they can't be loaded.
        findings: What is wrong with the settings.
        server: The running ``rollbook serve``, if there is one.
        certificate: The certificate and its key, if they are not in the data folder.
        behind_proxy: Whether a proxy terminates TLS.
        mail_to: Where to send a test email; empty for none.
        database: Whether the database can be used; set by its check.
        tables: Whether the tables are those of this version; set by the check of migrations.
    """

    data: Path
    variables: Variables
    settings: Any | None
    results: list[CheckResult]
    server: Server | None
    certificate: tuple[Path, Path] | None = None
    behind_proxy: bool = False
    mail_to: str = ""
    database: bool = field(default=False, init=False)
    tables: bool = field(default=False, init=False)

    def missing_requirement(self, requirement: str) -> str:
        """Return why a requirement of a check is not met; empty if it is.

        Args:
            requirement: The name of a variable that must be right, or one of the words below.
        """
        reasons = {
            "settings": "" if self.settings else "the settings cannot be loaded",
            "folder": _why_closed(self.data),
            "database": "" if self.database else "the database cannot be used",
            "tables": "" if self.tables else "the database is not ready for this version",
        }
        if requirement in reasons:
            return reasons[requirement]
        return f"{requirement} is wrong" if requirement in self.variables.wrong else ""


def load_installation(data: Path, variables: Variables, arguments: Namespace) -> Installation:
    """Load the settings, without creating a folder or a key."""
    findings = list(variables.results)
    loaded: Any = None
    try:
        _set_up()
        loaded = settings
    except Exception as fault:  # the other checks must still run
        findings.append(
            error(
                f"the settings cannot be loaded ({type(fault).__name__}: {fault})",
                "see the line above, or report it",
            )
        )
    server = find(data)
    certificate = None
    if arguments.cert and arguments.key:
        certificate = (arguments.cert, arguments.key)
    behind_proxy = arguments.behind_proxy or BEHIND_PROXY.read(variables.values)
    return Installation(
        data,
        variables,
        loaded,
        findings,
        server,
        certificate=certificate or (server and server.certificate) or None,
        behind_proxy=behind_proxy or bool(server and server.behind_proxy and not certificate),
        mail_to=arguments.mail_to or "",
    )


def _why_closed(data: Path) -> str:
    """Return why the content of the data folder can't be checked; empty if it can."""
    try:
        if not data.is_dir():
            return "there is no data folder"
    except OSError:  # no access to its parent folder
        return "the data folder cannot be reached"
    return "" if os.access(data, os.R_OK | os.X_OK) else "this account cannot open the data folder"


def _set_up() -> None:
    if not apps.ready:
        django.setup()
