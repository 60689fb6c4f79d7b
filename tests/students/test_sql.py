"""Named queries: each is found for the database in use, says what it does, and is used."""

import re
from pathlib import Path

import pytest
from django.db import connection

from rollbook.students import sql
from rollbook.students.sql import named_query

FOLDER = Path(sql.__file__).parent
FILES = sorted(FOLDER.glob("*.sql"))
NAMES = sorted({file.name.split(".")[0] for file in FILES})
SOURCES = "\n".join(file.read_text() for file in FOLDER.parent.glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_file_says_what_it_does_and_shows_an_example_row(file: Path) -> None:
    lines = file.read_text().splitlines()
    comment = " ".join(line for line in lines if line.startswith("--"))
    assert lines[0].startswith("-- ")
    assert "xample row" in comment


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_file_explains_its_placeholders(file: Path) -> None:
    lines = file.read_text().splitlines()
    comment = " ".join(line for line in lines if line.startswith("--"))
    query = " ".join(line for line in lines if not line.startswith("--"))
    for placeholder in re.findall(r"\{[a-z_]+\}", query):
        assert f"{placeholder}:" in comment


@pytest.mark.parametrize("name", NAMES)
def test_each_query_is_there_for_both_databases_and_is_used(name: str) -> None:
    endings = {file.name.removeprefix(name) for file in FILES if file.name.split(".")[0] == name}
    assert endings in ({".sql"}, {".postgresql.sql", ".sqlite.sql"})
    assert f'named_query("{name}"' in SOURCES


@pytest.mark.parametrize("name", NAMES)
def test_a_query_comes_without_its_comment(name: str) -> None:
    query = named_query(name)
    assert "--" not in query
    assert query == query.strip()
    assert set(re.findall("%.", query)) <= {"%s"}


def test_placeholders_are_replaced_and_other_braces_stay() -> None:
    assignment = named_query("simple_change_assignment", column="grade", name="GRADE")
    expected = {"postgresql": "#>> '{GRADE,1}'", "sqlite": "->> '$.GRADE[1]'"}
    assert assignment == f"grade = item.value {expected[connection.vendor]}"


def test_an_unknown_query_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        named_query("no_such_query")
