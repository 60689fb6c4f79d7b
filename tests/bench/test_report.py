"""docs/speed.md and its pictures, written from the results."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.report import write
from bench.results import Results


@pytest.fixture
def results() -> Results:
    databases = {"sqlite": {"version": "3.40.1", "synchronous": "full"}}
    machine = {
        "cores": 2,
        "memory_bytes": 8 << 30,
        "system": "Linux",
        "file_system": "ext4",
        "python": "3.11.7",
        "rollbook": "0.1.0",
    }
    measured = Results(
        machine | {"date": "2026-11-24", "minutes": 3.5, "databases": databases}, {"runs": 1}
    )
    for rows in (10_000, 1_000_000):
        for who, each in (("rollbook", 6e-6), ("floor", 5e-6)):
            seconds = rows * each
            measured.add(
                "timing",
                database="sqlite",
                work="nightly",
                rows=rows,
                run=0,
                who=who,
                seconds=seconds,
            )
    return measured


def test_the_page_begins_with_what_is_lost(results: Results, tmp_path: Path) -> None:
    write(results, tmp_path)
    page = (tmp_path / "speed.md").read_text(encoding="utf-8")
    assert "0 of 1 goals are met.\n\n* Not met: nightly on SQLite: 1.20 ×, at most 0.4 ×" in page
    assert (
        "| nightly | SQLite | 1,000,000 | 6.00 s | floor 5.00 s | 1.20 × | at most 0.4 × | **NO** |"
        in page
    )


def test_the_page_says_where_it_was_measured(results: Results, tmp_path: Path) -> None:
    write(results, tmp_path)
    page = (tmp_path / "speed.md").read_text(encoding="utf-8")
    assert (
        "* 2 cores, 8 GiB of memory, Linux, files on ext4\n* Python 3.11.7, Rollbook 0.1.0\n"
        in page
    )
    assert "* SQLite 3.40.1: synchronous full\n" in page


def test_every_picture_the_page_shows_is_there_and_no_other(
    results: Results, tmp_path: Path
) -> None:
    write(results, tmp_path)
    page = (tmp_path / "speed.md").read_text(encoding="utf-8")
    pictures = {path.name for path in (tmp_path / "speed").iterdir()}
    assert pictures == {"nightly-sqlite.svg"}
    assert "![Nightly on SQLite](speed/nightly-sqlite.svg)" in page
    ElementTree.parse(tmp_path / "speed" / "nightly-sqlite.svg")  # noqa: S314 - ours


def test_the_page_begins_with_a_night_beside_a_script(results: Results, tmp_path: Path) -> None:
    for rows in (10_000, 1_000_000):
        where = {"database": "sqlite", "work": "nightly", "rows": rows, "run": 0}
        results.add("timing", **where, who="merge", seconds=rows * 8e-6)
    write(results, tmp_path)
    page = (tmp_path / "speed.md").read_text(encoding="utf-8")
    first = page.index("speed/an-ordinary-night.svg")
    assert first < page.index("goals are met")
    picture = (tmp_path / "speed" / "an-ordinary-night.svg").read_text(encoding="utf-8")
    texts = [text for text in ElementTree.fromstring(picture).itertext() if text.strip()]  # noqa: S314
    assert texts[-5:] == [
        "SQLite, 1,000,000 students",
        "Rollbook",
        "6.0 s",
        "a script of a database administrator",
        "8.0 s",
    ]


def test_of_one_size_there_is_no_curve(results: Results, tmp_path: Path) -> None:
    results.records = results.find("timing", rows=10_000)
    write(results, tmp_path)
    assert list((tmp_path / "speed").iterdir()) == []
