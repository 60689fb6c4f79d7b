"""Emptying SQLite's write-ahead log, so that nothing is left of what was removed."""

import threading
from pathlib import Path

import pytest
from django.db import connection

from rollbook.districts.models import District
from rollbook.operations.lifecycle import destruction

pytestmark = [pytest.mark.only_on("sqlite"), pytest.mark.django_db(transaction=True)]


def log_size() -> int:
    return Path(f"{connection.settings_dict['NAME']}-wal").stat().st_size


def test_others_write_while_a_reader_keeps_the_log_from_being_emptied(maple: District) -> None:
    reader = connection.copy()
    emptying = threading.Thread(target=_empty)
    try:
        with reader.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            cursor.execute("SELECT * FROM districts_district")
            District.objects.filter(pk=maple.pk).update(name="Maple")
            emptying.start()
            for number in range(10):
                District.objects.filter(pk=maple.pk).update(name=f"Maple {number}")
            assert log_size() > 0
            cursor.execute("ROLLBACK")
        emptying.join()
        assert log_size() == 0
    finally:
        reader.close()


def test_a_log_that_is_always_read_is_given_up(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destruction, "EMPTYING_ATTEMPTS", 2)
    reader = connection.copy()
    try:
        with reader.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            cursor.execute("SELECT * FROM districts_district")
            District.objects.filter(pk=maple.pk).update(name="Maple")
            destruction.empty_write_ahead_log()
            assert log_size() > 0
    finally:
        reader.close()
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (30_000,)
    destruction.empty_write_ahead_log()
    assert log_size() == 0


def _empty() -> None:
    try:
        destruction.empty_write_ahead_log()
    finally:
        connection.close()
