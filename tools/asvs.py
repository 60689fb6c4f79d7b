"""Writes the counts, and what isn't met, into docs/security/asvs.md.

Run it as ``python tools/asvs.py docs/security/asvs.md``. The list beside it, ``asvs.csv``, is
written by hand.
"""

import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

Row = dict[str, str]

LIST = Path(__file__).parents[1] / "docs" / "security" / "asvs.csv"
MET = ("yes", "partly", "no", "operator", "n/a")

_REGION = re.compile(r"(<!-- counts -->\n).*?(<!-- /counts -->)", re.DOTALL)


def read() -> list[Row]:
    """Return the requirements, with the columns of the list."""
    with LIST.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def with_counts(page: str, rows: Sequence[Row]) -> str:
    """Return the page with the current tables between its two markers.

    Raises:
        ValueError: The page doesn't contain the markers exactly once.
    """
    text = "\n".join([*_counts(rows), "", "## What isn't met", "", *_gaps(rows), ""])
    new_page, count = _REGION.subn(lambda region: region[1] + text + region[2], page)
    if count != 1:
        raise ValueError("the page must have <!-- counts --> and <!-- /counts --> once")
    return new_page


def _counts(rows: Sequence[Row]) -> Iterator[str]:
    yield f"| level | requirements | {' | '.join(MET)} |"
    yield f"|---|---|{'---|' * len(MET)}"
    for level in ("1", "2"):
        counts = Counter(row["met"] for row in rows if row["level"] == level)
        numbers = " | ".join(str(counts[met]) for met in MET)
        yield f"| {level} | {counts.total()} | {numbers} |"


def _gaps(rows: Sequence[Row]) -> Iterator[str]:
    yield "| | level | about | met | how |"
    yield "|---|---|---|---|---|"
    for row in rows:
        if row["met"] in {"no", "partly"}:
            cells = (row["requirement"], row["level"], row["about"], row["met"], row["how"])
            yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    _page = Path(sys.argv[1])
    _text = with_counts(_page.read_text(encoding="utf-8"), read())
    _page.write_text(_text, encoding="utf-8")
