"""A process that ends at a statement: what was committed before stays, and nothing after it is done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

OURS = ("SELECT", "INSERT", "UPDATE", "DELETE")
"""Not those that begin and end transactions, which a test has one more of."""


class Kill(BaseException):
    """No code of ours catches it."""


@contextmanager
def fault_at(number: int) -> Iterator[None]:
    """Raise Kill instead of the statement with this number, counted from 1."""
    seen = 0

    def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal seen
        if sql.lstrip().startswith(OURS):
            seen += 1
            if seen == number:
                raise Kill
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        yield
