"""Refuse to save a form whose values somebody has changed since its page was opened.

The form contains a digest of the values it was filled with. So two people, or one person with two
tabs, never undo each other's changes without seeing them.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from django.db import transaction

from rollbook.districts.models import District
from rollbook.validation import ValidationFailed

Values = Mapping[str, object]
_DIGEST_LENGTH = 16


class ChangedMeanwhile(ValidationFailed):
    """The values that a form was filled with are no longer the current ones."""

    def __init__(self) -> None:
        super().__init__(
            [
                "somebody changed this after you opened the page, so nothing was saved; open the "
                "page again and repeat your changes"
            ]
        )


def version_of(values: Values) -> str:
    """Return a digest of the values of a form; the order of values in a list doesn't count."""
    plain = {name: _plain(value) for name, value in values.items()}
    text = json.dumps(plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]


@contextmanager
def based_on(
    version: str, district: District, current: Callable[[District], Values]
) -> Iterator[None]:
    """Return a context manager of a transaction that saves values which were edited in a form.

    It locks the district, so that only one form at a time is compared and saved.

    Args:
        version: The version of the values that were edited; empty: whatever is stored is replaced.
        district: The district that the values belong to.
        current: Returns the values that are stored now.

    Raises:
        ChangedMeanwhile: Other values are stored now.
    """
    with transaction.atomic():
        locked = District.objects.select_for_update(no_key=True).get(pk=district.pk)
        if version and version != version_of(current(locked)):
            raise ChangedMeanwhile
        yield


def _plain(value: object) -> object:
    if isinstance(value, list | tuple | set | frozenset):
        return sorted(map(str, value))
    return str(value)
