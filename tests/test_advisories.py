"""Vulnerabilities that are looked up in a copy of an advisory database."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tools import advisories, audit
from tools.advisories import UnreadableAdvisory
from tools.audit import Snapshot

TODAY = date(2026, 11, 28)
SEGNO = "segno==1.6.6"
TEXT = """\
id: PYSEC-2026-1
published: "2026-09-18T01:41:45Z"
modified: '2026-09-30T16:13:20.593341Z'
details: made up
affected:
- package:
    name: Segno
    ecosystem: PyPI
  ranges:
  - type: GIT
    repo: https://example.org/segno
    events:
    - introduced: "0"
    - fixed: 0123abcd
  - type: ECOSYSTEM
    events:
    - introduced: "0"
    - fixed: 1.6.7
  versions:
  - 1.6.6
"""


def _advisory(ranges: list[list[dict[str, str]]], versions: list[str]) -> Mapping[str, Any]:
    """Return an advisory about a package x."""
    listed = [{"type": "ECOSYSTEM", "events": events} for events in ranges]
    package = {"ecosystem": "PyPI", "name": "x"}
    return {"affected": [{"package": package, "ranges": listed, "versions": versions}]}


def _write(folder: Path, name: str, text: str) -> Path:
    """Write an advisory into a copy of the database."""
    file = folder / "vulns" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.statement("S55")
@pytest.mark.parametrize(
    ("pinned", "ranges", "versions", "later"),
    [
        ("1.2", [[{"introduced": "0"}, {"fixed": "1.3"}]], [], ["1.3"]),
        ("1.3", [[{"introduced": "0"}, {"fixed": "1.3"}]], [], None),
        ("1.3", [[{"introduced": "0"}, {"fixed": "1.3"}]], ["1.3.0"], []),
        ("0.dev1", [[{"introduced": "0"}, {"fixed": "1.3"}]], [], ["1.3"]),
        ("1.3rc1", [[{"introduced": "0"}, {"fixed": "1.3"}]], [], ["1.3"]),
        ("1.9", [[{"introduced": "0"}, {"fixed": "1.10"}]], [], ["1.10"]),
        ("3.8", [[{"introduced": "0"}, {"last_affected": "3.8"}]], [], []),
        ("3.8.1", [[{"introduced": "0"}, {"last_affected": "3.8"}]], [], None),
        ("9", [[{"introduced": "0"}]], [], []),
        ("9", [[{"introduced": "0"}, {}]], ["1.0"], []),
        ("1", [[{"introduced": "2"}]], [], None),
        ("9", [[{"last_affected": "8"}]], [], None),
        ("7", [[{"fixed": "8"}]], [], ["8"]),
        ("5.2", [[{"introduced": "5.2"}, {"fixed": "5.2.16"}]], [], ["5.2.16"]),
        (
            "5.2.19",
            [
                [
                    {"introduced": "6.0"},
                    {"fixed": "6.0.7"},
                    {"introduced": "5.2"},
                    {"fixed": "5.2.16"},
                ]
            ],
            [],
            None,
        ),
        (
            "5.2.1",
            [
                [
                    {"introduced": "6.0"},
                    {"fixed": "6.0.7"},
                    {"introduced": "5.2"},
                    {"fixed": "5.2.16"},
                ]
            ],
            [],
            ["5.2.16", "6.0.7"],
        ),
        (
            "2",
            [[{"introduced": "1"}, {"introduced": "2"}, {"fixed": "2"}, {"fixed": "3"}]],
            [],
            ["3"],
        ),
        ("2", [[{"introduced": "1"}, {"fixed": "1.5"}], [{"introduced": "2"}]], [], []),
        ("1.0", [], ["2004d", "1"], []),
        ("1.1", [], ["2004d", "1"], None),
        ("1.0", [], [], []),
    ],
)
def test_a_version_is_affected_as_the_format_defines_it(
    pinned: str, ranges: list[list[dict[str, str]]], versions: list[str], later: list[str] | None
) -> None:
    assert advisories.fixes(_advisory(ranges, versions), "x", pinned) == later


def test_an_advisory_is_about_its_package_only() -> None:
    about_all = _advisory([[{"introduced": "0"}]], [])
    assert advisories.fixes(about_all, "y", "1") is None
    other = {"ecosystem": "npm", "name": "x"}
    assert advisories.fixes({"affected": [{"package": other}]}, "x", "1") is None
    assert advisories.fixes({**about_all, "withdrawn": "2026-06-09T15:56:00Z"}, "x", "1") is None
    assert advisories.fixes({**about_all, "withdrawn": "null"}, "x", "1") == []


@pytest.mark.statement("S55")
def test_a_copy_of_the_database_becomes_a_snapshot(tmp_path: Path) -> None:
    _write(tmp_path, "Segno/PYSEC-2026-1.yaml", TEXT)
    _write(
        tmp_path,
        "segno/PYSEC-2026-2.yaml",
        TEXT.replace("1.6.6", "1.6.5").replace("1.6.7", "1.6.6"),
    )
    _write(tmp_path, "segno/PYSEC-2026-3.yaml", f"withdrawn: '2026-10-01T00:00:00Z'\n{TEXT}")
    _write(
        tmp_path, "other/PYSEC-2026-4.yaml", "id: x\nmodified: 2026-10-02T21:22:00Z\naffected: 1\n"
    )
    snapshot = audit.from_advisories(tmp_path, [SEGNO, "tqdm==4.70.1"], "a copy", TODAY)
    source = "a copy (2 advisories about any version of these packages)"
    packages = {SEGNO: {"PYSEC-2026-1": ["1.6.7"]}, "tqdm==4.70.1": {}}
    assert snapshot == Snapshot(date(2026, 10, 2), packages, source)


def test_no_advisory_makes_a_snapshot_newer_than_today(tmp_path: Path) -> None:
    _write(tmp_path, "segno/PYSEC-2026-1.yaml", TEXT.replace("2026-09-30", "2062-09-30"))
    assert audit.from_advisories(tmp_path, [SEGNO], "a copy", TODAY).day == TODAY


def test_two_versions_of_a_package_are_compared_each(tmp_path: Path) -> None:
    _write(tmp_path, "segno/PYSEC-2026-1.yaml", TEXT)
    found = advisories.read(tmp_path, [SEGNO, "segno==1.6.7"])
    assert found.packages == {SEGNO: {"PYSEC-2026-1": ["1.6.7"]}, "segno==1.6.7": {}}
    assert found.count == 1


@pytest.mark.parametrize(
    "text",
    [
        "- no advisory\nmodified: 2026-10-02\n",
        f"{TEXT}: [",
        TEXT.replace("id: ", "name: ", 1),
        TEXT.replace("affected:", "affects:"),
        TEXT.replace("affected:", "affected: 1\nothers:"),
        TEXT.replace("ECOSYSTEM", "3"),
        TEXT.replace("fixed: 1.6.7", "fixed: later"),
        TEXT.replace("fixed: 1.6.7", "limit: 1.6.7"),
    ],
)
def test_no_advisory_about_a_package_is_left_out_silently(tmp_path: Path, text: str) -> None:
    _write(tmp_path, "tqdm/PYSEC-2026-1.yaml", TEXT)
    file = _write(tmp_path, "segno/PYSEC-2026-2.yaml", text)
    with pytest.raises(UnreadableAdvisory, match="PYSEC-2026-2"):
        advisories.read(tmp_path, [SEGNO])
    file.unlink()
    assert advisories.read(tmp_path, [SEGNO]).packages == {SEGNO: {}}


def test_a_folder_without_advisories_leaves_the_snapshot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = audit.SNAPSHOT.read_bytes()
    assert audit.main(["refresh", "--advisories", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(
        f"ERROR audit: {tmp_path} has no advisories in vulns/NAME/; no advisories were consulted; "
    )
    assert audit.SNAPSHOT.read_bytes() == before


@pytest.mark.statement("S55")
def test_a_refresh_from_a_copy_stores_it_and_fails_if_a_package_is_affected(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(tmp_path, "segno/PYSEC-2026-1.yaml", TEXT)
    page = tmp_path / "page.md"
    page.write_text("<!-- audit -->\n<!-- /audit -->\n", encoding="utf-8")
    monkeypatch.setattr(audit, "PAGE", page)
    monkeypatch.setattr(audit, "SNAPSHOT", tmp_path / "audit.json")
    monkeypatch.setattr(audit, "locked_packages", lambda: [SEGNO])
    words = ["refresh", "--advisories", str(tmp_path), "--source", "a copy"]
    assert audit.main(words) == 1
    assert "segno==1.6.6 has PYSEC-2026-1; upgrade to 1.6.7" in capsys.readouterr().err
    stored = audit.load(tmp_path / "audit.json")
    assert stored.day == date(2026, 9, 30)
    assert stored.source.startswith("a copy (1 advisories ")
    assert "Advisories up to 2026-09-30" in page.read_text(encoding="utf-8")
