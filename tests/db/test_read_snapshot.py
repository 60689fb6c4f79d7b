"""A snapshot for reading: it doesn't change while others write, and keeps nobody from writing."""

import threading

import pytest
from django.db import connection

from rollbook.db.read_snapshot import read_snapshot
from rollbook.districts.models import District
from tests.conftest import make_district


@pytest.mark.django_db(transaction=True)
def test_what_is_written_meanwhile_is_not_seen() -> None:
    make_district("Maple USD")

    def write() -> None:
        make_district("Cedar County")
        connection.close()

    with read_snapshot():
        assert District.objects.count() == 1
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(timeout=20)
        assert not writer.is_alive()
        assert District.objects.count() == 1
    assert District.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_connection_can_write_again_after_an_error() -> None:
    def fail() -> None:
        with read_snapshot():
            assert District.objects.count() == 0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    make_district("Maple USD")
    assert District.objects.count() == 1
