"""The data sheet names every table and every column of the database, and no other."""

import re
from collections import Counter
from pathlib import Path

from django.apps import apps

TEXT = (Path(__file__).parents[1] / "docs" / "security" / "data-sheet.md").read_text("utf-8")
OF_DJANGO = {"auth", "contenttypes", "procrastinate"}
LEVELS = ("secret", "confidential", "personal", "internal", "as above")

_ROW = re.compile(r"^\| `(\w+\.\w+)` \| ([^|]+) \|(.*)$", re.MULTILINE)


def listed() -> Counter[str]:
    """Return how often each column is listed, as ``students.Student.dob``."""
    return Counter(
        f"{table}.{column}"
        for table, columns, _ in _ROW.findall(TEXT)
        for column in re.findall(r"`(\w+)`", columns)
    )


def stored() -> set[str]:
    models = apps.get_models(include_auto_created=True)
    ours = [model for model in models if model._meta.app_label not in OF_DJANGO]
    return {f"{model._meta.label}.{f.name}" for model in ours for f in model._meta.local_fields}


def test_every_column_is_listed_once_and_no_other() -> None:
    assert stored() - set(listed()) == set(), "add it to docs/security/data-sheet.md"
    assert set(listed()) - stored() == set(), "remove it from docs/security/data-sheet.md"
    assert {column for column, count in listed().items() if count > 1} == set()


def test_each_row_says_what_why_how_long_and_who() -> None:
    with_data = TEXT.partition("## Without personal data")[0]
    for table, _, rest in _ROW.findall(with_data):
        level, what, how_long, who, _ = map(str.strip, rest.split("|"))
        assert level.startswith(LEVELS), table
        assert all((what, how_long, who)), table
