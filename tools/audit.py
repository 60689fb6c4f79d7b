"""Compares the locked packages with known vulnerabilities.

    python tools/audit.py refresh    asks pip-audit, which needs the network, and stores the answer
    python tools/audit.py check      compares with what was stored; needs no network

The snapshot, ``requirements/audit.json``, has the day of the audit and the vulnerabilities of each
package that was audited. ``check`` says how old it is and which packages it
doesn't cover, and fails only for a vulnerability that is known and not accepted. To accept one
needs a reason in pyproject.toml: ``[tool.rollbook-audit.accepted]``, ``PYSEC-… = "why"``.
"""

import itertools
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tools.sbom import canonical, pins  # noqa: E402 - also run as a program

SNAPSHOT = ROOT / "requirements" / "audit.json"
LOCKS = tuple(sorted((ROOT / "requirements").glob("*.txt")))
MAX_AGE_DAYS = 30
MAX_REASON_LENGTH = 200


class AuditFailed(Exception):
    """The packages can't be audited; the text says why."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What pip-audit said.

    Attributes:
        day: The day of the audit; None before the first one.
        packages: For each package that was audited, such as ``django==5.2.19``, the IDs of its
            vulnerabilities, and the versions that fix them.
    """

    day: date | None
    packages: Mapping[str, Mapping[str, Sequence[str]]]


def load(path: Path) -> Snapshot:
    """Return the stored snapshot."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    day = date.fromisoformat(stored["day"]) if stored["day"] else None
    return Snapshot(day, stored["packages"])


def store(snapshot: Snapshot, path: Path) -> None:
    """Write the snapshot."""
    day = snapshot.day.isoformat() if snapshot.day else None
    text = json.dumps({"day": day, "packages": snapshot.packages}, indent=2, sort_keys=True)
    path.write_text(f"{text}\n", encoding="utf-8")


def from_reports(reports: Iterable[Mapping[str, Any]], today: date) -> Snapshot:
    """Return the snapshot of what pip-audit reported about each lock file.

    Raises:
        AuditFailed: A package was skipped. pip-audit itself calls that a success.
    """
    packages = {}
    for package in itertools.chain.from_iterable(report["dependencies"] for report in reports):
        if reason := package.get("skip_reason"):
            raise AuditFailed(f"not every package could be audited: {reason}")
        name = f"{canonical(package['name'])}=={package['version']}"
        packages[name] = {found["id"]: found["fix_versions"] for found in package["vulns"]}
    return Snapshot(today, packages)


def ask(lock: Path) -> Mapping[str, Any]:
    """Return the report of pip-audit about the packages of a lock file.

    Raises:
        AuditFailed: pip-audit could not ask.
    """
    command = [str(Path(sys.executable).parent / "pip-audit"), "--disable-pip", "--require-hashes"]
    command += ["--progress-spinner", "off", "--format", "json", "--requirement", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        report: Mapping[str, Any] = json.loads(done.stdout)
    except ValueError:
        reason = (done.stderr.strip() or "no answer").splitlines()[-1]
        raise AuditFailed(f"pip-audit fails: {reason[:MAX_REASON_LENGTH]}") from None
    return report


def problems(
    snapshot: Snapshot, locked: Iterable[str], accepted: Mapping[str, str]
) -> Iterator[str]:
    """Yield the known vulnerabilities of locked packages that nobody has accepted."""
    for package in locked:
        for number, fixed_in in snapshot.packages.get(package, {}).items():
            if number not in accepted:
                fix = f"upgrade to {', '.join(fixed_in)}" if fixed_in else "no version fixes it"
                yield f"{package} has {number}; {fix}"


def warnings(snapshot: Snapshot, locked: Iterable[str], today: date) -> Iterator[str]:
    """Yield why the snapshot says less than it should."""
    if snapshot.day is None:
        yield "the packages have NEVER been audited; run `make audit` with the network"
        return
    age = (today - snapshot.day).days
    if age > MAX_AGE_DAYS:
        yield f"the snapshot is {age} DAYS OLD; run `make audit` with the network"
    others = [package for package in locked if package not in snapshot.packages]
    if others:
        yield f"{len(others)} locked packages are NOT AUDITED: {', '.join(others)}"


def locked_packages() -> list[str]:
    """Return all packages that the lock files pin, such as ``django==5.2.19``."""
    found = {f"{name}=={version}" for lock in LOCKS for name, version in pins(lock).items()}
    return sorted(found)


def accepted_vulnerabilities() -> Mapping[str, str]:
    """Return the vulnerabilities that were accepted, with the reasons."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    accepted: Mapping[str, str] = settings["tool"].get("rollbook-audit", {}).get("accepted", {})
    return accepted


def check(today: date) -> int:
    """Compare with the stored snapshot; return the exit code."""
    snapshot, locked = load(SNAPSHOT), locked_packages()
    day = snapshot.day or "none"
    print(f"Known vulnerabilities: {len(locked)} locked packages, snapshot of {day}")
    for warning in warnings(snapshot, locked, today):
        print(f"WARNING: {warning}")
    found = list(problems(snapshot, locked, accepted_vulnerabilities()))
    for problem in found:
        print(f"ERROR vulnerable: {problem}", file=sys.stderr)
    return 1 if found else 0


def main(words: Sequence[str]) -> int:
    """Refresh the snapshot, or compare with it; return the exit code."""
    today = datetime.now(UTC).date()
    if list(words) == ["refresh"]:
        try:
            store(from_reports(map(ask, LOCKS), today), SNAPSHOT)
        except AuditFailed as failure:
            print(f"ERROR audit: {failure}; the snapshot is unchanged", file=sys.stderr)
            return 2
    elif list(words) != ["check"]:
        print(__doc__, file=sys.stderr)
        return 2
    return check(today)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
