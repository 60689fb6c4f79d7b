"""Compares the locked packages with known vulnerabilities.

    python tools/audit.py refresh    asks pip-audit, which needs the network, and stores the answer
    python tools/audit.py refresh --advisories FOLDER [--source TEXT]
                                     looks them up in a copy of the PyPA advisory database instead
    python tools/audit.py check      compares with what was stored; needs no network
    python tools/audit.py check --release    the same, and each warning is an error
    python tools/audit.py page       writes what was stored into docs/security/supply-chain.md

The snapshot, ``requirements/audit.json``, has the vulnerabilities of each package that was audited,
what they were looked up in, and up to which day that knows them: the day of the audit, or that of
the newest advisory in a copy. ``--source`` says what the copy is. ``check`` says how old the
snapshot is and which packages it doesn't cover. It never says that nothing is known about a package
that wasn't audited, and fails only for a vulnerability that is known and not accepted. To accept
one needs a reason in pyproject.toml: ``[tool.rollbook-audit.accepted]``, ``PYSEC-… = "why"``.
"""

import argparse
import itertools
import json
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tools import advisories  # noqa: E402 - also run as a program
from tools.sbom import all_pins, canonical  # noqa: E402

SNAPSHOT = ROOT / "requirements" / "audit.json"
LOCKS = tuple(sorted((ROOT / "requirements").glob("*.txt")))
PAGE = ROOT / "docs" / "security" / "supply-chain.md"
MAX_AGE_DAYS = 30
MAX_REASON_LENGTH = 200
PIP_AUDIT = "the vulnerability service of the Python Package Index, by pip-audit"
_REGION = re.compile(r"(<!-- audit -->\n).*?(<!-- /audit -->)", re.DOTALL)


class AuditFailed(Exception):
    """The packages can't be audited; the text says why."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Which vulnerabilities are known.

    Attributes:
        day: Up to which day they are known; None before the first audit.
        packages: For each package that was audited, such as ``django==5.2.19``, the IDs of its
            vulnerabilities, and the versions that fix them.
        source: What they were looked up in.
    """

    day: date | None
    packages: Mapping[str, Mapping[str, Sequence[str]]]
    source: str = ""


def load(path: Path) -> Snapshot:
    """Return the stored snapshot."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    day = date.fromisoformat(stored["day"]) if stored["day"] else None
    return Snapshot(day, stored["packages"], stored["source"])


def store(snapshot: Snapshot, path: Path) -> None:
    """Write the snapshot."""
    day = snapshot.day.isoformat() if snapshot.day else None
    content = {"day": day, "packages": snapshot.packages, "source": snapshot.source}
    text = json.dumps(content, indent=2, sort_keys=True)
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
    return Snapshot(today, packages, PIP_AUDIT)


def from_advisories(folder: Path, locked: Iterable[str], copy: str, today: date) -> Snapshot:
    """Return the snapshot of what a copy of the PyPA advisory database says.

    Args:
        folder: The copy.
        locked: The packages.
        copy: What the copy is.
        today: The snapshot is of no later day, whatever an advisory says.

    Raises:
        AuditFailed: The copy can't be read.
    """
    try:
        found = advisories.read(folder, locked)
    except advisories.UnreadableAdvisory as error:
        raise AuditFailed(str(error)) from error
    source = f"{copy} ({found.count} advisories about any version of these packages)"
    return Snapshot(min(found.newest, today), found.packages, source)


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
        yield (
            "the packages have NEVER been audited, so NOTHING IS KNOWN about their "
            "vulnerabilities; run `make audit` with the network"
        )
        return
    age = (today - snapshot.day).days
    if age > MAX_AGE_DAYS:
        yield f"the snapshot is {age} DAYS OLD; run `make audit` with the network"
    others = [package for package in locked if package not in snapshot.packages]
    if others:
        yield f"{len(others)} locked packages are NOT AUDITED: {', '.join(others)}"


def locked_packages() -> list[str]:
    """Return all packages that the lock files pin, such as ``django==5.2.19``."""
    found = {f"{name}=={version}" for lock in LOCKS for name, version in all_pins(lock)}
    return sorted(found)


def accepted_vulnerabilities() -> Mapping[str, str]:
    """Return the vulnerabilities that were accepted, with the reasons."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    accepted: Mapping[str, str] = settings["tool"].get("rollbook-audit", {}).get("accepted", {})
    return accepted


def summary(snapshot: Snapshot, locked: Sequence[str], accepted: Mapping[str, str]) -> str:
    """Return a sentence with what is known, and about how many of the packages."""
    if snapshot.day is None:
        return (
            "No advisories have been consulted yet. So it isn't known whether any of the "
            f"{len(locked)} locked packages has a vulnerability: this is not a statement that none "
            "has."
        )
    audited = [package for package in locked if package in snapshot.packages]
    found = [number for package in audited for number in snapshot.packages[package]]
    number_accepted = len(accepted.keys() & set(found))
    return (
        f"Advisories up to {snapshot.day} were consulted about {len(audited)} of {len(locked)} "
        f"locked packages, in {snapshot.source}. Known vulnerabilities: {len(found)}, of which "
        f"accepted: {number_accepted}. Nothing is known about later advisories, even for versions "
        "that are newer than that day, or about packages that weren't audited."
    )


def with_summary(page: str, text: str) -> str:
    """Return the page with a text between its two markers.

    Raises:
        ValueError: The page doesn't contain the markers exactly once.
    """
    wrapped = textwrap.fill(text, width=100, break_long_words=False)
    new_page, count = _REGION.subn(lambda region: f"{region[1]}{wrapped}\n{region[2]}", page)
    if count != 1:
        raise ValueError("the page must have <!-- audit --> and <!-- /audit --> once")
    return new_page


def write_page() -> None:
    """Write what the snapshot says into the page."""
    text = summary(load(SNAPSHOT), locked_packages(), accepted_vulnerabilities())
    page = with_summary(PAGE.read_text(encoding="utf-8"), text)
    PAGE.write_text(page, encoding="utf-8")


def check(today: date, *, for_release: bool = False) -> int:
    """Compare with the stored snapshot; return the exit code.

    Args:
        today: The current day.
        for_release: Whether it also fails if the snapshot is missing, old or incomplete.
    """
    snapshot, locked = load(SNAPSHOT), locked_packages()
    accepted = accepted_vulnerabilities()
    print(summary(snapshot, locked, accepted))
    warned = list(warnings(snapshot, locked, today))
    for warning in warned:
        print(f"WARNING: {warning}")
    found = list(problems(snapshot, locked, accepted))
    for problem in found:
        print(f"ERROR vulnerable: {problem}", file=sys.stderr)
    if for_release and warned:
        print("ERROR audit: a release needs a complete audit of this month", file=sys.stderr)
    return 1 if found or (for_release and warned) else 0


def refresh(words: argparse.Namespace, today: date) -> None:
    """Store a new snapshot, and what it says in the page.

    Raises:
        AuditFailed: There is none.
    """
    if words.advisories is None:
        snapshot = from_reports(map(ask, LOCKS), today)
    else:
        snapshot = from_advisories(words.advisories, locked_packages(), words.source, today)
    store(snapshot, SNAPSHOT)
    write_page()


def arguments() -> argparse.ArgumentParser:
    """Return what can be asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("page")
    commands.add_parser("check").add_argument("--release", action="store_true")
    refreshing = commands.add_parser("refresh")
    refreshing.add_argument("--advisories", type=Path, metavar="FOLDER")
    refreshing.add_argument("--source", default="a copy of the PyPA advisory database")
    return parser


def main(words: Sequence[str]) -> int:
    """Refresh the snapshot, compare with it, or write the page; return the exit code."""
    today = datetime.now(UTC).date()
    chosen = arguments().parse_args(words)
    if chosen.command == "page":
        write_page()
        return 0
    if chosen.command == "check":
        return check(today, for_release=chosen.release)
    try:
        refresh(chosen, today)
    except AuditFailed as failure:
        unchanged = f"no advisories were consulted; the snapshot of {load(SNAPSHOT).day} stays"
        print(f"ERROR audit: {failure}; {unchanged}", file=sys.stderr)
        return 2
    return check(today)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
