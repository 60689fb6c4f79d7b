"""Stop a process at a statement: earlier commits stay, and nothing is executed afterward."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

OURS = ("SELECT", "INSERT", "UPDATE", "DELETE")
"""The statements that are counted: not those that start and end transactions."""


class Kill(BaseException):
    """Not caught by any of our code."""


@contextmanager
def fault_at(number: int) -> Iterator[None]:
    """Raise Kill instead of the statement with this number, starting at 1."""
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
