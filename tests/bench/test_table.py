"""Comparisons as a table."""

from bench import table
from bench.line import Line

WON = Line("nightly", "SQLite", 10_000, "1.0 s", "floor 2.0 s", "0.50 ×", "at most 0.5 ×", met=True)
LOST = Line(
    "rollover",
    "PostgreSQL",
    1_000_000,
    "30.0 s",
    "floor 10.0 s",
    "3.00 ×",
    "at most 2 ×",
    met=False,
)
SHOWN = Line("upload of 200 MB", "SQLite", None, "1.0 s", "", "2.00 ×", "", met=None)


def test_columns_stand_below_each_other() -> None:
    assert table.text([WON, LOST]) == (
        "work      database    rows       Rollbook  against       measured  goal           met\n"
        "────────  ──────────  ─────────  ────────  ────────────  ────────  ─────────────  ───\n"
        "nightly   SQLite      10,000     1.0 s     floor 2.0 s   0.50 ×    at most 0.5 ×  yes\n"
        "rollover  PostgreSQL  1,000,000  30.0 s    floor 10.0 s  3.00 ×    at most 2 ×    NO"
    )


def test_a_lost_goal_stands_out_on_the_page() -> None:
    assert table.markdown([WON, LOST]).splitlines()[2:] == [
        "| nightly | SQLite | 10,000 | 1.0 s | floor 2.0 s | 0.50 × | at most 0.5 × | yes |",
        "| rollover | PostgreSQL | 1,000,000 | 30.0 s | floor 10.0 s | 3.00 × | at most 2 × "
        "| **NO** |",
    ]


def test_what_is_lost_is_named_and_what_has_no_goal_is_not_counted() -> None:
    assert table.verdict([WON, LOST, SHOWN]) == (
        "1 of 2 goals are met.\nNOT MET: rollover on PostgreSQL: 3.00 ×, at most 2 ×"
    )
