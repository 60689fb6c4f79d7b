"""Texts are compared byte by byte, whatever order the PostgreSQL was set up with."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

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
"""In the order of their bytes, which is that of no language."""
STUDENT_IDS = [text for text in TEXTS if text.isascii()]


def on_another_server(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test of a PostgreSQL server with another order of texts, which a process fills."""
    marked: Callable[..., None] = pytest.mark.only_on("postgresql")(pytest.mark.process(test))
    return marked


def test_texts_are_ordered_and_compared_by_their_bytes(maple: District) -> None:
    School.objects.all().delete()
    School.objects.bulk_create(
        School(district=maple, organization_id=text, name="") for text in reversed(TEXTS)
    )
    found = School.objects.order_by("organization_id").values_list("organization_id", flat=True)
    assert list(found) == TEXTS
    for at, text in enumerate(TEXTS):
        assert found.filter(organization_id__gte=text).count() == len(TEXTS) - at
        assert list(found.filter(organization_id=text)) == [text]


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db
def test_every_text_that_is_compared_has_that_order_of_its_own() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, collation_name FROM information_schema.columns"
            " WHERE table_name = ANY(%s) AND data_type IN ('text', 'character varying')",
            [list(COMPARED)],
        )
        found = cursor.fetchall()
    assert {(table, column) for table, columns in COMPARED.items() for column in columns} <= {
        (table, column) for table, column, _ in found
    }
    assert {(table, column) for table, column, order in found if order != "C"} == set()


@pytest.fixture(scope="module")
def english() -> Iterator[OwnDatabase]:
    """A database that was set up with the order of English."""
    with psycopg.connect(settings.DATABASE_URL) as server:
        found = server.execute("SELECT 1 FROM pg_collation WHERE collname = 'en-x-icu'").fetchone()
        if not found or server.info.server_version < 150_000:
            pytest.skip("this PostgreSQL makes no database in the order of a language")
    how = "LOCALE_PROVIDER icu ICU_LOCALE 'en'"
    with own_database(settings.DATABASE_URL, how) as own:
        yield own


@pytest.fixture(scope="module")
def enrolled(english: OwnDatabase, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A school whose students came in no order, and with two more of one name, the second without a username."""
    folder = tmp_path_factory.mktemp("english")
    known = {"DATABASE_URL": english.url(), "DJANGO_SETTINGS_MODULE": "rollbook.settings"}
    said = [
        row(number, student_id=text, groups=text)
        for number, text in enumerate(reversed(STUDENT_IDS))
    ]
    said.append(row(97, first_name="Ana", last_name="Lee", username="alee"))
    said.append(row(98, first_name="Alba", last_name="Lee", username=""))
    (folder / "base.csv").write_text(HEADER + "".join(said), encoding="utf-8")

    def do(*task: str) -> str:
        command = [sys.executable, "-m", "tests.faults.inside", *task]
        done = subprocess.run(
            command,
            env=environment(folder / "data", **known),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    do("make", str(folder / "base.csv"))
    told: dict[str, Any] = json.loads(do("dump"))
    return told


@on_another_server
def test_the_other_server_puts_a_before_capital_b_and_e_with_an_accent_before_f(
    english: OwnDatabase,
) -> None:
    assert english.value("SELECT 'a' < 'B' AND '\u00e9' < 'f'") is True


@on_another_server
def test_everybody_is_enrolled(enrolled: dict[str, Any]) -> None:
    [update] = enrolled["updates"]
    assert (update["state"], update["added"], update["rejected"]) == (
        "completed",
        len(STUDENT_IDS) + 2,
        0,
    )


@on_another_server
def test_students_come_in_the_order_of_the_bytes_of_their_ids(enrolled: dict[str, Any]) -> None:
    found = [student["STUDENT_ID"] for student in enrolled["students"]]
    assert found == sorted([*STUDENT_IDS, "00097", "00098"])


@on_another_server
def test_a_username_that_is_made_is_one_that_nobody_has(enrolled: dict[str, Any]) -> None:
    [alba] = [student for student in enrolled["students"] if student["FIRST_NAME"] == "Alba"]
    assert alba["USERNAME"] == "alee2"


@on_another_server
@pytest.mark.usefixtures("enrolled")
def test_usernames_are_compared_by_their_bytes(english: OwnDatabase) -> None:
    question = "SELECT count(*) FROM students_student WHERE username < '{}'"
    assert english.value(question.format("a")) == 0
    assert english.value(question.format("al\u00e9")) == 2  # both alee, and no user
    assert english.value(question.format("\u00e9")) == len(STUDENT_IDS) + 2
