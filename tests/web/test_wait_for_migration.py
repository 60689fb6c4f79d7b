"""While the database is of another version, requests are answered with 503."""

from typing import Any

import pytest
from django.db import ProgrammingError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rollbook.db.schema_version import DatabaseIsNewer
from rollbook.db.schema_watch import SchemaWatch
from rollbook.web import middleware
from rollbook.web.api import views
from tests.web.curl import Curl, text

pytestmark = pytest.mark.django_db

UPGRADING = (
    "ERROR upgrading: Rollbook is being upgraded: this server is waiting for rollbook migrate; "
    "nothing was saved; try again in a minute\n"
)


class Migration:
    """The last migration, which a test can undo and repeat."""

    def __init__(self) -> None:
        last = MigrationRecorder.Migration.objects.order_by("id").last()
        assert last
        self._key = last.app, last.name

    def undo(self) -> None:
        MigrationRecorder(connection).record_unapplied(*self._key)

    def repeat(self) -> None:
        MigrationRecorder(connection).record_applied(*self._key)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> SchemaWatch:
    """The watch of a web server of which nothing is known yet."""
    watch = SchemaWatch()
    monkeypatch.setattr(middleware, "watch", watch)
    return watch


def test_an_older_database_is_waited_for_and_then_requests_are_answered(
    watch: SchemaWatch, curl: Curl, caplog: pytest.LogCaptureFixture
) -> None:
    last, completed = Migration(), []
    watch._complete = lambda: completed.append(True)
    last.undo()
    for _ in range(2):
        assert not watch.compare()
    refused = curl.status()
    assert (refused.status_code, text(refused), refused["Retry-After"]) == (503, UPGRADING, "60")
    assert caplog.text.count("waiting for `rollbook migrate`: ") == 1
    assert completed == []
    last.repeat()
    assert watch.compare()
    assert curl.status().status_code == 200
    assert completed == [True]


def test_a_wrong_data_folder_is_found_when_the_database_was_migrated(
    watch: SchemaWatch, curl: Curl
) -> None:
    def fail() -> None:
        raise ValueError("it belongs to another database")

    last = Migration()
    watch._complete = fail
    last.undo()
    watch.compare()
    last.repeat()
    for _ in range(2):
        with pytest.raises(ValueError, match="another database"):
            watch.compare()
    assert curl.status().status_code == 503


def test_browsers_get_a_page_without_commands(watch: SchemaWatch) -> None:
    watch._is_current = False
    page = Client().get("/sign-in", secure=True, HTTP_ACCEPT="text/html")
    assert (page.status_code, page["Retry-After"]) == (503, "60")
    assert "Rollbook is being upgraded. Nothing was changed." in text(page)
    assert "rollbook migrate" not in text(page)


def test_the_process_is_alive_and_static_files_are_served(watch: SchemaWatch) -> None:
    watch._is_current = False
    for path in ("/livez", "/static/rollbook/style.css"):
        assert Client().get(path, secure=True).status_code != 503


def test_requests_need_no_query_for_it(watch: SchemaWatch) -> None:
    watch._is_current = False
    with CaptureQueriesContext(connection) as queries:
        Client().get("/sign-in", secure=True)
    assert list(queries) == []


@pytest.mark.parametrize("is_newer", [True, False])
def test_a_database_error_is_an_upgrade_if_the_schema_has_changed(
    watch: SchemaWatch, monkeypatch: pytest.MonkeyPatch, is_newer: bool
) -> None:
    def fail(*arguments: Any) -> None:
        raise ProgrammingError("no such column")

    monkeypatch.setattr(views, "ApiRequest", fail)
    if is_newer:
        MigrationRecorder(connection).record_applied("updates", "9999_newer")
    client = Client(raise_request_exception=False)
    response = client.post("/slc/studentupdate/start", secure=True)
    assert response.status_code == (503 if is_newer else 500)
    assert (text(response) == UPGRADING) == is_newer


def test_a_newer_database_stops_the_server_once_it_is_found(watch: SchemaWatch) -> None:
    MigrationRecorder(connection).record_applied("updates", "9999_newer")
    with pytest.raises(DatabaseIsNewer):
        watch.compare()
    assert not watch.is_current
