"""``rollbook update list``."""

import json
from pathlib import Path

import pytest

from rollbook.districts.models import District
from tests.cli.conftest import Rollbook
from tests.cli.files import HEADER, row

pytestmark = pytest.mark.django_db(transaction=True)


def test_updates_are_listed_newest_first(rollbook: Rollbook, maple: District, base: Path) -> None:
    rollbook("student", "load", "maple-usd", base)
    base.write_text("NAME\nAna\n")
    rollbook("student", "load", "maple-usd", base)
    result = rollbook("update", "list", "maple-usd")
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "number  state      mode  received                 rows  updated  added  "
        "unchanged  rejected  file\n"
        "     2  refused    add   <time>     0        0      0          0         0  base.csv\n"
        "     1  completed  add   <time>     2        0      2          0         0  base.csv\n"
    )


def test_the_result_can_be_printed_as_json(rollbook: Rollbook, maple: District, base: Path) -> None:
    rollbook("student", "load", "maple-usd", base)
    (update,) = json.loads(rollbook("update", "list", "maple-usd", "--json").out)
    assert {name: update[name] for name in ("update", "state", "mode", "rows", "added")} == {
        "update": 1,
        "state": "completed",
        "mode": "add",
        "rows": 2,
        "added": 2,
    }
    assert update["file"]["name"] == "base.csv"


def test_a_district_without_updates_is_reported_as_such(
    rollbook: Rollbook, maple: District
) -> None:
    assert (
        rollbook("update", "list", "maple-usd").out == "Maple USD has not started an update yet.\n"
    )
    assert rollbook("update", "list", "maple-usd", "--json").out == "[]\n"


def test_updates_of_the_neighbor_are_not_listed(
    rollbook: Rollbook, maple: District, cedar: District, base: Path
) -> None:
    rollbook("student", "load", "cedar-county", base)
    assert (
        rollbook("update", "list", "maple-usd").out == "Maple USD has not started an update yet.\n"
    )


def test_an_update_of_which_every_row_was_rejected_has_not_just_completed(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    base.write_text(f"{HEADER}\n{row('00123', 'Ana', 'Brook', born='x')}\n")
    rollbook("student", "load", "maple-usd", base)
    assert "     1  nothing applied  add" in rollbook("update", "list", "maple-usd").out
    assert "  1 nothing applied  " in rollbook("district", "list").out
    assert "  nothing applied  " in rollbook("status").out


def test_a_terminal_shows_signs_and_colors(
    rollbook: Rollbook, maple: District, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollbook("student", "load", "maple-usd", base)
    monkeypatch.setenv("FORCE_COLOR", "1")
    header, line = rollbook("update", "list", "maple-usd").out.splitlines()
    assert header.startswith("\x1b[1mnumber  state")
    assert "     1  \x1b[32m✓ completed\x1b[0m  add" in line
    monkeypatch.setenv("NO_COLOR", "1")
    assert "     1  ✓ completed  add" in rollbook("update", "list", "maple-usd").out
