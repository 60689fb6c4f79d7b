"""The lock files, the list of components, and the audit of known vulnerabilities."""

import json
import re
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tools import audit, sbom
from tools.audit import AuditFailed, Snapshot

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / "requirements"
TODAY = date(2026, 11, 28)
SEGNO = "segno==1.6.6"
FOUND = Snapshot(TODAY, {SEGNO: {"PYSEC-2026-1": ["1.6.7"], "PYSEC-2026-2": []}}, "a copy")


@pytest.mark.statement("S55")
@pytest.mark.parametrize("lock", audit.LOCKS, ids=lambda lock: lock.name)
def test_every_package_is_pinned_with_hashes_and_from_no_other_place(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(re.findall(r"^[a-z0-9._-]+==\S+", text, re.MULTILINE)) > 20
    for entry in entries:
        assert "--hash=sha256:" in entry, entry.partition("\n")[0]
    assert not re.search(r"https?://|file:|^-", text, re.MULTILINE)


@pytest.mark.statement("S55")
def test_the_list_of_components_has_what_is_locked_and_its_licenses() -> None:
    listed = json.loads(sbom.SBOM.read_text(encoding="utf-8"))
    assert (listed["bomFormat"], listed["specVersion"]) == ("CycloneDX", "1.6")
    assert listed["metadata"]["component"]["version"] == sbom.version(), "run `make sbom`"
    components = {sbom.canonical(each["name"]): each["version"] for each in listed["components"]}
    assert components.pop("htmx-org")
    assert components == sbom.pins(REQUIREMENTS / "run.txt"), "run `make sbom`"
    assert [each["name"] for each in listed["components"] if not each.get("licenses")] == []


def test_the_list_of_components_names_our_version_and_the_script() -> None:
    made: dict[str, Any] = {
        "metadata": {"tools": {"components": []}, "component": {"name": "rollbook"}},
        "components": [{"name": "x", "externalReferences": [{"url": "https://x.example"}]}],
    }
    finished = sbom.finish(made, 'var htmx={version:"2.0.8"}')
    assert finished["metadata"]["component"]["version"] == sbom.version()
    assert finished["components"][0] == {"name": "x"}
    assert finished["components"][1]["purl"] == "pkg:npm/htmx.org@2.0.8"
    with pytest.raises(ValueError, match="version"):
        sbom.finish(made, "")


def test_packages_for_another_system_are_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lock = tmp_path / "run.txt"
    lock.write_text(
        "colorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:aa\n"
        "psycopg-binary==3.3.9 ; implementation_name != 'pypy' \\\n    --hash=sha256:bb\n"
        "Typing_Extensions==4.15.0 ; python_full_version < '3.12' \\\n    --hash=sha256:cc\n"
        "typing-extensions==4.16.0 \\\n    --hash=sha256:dd\n    # via x\n"
    )
    assert sbom.pins(lock) == {"psycopg-binary": "3.3.9", "typing-extensions": "4.16.0"}
    monkeypatch.setattr(audit, "LOCKS", (lock, lock))
    assert audit.locked_packages() == [
        "psycopg-binary==3.3.9",
        "typing-extensions==4.15.0",
        "typing-extensions==4.16.0",
    ]


@pytest.mark.statement("S55")
def test_no_locked_package_has_a_known_vulnerability_that_nobody_accepted() -> None:
    snapshot = audit.load(audit.SNAPSHOT)
    accepted = audit.accepted_vulnerabilities()
    assert list(audit.problems(snapshot, audit.locked_packages(), accepted)) == []


def test_a_known_vulnerability_is_reported_with_its_fix_unless_it_is_accepted() -> None:
    assert list(audit.problems(FOUND, [SEGNO], {"PYSEC-2026-2": "not reached"})) == [
        "segno==1.6.6 has PYSEC-2026-1; upgrade to 1.6.7"
    ]
    assert list(audit.problems(FOUND, [SEGNO], {"PYSEC-2026-1": "not reached"})) == [
        "segno==1.6.6 has PYSEC-2026-2; no version fixes it"
    ]
    assert list(audit.problems(FOUND, ["segno==1.6.7"], {})) == []


@pytest.mark.statement("S55")
@pytest.mark.parametrize(
    ("snapshot", "locked", "warned"),
    [
        (FOUND, [SEGNO], []),
        (FOUND, [SEGNO, "tqdm==4.70.1"], ["1 locked packages are NOT AUDITED: tqdm==4.70.1"]),
        (
            Snapshot(date(2026, 10, 28), {SEGNO: {}}),
            [SEGNO],
            ["the snapshot is 31 DAYS OLD; run `make audit` with the network"],
        ),
        (
            Snapshot(None, {}),
            [SEGNO],
            [
                "the packages have NEVER been audited, so NOTHING IS KNOWN about their "
                "vulnerabilities; run `make audit` with the network"
            ],
        ),
    ],
)
def test_it_says_how_old_the_snapshot_is_and_what_it_lacks(
    snapshot: Snapshot, locked: list[str], warned: list[str]
) -> None:
    assert list(audit.warnings(snapshot, locked, TODAY)) == warned


@pytest.mark.statement("S55")
def test_an_empty_snapshot_never_reads_like_a_clean_one() -> None:
    never = audit.summary(Snapshot(None, {}), [SEGNO], {})
    assert never == (
        "No advisories have been consulted yet. So it isn't known whether any of the 1 locked "
        "packages has a vulnerability: this is not a statement that none has."
    )
    some = audit.summary(FOUND, [SEGNO, "tqdm==4.70.1"], {"PYSEC-2026-2": "not reached"})
    assert some == (
        "Advisories up to 2026-11-28 were consulted about 1 of 2 locked packages, in a copy. Known "
        "vulnerabilities: 2, of which accepted: 1. Nothing is known about later advisories, even "
        "for versions that are newer than that day, or about packages that weren't audited."
    )


@pytest.mark.statement("S55")
def test_the_papers_say_what_the_snapshot_says() -> None:
    snapshot, page = audit.load(audit.SNAPSHOT), audit.PAGE.read_text(encoding="utf-8")
    text = audit.summary(snapshot, audit.locked_packages(), audit.accepted_vulnerabilities())
    assert audit.with_summary(page, text) == page, "run `make docs`"
    statements = (audit.PAGE.parent / "statements.md").read_text(encoding="utf-8")
    is_listed = "The stored snapshot is empty" in statements
    assert is_listed == (snapshot.day is None), "change S55 under Not yet"
    assert (snapshot.source != "") == (snapshot.day is not None)
    with pytest.raises(ValueError, match="once"):
        audit.with_summary("", text)


@pytest.mark.parametrize(
    ("snapshot", "fails"),
    [
        (Snapshot(None, {}), True),
        (Snapshot(date(2026, 10, 1), {SEGNO: {}}), True),
        (Snapshot(TODAY, {}), True),
        (Snapshot(TODAY, {SEGNO: {}}), False),
    ],
)
def test_a_release_needs_a_complete_audit_of_this_month(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    snapshot: Snapshot,
    fails: bool,
) -> None:
    audit.store(snapshot, tmp_path / "audit.json")
    monkeypatch.setattr(audit, "SNAPSHOT", tmp_path / "audit.json")
    monkeypatch.setattr(audit, "locked_packages", lambda: [SEGNO])
    assert audit.check(TODAY) == 0
    assert audit.check(TODAY, for_release=True) == int(fails)
    assert ("ERROR audit: a release needs" in capsys.readouterr().err) == fails


def test_a_snapshot_can_be_read_again(tmp_path: Path) -> None:
    for snapshot in (FOUND, Snapshot(None, {})):
        audit.store(snapshot, tmp_path / "audit.json")
        assert audit.load(tmp_path / "audit.json") == snapshot


def test_a_report_becomes_a_snapshot() -> None:
    vulnerability = {"id": "PYSEC-2026-1", "fix_versions": ["1.6.7"], "aliases": ["CVE-2026-1"]}
    reports: list[dict[str, Any]] = [
        {"dependencies": [{"name": "Segno", "version": "1.6.6", "vulns": [vulnerability]}]},
        {"dependencies": [{"name": "tqdm", "version": "4.70.1", "vulns": []}]},
    ]
    assert audit.from_reports(reports, TODAY) == Snapshot(
        TODAY, {SEGNO: {"PYSEC-2026-1": ["1.6.7"]}, "tqdm==4.70.1": {}}, audit.PIP_AUDIT
    )


def test_a_package_that_was_skipped_is_no_success() -> None:
    skipped = {"dependencies": [{"name": "segno", "skip_reason": "segno isn't known there"}]}
    with pytest.raises(AuditFailed, match="segno isn't known there"):
        audit.from_reports([skipped], TODAY)


def test_the_check_fails_if_something_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    locked = audit.locked_packages()[0]
    audit.store(Snapshot(TODAY, {locked: {"PYSEC-2026-1": ["9"]}}), tmp_path / "audit.json")
    monkeypatch.setattr(audit, "SNAPSHOT", tmp_path / "audit.json")
    assert audit.check(TODAY) == 1
    output = capsys.readouterr()
    assert "Advisories up to 2026-11-28 were consulted about 1 of " in output.out
    assert "Known vulnerabilities: 1, of which accepted: 0" in output.out
    assert "NOT AUDITED" in output.out
    assert output.err.startswith(f"ERROR vulnerable: {locked} has PYSEC-2026-1; upgrade to 9")


@pytest.mark.process
@pytest.mark.without_database
def test_a_refresh_that_fails_leaves_the_snapshot(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a program in place of pip-audit, which isn't installed for tests."""
    program = tmp_path / "pip-audit"
    program.write_text("#!/bin/sh\necho 'cannot connect' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    before = audit.SNAPSHOT.read_bytes()
    assert audit.main(["refresh"]) == 2
    assert capsys.readouterr().err == (
        "ERROR audit: pip-audit fails: cannot connect; no advisories were consulted; the snapshot "
        f"of {audit.load(audit.SNAPSHOT).day} stays\n"
    )
    assert audit.SNAPSHOT.read_bytes() == before
