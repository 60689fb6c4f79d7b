"""Writes the table of settings into the README.

Run it as ``python -m rollbook.settings_reference README.md``.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from rollbook.environment import SETTINGS
from rollbook.setting import Setting

_REGION = re.compile(r"(<!-- settings -->\n).*?(<!-- /settings -->)", re.DOTALL)


def table() -> str:
    """Return the settings that people set as a Markdown table."""
    return "\n".join(["| Variable | Default | Meaning |", "|---|---|---|", *_rows(), ""])


def with_table(page: str) -> str:
    """Return the page with the current table between its two markers.

    Raises:
        ValueError: The page doesn't contain the markers exactly once.
    """
    new_page, count = _REGION.subn(lambda region: region[1] + table() + region[2], page)
    if count != 1:
        raise ValueError("the page must have <!-- settings --> and <!-- /settings --> once")
    return new_page


def _rows() -> Iterator[str]:
    for setting in SETTINGS:
        if setting.is_documented:
            yield f"| `{setting.name}` | {_default(setting)} | {_meaning(setting)} |"


def _default(setting: Setting[object]) -> str:
    return f"`{setting.default}`" if setting.default else ""


def _meaning(setting: Setting[object]) -> str:
    if setting.is_secret:
        return f"{setting.help} Secret: store it in a file, and name that file with `…_FILE`."
    return setting.help


if __name__ == "__main__":
    _page = Path(sys.argv[1])
    _page.write_text(with_table(_page.read_text(encoding="utf-8")), encoding="utf-8")
