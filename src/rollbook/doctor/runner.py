"""Run the checks one after the other, each within a time limit; none that fails or hangs stops the next."""

import logging
import threading
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue

from django.db import Error, connections

from rollbook.db.diagnosis import diagnose
from rollbook.doctor.checks import CHECKS, DoctorCheck
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, skipped

log = logging.getLogger(__name__)

TIME_LIMIT_S = 30.0  # seconds for one check; what asks the network gives up sooner


def run_checks(installation: Installation) -> Iterator[tuple[str, CheckResult]]:
    """Yield the name of each part that is checked and what was found there, as it is found."""
    yield from (("settings", finding) for finding in installation.findings)
    for check in CHECKS:
        yield from ((check.name, finding) for finding in _findings(check, installation))


def _findings(check: DoctorCheck, installation: Installation) -> Iterator[CheckResult]:
    lacking = next(filter(None, map(installation.missing_requirement, check.requires)), None)
    if lacking:
        yield skipped(f"not looked at, as {lacking}")
    else:
        yield from _within_limit(check, installation)


def _within_limit(check: DoctorCheck, installation: Installation) -> Iterator[CheckResult]:
    findings: SimpleQueue[CheckResult | None] = SimpleQueue()
    threading.Thread(
        target=_run, args=(check, installation, findings), name=check.name, daemon=True
    ).start()
    deadline = time.monotonic() + TIME_LIMIT_S
    while True:
        try:
            finding = findings.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            yield error(
                f"the look at it has not come to an end within {TIME_LIMIT_S:.0f} s",
                "something that it asks, a disk or a name server, hangs; see the system's log",
            )
            return
        if finding is None:
            return
        yield finding


def _run(
    check: DoctorCheck, installation: Installation, findings: "SimpleQueue[CheckResult | None]"
) -> None:
    try:
        for finding in check.run(installation):
            findings.put(finding)
    except Exception as fault:  # of this check alone
        findings.put(_fault(check, fault))
    finally:
        if installation.settings:
            connections.close_all()
        findings.put(None)


def _fault(check: DoctorCheck, fault: Exception) -> CheckResult:
    told = (
        diagnose(fault, connections["default"].settings_dict) if isinstance(fault, Error) else None
    )
    if told:
        return error(told.what, told.repair)
    if isinstance(fault, OSError):
        where = f"{fault.filename}: " if fault.filename else ""
        return error(
            f"{where}{fault.strerror or fault}", "see that it is there, and that you may read it"
        )
    log.exception("the check of %s failed", check.name)
    return error(
        f"the look at it failed ({type(fault).__name__})",
        "this is our fault; please report the line above",
    )
