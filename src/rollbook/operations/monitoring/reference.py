"""Writes the table of metrics into the page about monitoring.

Run it as ``python -m rollbook.operations.monitoring.reference docs/monitoring.md``.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

_REGION = re.compile(r"(<!-- metrics -->\n).*?(<!-- /metrics -->)", re.DOTALL)


def with_table(page: str) -> str:
    """Return the page with the current table between its two markers.

    Raises:
        ValueError: The page doesn't contain the markers exactly once.
    """
    table = "\n".join(["| Metric | Type | Labels | Meaning |", "|---|---|---|---|", *_rows(), ""])
    new_page, count = _REGION.subn(lambda region: region[1] + table + region[2], page)
    if count != 1:
        raise ValueError("the page must have <!-- metrics --> and <!-- /metrics --> once")
    return new_page


def _rows() -> Iterator[str]:
    from rollbook.operations.monitoring.metrics import METRICS  # needs Django

    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        yield f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
    import django

    django.setup()
    _page = Path(sys.argv[1])
    _page.write_text(with_table(_page.read_text(encoding="utf-8")), encoding="utf-8")
