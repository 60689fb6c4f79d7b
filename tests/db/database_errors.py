"""Stop a process at a statement: earlier commits stay, and nothing is executed afterward."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

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


@contextmanager
def watching(look: Callable[[], None]) -> Iterator[None]:
    """Call a function before each statement, also of connections that other threads open."""

    def wrap(execute: Callable[..., Any], *arguments: Any) -> Any:
        look()
        return execute(*arguments)

    def watch(connection: BaseDatabaseWrapper, **more: object) -> None:
        if wrap not in connection.execute_wrappers:
            connection.execute_wrappers.append(wrap)

    connection_created.connect(watch)
    try:
        with connection.execute_wrapper(wrap):
            yield
    finally:
        connection_created.disconnect(watch)
