"""Texts are compared byte by byte, whatever the collation of the PostgreSQL server."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, cast

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.migrations.state import StateApps

from rollbook.db.migration_operations import set_c_collation
from rollbook.db.triggers import install_triggers
from rollbook.districts.models import District, School
from tests.db.own_database import OwnDatabase, own_database
from tests.faults.folder import HEADER, row
from tests.installations import environment

COMPARED = {
    "districts_district": {"name", "slug", "time_zone", "encoding"},
    "districts_school": {"organization_id", "name"},
    "students_group": {"name", "name_key"},
    "students_student": {
        "student_id",
        "username",
        "name_key",
        "first_name",
        "last_name",
        "grade",
        "password",
        "status",
    },
    "students_change": {"field", "old", "new"},
    "students_transfer": {"state", "source_name", "target_name"},
    "accounts_member": {"email"},
    "accounts_role": {"type", "name", "name_key"},
    "accounts_token": {"key", "digest", "name"},
    "accounts_recoverycode": {"digest"},
    "updates_stagedrow": {
        "values_json",
        "outcome",
        "claims_student_id",
        "claims_username",
        "claims_name_key",
    },
}
TEXTS = [
    "-x",
    ".x",
    "0",
    "10",
    "9",
    "A1",
    "Ab",
    "B2",
    "Z",
    "_x",
    "a1",
    "aB",
    "ab",
    "b2",
    "z",
    "zz",
    "\u00c9",
    "\u00e9",
]
"""In the order of their bytes, which isn't the order of any language."""
STUDENT_IDS = [f"{text}.{number}" for number, text in enumerate(TEXTS) if text.isascii()]
"""IDs that differ in case only aren't added."""


def on_another_server(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test of a PostgreSQL server with another order of texts, which a process fills."""
    marked: Callable[..., None] = pytest.mark.only_on("postgresql")(pytest.mark.process(test))
    return marked


def test_texts_are_ordered_and_compared_by_their_bytes(maple: District) -> None:
    School.objects.all().delete()
    School.objects.bulk_create(
        School(district=maple, organization_id=text, name="") for text in reversed(TEXTS)
    )
    stored = School.objects.order_by("organization_id").values_list("organization_id", flat=True)
    assert list(stored) == TEXTS
    for position, text in enumerate(TEXTS):
        assert stored.filter(organization_id__gte=text).count() == len(TEXTS) - position
        assert list(stored.filter(organization_id=text)) == [text]


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db
def test_every_compared_column_has_the_c_collation() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, collation_name FROM information_schema.columns"
            " WHERE table_name = ANY(%s) AND data_type IN ('text', 'character varying')",
            [list(COMPARED)],
        )
        collations = {(table, column): collation for table, column, collation in cursor}
    compared = {(table, column) for table, columns in COMPARED.items() for column in columns}
    assert compared <= collations.keys()
    assert set(collations.values()) == {"C"}


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db
def test_a_column_that_a_trigger_names_gets_the_c_collation_and_keeps_the_trigger() -> None:
    table = "updates_updatejob"
    with connection.cursor() as cursor:
        drop_triggers_of(table, cursor)
        cursor.execute(f'ALTER TABLE {table} ALTER state TYPE varchar(20) COLLATE "default"')
        install_triggers(connection.alias)
        triggers = triggers_of(table, cursor)
        with connection.schema_editor(atomic=False) as editor:
            set_c_collation("updates.UpdateJob")(cast("StateApps", apps), editor)
        cursor.execute(
            "SELECT collation_name FROM information_schema.columns"
            " WHERE table_name = %s AND column_name = 'state'",
            [table],
        )
        assert cursor.fetchone() == ("C",)
        assert triggers
        assert triggers_of(table, cursor) == triggers


def triggers_of(table: str, cursor: CursorWrapper) -> set[str]:
    cursor.execute(
        "SELECT tgname FROM pg_trigger"
        " WHERE tgrelid = %s::regclass AND NOT tgisinternal AND tgenabled = 'O'",
        [table],
    )
    return {name for (name,) in cursor.fetchall()}


def drop_triggers_of(table: str, cursor: CursorWrapper) -> None:
    for name in triggers_of(table, cursor):
        cursor.execute(f"DROP TRIGGER {name} ON {table}")


@pytest.fixture(scope="module")
def english() -> Iterator[OwnDatabase]:
    """A database with the collation of English."""
    with psycopg.connect(settings.DATABASE_URL) as server:
        query = "SELECT 1 FROM pg_collation WHERE collname = 'en-x-icu'"
        if not server.execute(query).fetchone() or server.info.server_version < 150_000:
            pytest.skip("this PostgreSQL can't create a database with the collation of a language")
    options = "LOCALE_PROVIDER icu ICU_LOCALE 'en'"
    with own_database(settings.DATABASE_URL, options) as own:
        yield own


@pytest.fixture(scope="module")
def enrolled(english: OwnDatabase, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Students in reverse order, and two more with similar names, the second without a username."""
    folder = tmp_path_factory.mktemp("english")
    variables = {"DATABASE_URL": english.url(), "DJANGO_SETTINGS_MODULE": "rollbook.settings"}
    rows = [
        row(number, student_id=text, groups=text)
        for number, text in enumerate(reversed(STUDENT_IDS))
    ]
    rows.append(row(97, first_name="Ana", last_name="Lee", username="alee"))
    rows.append(row(98, first_name="Alba", last_name="Lee", username=""))
    (folder / "base.csv").write_text(HEADER + "".join(rows), encoding="utf-8")

    def run_task(*task: str) -> str:
        command = [sys.executable, "-m", "tests.faults.inside", *task]
        result = subprocess.run(
            command,
            env=environment(folder / "data", **variables),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    run_task("make", str(folder / "base.csv"))
    dump: dict[str, Any] = json.loads(run_task("dump"))
    return dump


@on_another_server
def test_the_database_has_the_order_of_english(
    english: OwnDatabase,
) -> None:
    assert english.value("SELECT 'a' < 'B' AND '\u00e9' < 'f'") is True


@pytest.mark.process
@on_another_server
def test_all_students_are_added(enrolled: dict[str, Any]) -> None:
    [update] = enrolled["updates"]
    assert (update["state"], update["rows_added"], update["rows_rejected"]) == (
        "completed",
        len(STUDENT_IDS) + 2,
        0,
    )


@pytest.mark.process
@on_another_server
def test_students_are_ordered_by_the_bytes_of_their_ids(enrolled: dict[str, Any]) -> None:
    student_ids = [student["STUDENT_ID"] for student in enrolled["students"]]
    assert student_ids == sorted([*STUDENT_IDS, "00097", "00098"])


@pytest.mark.process
@on_another_server
def test_a_generated_username_is_unique(enrolled: dict[str, Any]) -> None:
    [alba] = [student for student in enrolled["students"] if student["FIRST_NAME"] == "Alba"]
    assert alba["USERNAME"] == "alee2"


@pytest.mark.process
@on_another_server
@pytest.mark.usefixtures("enrolled")
def test_usernames_are_compared_by_their_bytes(english: OwnDatabase) -> None:
    query = "SELECT count(*) FROM students_student WHERE username < '{}'"
    assert english.value(query.format("a")) == 0
    assert (
        english.value(query.format("al\u00e9")) == 2
    )  # both that start with alee, none that starts with user
    assert english.value(query.format("\u00e9")) == len(STUDENT_IDS) + 2
