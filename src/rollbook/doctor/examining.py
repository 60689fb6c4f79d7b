"""One look after the other, each within a limit of time, and none of them a reason to miss the next."""

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from queue import Empty, SimpleQueue

from django.db import Error, connections

from rollbook.database.problems import problem
from rollbook.doctor.findings import Finding, error, skipped
from rollbook.doctor.installation import Installation
from rollbook.environment import BY_NAME

log = logging.getLogger(__name__)

LIMIT = 30.0  # seconds for one look; whatever asks the network gives up sooner


@dataclass(frozen=True, slots=True)
class Look:
    """``find`` names the function, as ``module.function`` in this folder: it is imported when its needs are there."""

    name: str
    find: str
    needs: tuple[str, ...] = ()


_OF_MAIL = tuple(name for name in sorted(BY_NAME) if name.startswith("ROLLBOOK_SMTP_"))
LOOKS = (
    Look("versions", "versions.look"),
    Look("data folder", "folder.look", ("ROLLBOOK_DATA",)),
    Look("disk", "disk.look", ("ROLLBOOK_DATA", "folder", "settings", "ROLLBOOK_MAX_UPLOAD_BYTES")),
    Look("database", "databases.look", ("settings", "DATABASE_URL")),
    Look("migrations", "migrations.look", ("settings", "database")),
    Look("keys", "keys.look", ("ROLLBOOK_DATA", "folder", "settings")),
    Look("clock", "clock.look", ("settings",)),
    Look("server", "server.look", ("ROLLBOOK_DATA", "folder", "settings")),
    Look("certificate", "certificate.look", ("settings",)),
    Look("worker", "work.worker", ("settings", "database", "tables")),
    Look("updates", "work.updates", ("settings", "database", "tables")),
    Look("letters", "work.letters", ("settings", "database", "tables")),
    Look("mail", "mail.look", ("settings", *_OF_MAIL)),
)


def examine(installation: Installation) -> Iterator[tuple[str, Finding]]:
    """The name of each part that is looked at and what was found there, as it is found."""
    yield from (("settings", finding) for finding in installation.findings)
    for look in LOOKS:
        lacking = next(filter(None, map(installation.lacks, look.needs)), None)
        found = [skipped(f"not looked at, as {lacking}")] if lacking else _within_limit(look, installation)
        yield from ((look.name, finding) for finding in found)


def _within_limit(look: Look, installation: Installation) -> Iterator[Finding]:
    findings: SimpleQueue[Finding | None] = SimpleQueue()
    threading.Thread(target=_look, args=(look, installation, findings), name=look.name, daemon=True).start()
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            finding = findings.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            yield error(
                f"the look at it has not come to an end within {LIMIT:.0f} s",
                "something that it asks, a disk or a name server, hangs; see the system's log",
            )
            return
        if finding is None:
            return
        yield finding


def _look(look: Look, installation: Installation, findings: "SimpleQueue[Finding | None]") -> None:
    module, _, name = look.find.partition(".")
    try:
        for finding in getattr(import_module(f"rollbook.doctor.{module}"), name)(installation):
            findings.put(finding)
    except Exception as fault:  # of this look alone
        findings.put(_fault(look, fault))
    finally:
        if installation.settings:
            connections.close_all()
        findings.put(None)


def _fault(look: Look, fault: Exception) -> Finding:
    told = problem(fault, connections["default"].settings_dict) if isinstance(fault, Error) else None
    if told:
        return error(told.what, told.repair)
    if isinstance(fault, OSError):
        where = f"{fault.filename}: " if fault.filename else ""
        return error(f"{where}{fault.strerror or fault}", "see that it is there, and that you may read it")
    log.exception("the look at %s failed", look.name)
    return error(f"the look at it failed ({type(fault).__name__})", "this is our fault; please report the line above")
