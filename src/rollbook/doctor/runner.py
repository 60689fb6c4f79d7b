"""Runs the checks one after the other; one that fails or hangs doesn't prevent the next."""

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

TIME_LIMIT_S = 30.0  # for one check; network requests have shorter timeouts


def run_checks(installation: Installation) -> Iterator[tuple[str, CheckResult]]:
    """Yield the name of each part and its results, as soon as they are available."""
    yield from (("settings", finding) for finding in installation.results)
    for check in CHECKS:
        yield from ((check.name, finding) for finding in _findings(check, installation))


def _findings(check: DoctorCheck, installation: Installation) -> Iterator[CheckResult]:
    missing = next(filter(None, map(installation.missing_requirement, check.requires)), None)
    if missing:
        yield skipped(f"not checked, as {missing}")
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
                f"the check did not finish within {TIME_LIMIT_S:.0f} s",
                "a disk or a name server does not respond; see the system's log",
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
    except Exception as fault:  # other checks must still run
        findings.put(_fault(check, fault))
    finally:
        if installation.settings:
            connections.close_all()
        findings.put(None)


def _fault(check: DoctorCheck, fault: Exception) -> CheckResult:
    if isinstance(fault, Error):
        diagnosis = diagnose(fault, connections["default"].settings_dict)
        if diagnosis:
            return error(diagnosis.problem, diagnosis.fix)
    if isinstance(fault, OSError):
        where = f"{fault.filename}: " if fault.filename else ""
        return error(
            f"{where}{fault.strerror or fault}", "check that it exists and that you can read it"
        )
    log.exception("the check of %s failed", check.name)
    return error(
        f"the check failed ({type(fault).__name__})",
        "this is a problem in Rollbook; please report the line above",
    )
