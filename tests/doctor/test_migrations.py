"""The tables compared with this version."""

from pathlib import Path

import pytest

from tests.doctor.host import Report, doctor
from tests.installations import execute

pytestmark = pytest.mark.process

OURS = "DELETE FROM django_migrations WHERE app = 'updates'"
NEWER = (
    "INSERT INTO django_migrations (app, name, applied) "
    "VALUES ('updates', '9999_of_next_year', '2031-01-01')"
)
EMPTY = "DROP TABLE django_migrations"


def changed(data: Path, statement: str) -> Report:
    execute(data, statement)
    return doctor(data)


def test_all_are_applied(installed: Path) -> None:
    [(result, what)] = doctor(installed).parts["migrations"]
    assert (result, what.startswith("all "), what.endswith(" are applied")) == ("ok", True, True)


@pytest.mark.parametrize(
    ("statement", "words"), [(OURS, "not yet applied"), (EMPTY, "the database is empty")]
)
def test_older_tables_are_a_warning_and_other_checks_are_skipped(
    installed: Path, statement: str, words: str
) -> None:
    report = changed(installed, statement)
    [(result, what)] = report.parts["migrations"]
    assert (result, what.endswith(words)) == ("warning", True)
    assert report.results("updates") == ["skipped"]


def test_tables_of_a_newer_version_are_an_error(installed: Path) -> None:
    report = changed(installed, NEWER)
    what = "a newer version of Rollbook has changed the database (updates.9999_of_next_year)"
    assert report.parts["migrations"] == [("error", what)]
