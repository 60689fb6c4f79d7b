"""The tables against this version."""

from pathlib import Path

import pytest

from tests.doctor.host import Told, doctor
from tests.installations import execute

pytestmark = pytest.mark.process

OURS = "DELETE FROM django_migrations WHERE app = 'updates' AND name <> '0001_initial'"
NEWER = "INSERT INTO django_migrations (app, name, applied) VALUES ('updates', '9999_of_next_year', '2031-01-01')"
EMPTY = "DROP TABLE django_migrations"


def changed(data: Path, statement: str) -> Told:
    execute(data, statement)
    return doctor(data)


def test_all_are_done(installed: Path) -> None:
    [(result, what)] = doctor(installed).parts["migrations"]
    assert (result, what.startswith("all "), what.endswith(" are done")) == ("ok", True, True)


@pytest.mark.parametrize(
    ("statement", "words"), [(OURS, "migrations to come"), (EMPTY, "the database is empty")]
)
def test_older_tables_are_a_warning_and_nothing_else_is_asked_of_them(
    installed: Path, statement: str, words: str
) -> None:
    found = changed(installed, statement)
    [(result, what)] = found.parts["migrations"]
    assert (result, what.endswith(words)) == ("warning", True)
    assert found.results("updates") == ["skipped"]


def test_tables_of_a_newer_version_are_an_error(installed: Path) -> None:
    found = changed(installed, NEWER)
    what = "a newer version of Rollbook has changed the database (updates.9999_of_next_year)"
    assert found.parts["migrations"] == [("error", what)]
