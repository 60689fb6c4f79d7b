"""Tests that end as test_both.py wants; pytest collects them only when this file is named."""

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

pytestmark = (
    pytest.mark.process
)  # so that it is not taken for one that is the same on both databases


def test_that_fails_where_it_is_told_to() -> None:
    with Path(os.environ["OUTPUT"]).open("a", encoding="utf-8") as output:
        print(connection.vendor, settings.DATABASE_URL, file=output)
    assert "DATABASE_URL" not in os.environ
    assert connection.vendor != os.environ.get("FAILS_ON")


@pytest.mark.only_on("sqlite")
def test_of_sqlite() -> None:
    assert connection.vendor == "sqlite"
