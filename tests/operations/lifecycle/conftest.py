"""Filled districts, and a folder of emails that is empty before and after each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from tests.operations.lifecycle.district import fill


@pytest.fixture(autouse=True)
def no_emails_are_left() -> Iterator[None]:
    _remove_emails()
    yield
    _remove_emails()


def _remove_emails() -> None:
    for path in Path(settings.MAIL_FOLDER).glob("*"):
        path.unlink()


@pytest.fixture
def filled(maple: District) -> Member:
    """Return the manager of Maple USD, which is filled."""
    return fill(maple)


@pytest.fixture
def neighbors(cedar: District) -> Member:
    """Return the manager of Cedar County, which is filled."""
    return fill(cedar)
