"""A deletion next to other writers of SQLite, and emptying its write-ahead log at the end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from rollbook.db.sqlite.turnstile import Turnstile
from rollbook.districts.models import District
from rollbook.operations.lifecycle import deletion, destruction
from tests.patience import TIMEOUT_S

pytestmark = [pytest.mark.only_on("sqlite"), pytest.mark.django_db(transaction=True)]


def log_size() -> int:
    return Path(f"{connection.settings_dict['NAME']}-wal").stat().st_size


@contextmanager
def someone_reading_what_changed(district: District) -> Iterator[None]:
    """Keep a transaction open that reads the district as it was before its last change."""
    reader = connection.copy()
    try:
        with reader.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            cursor.execute("SELECT * FROM districts_district")
            District.objects.filter(pk=district.pk).update(name="Maple")
            yield
    finally:
        reader.close()


def test_others_write_while_a_reader_keeps_the_log_from_being_emptied(maple: District) -> None:
    emptying = threading.Thread(target=_empty)
    with someone_reading_what_changed(maple):
        emptying.start()
        for number in range(10):
            District.objects.filter(pk=maple.pk).update(name=f"Maple {number}")
        assert log_size() > 0
    emptying.join()
    assert log_size() == 0


def test_a_log_that_is_always_read_is_given_up(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destruction, "EMPTYING_ATTEMPTS", 2)
    with someone_reading_what_changed(maple):
        destruction.empty_write_ahead_log()
        assert log_size() > 0
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (30_000,)
    destruction.empty_write_ahead_log()
    assert log_size() == 0


def test_a_batch_waits_for_others_who_want_to_write(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without that, someone who waits for a lock only gets it by luck between two batches."""
    monkeypatch.setattr("rollbook.db.sqlite.turnstile.MAX_WAIT_S", TIMEOUT_S)
    begun = deletion.start(maple, timezone.now(), None)
    other = Turnstile(f"{connection.settings_dict['NAME']}.turnstile")
    removing = threading.Thread(target=_remove, args=(begun.pk,))
    other.enter()
    try:
        removing.start()
        removing.join(0.5)
        begun.refresh_from_db()
        assert (begun.counts, removing.is_alive()) == ({}, True)
    finally:
        other.leave()
        removing.join()
    begun.refresh_from_db()
    assert begun.counts


def _empty() -> None:
    try:
        destruction.empty_write_ahead_log()
    finally:
        connection.close()


def _remove(key: int) -> None:
    try:
        destruction.advance(key, deletion.remove_batch)
    finally:
        connection.close()
