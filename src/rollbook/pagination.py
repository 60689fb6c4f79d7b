"""One page out of many, as lists of updates and rows are shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

T = TypeVar("T")
M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Page(Generic[T]):
    """Page ``number`` (the first is 1) of ``total`` items in all, ``size`` to a page."""

    items: Sequence[T]
    number: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        """How many there are; an empty list has one."""
        return pages(self.total, self.size)

    @property
    def previous(self) -> int | None:
        """The number of the page before."""
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        """The number of the page behind."""
        return self.number + 1 if self.number < self.pages else None

    @property
    def first(self) -> int:
        """The place of the first item in the whole list, counted from 1; 0 if there is none."""
        return (self.number - 1) * self.size + 1 if self.items else 0

    @property
    def last(self) -> int:
        """The place of the last one."""
        return self.first + len(self.items) - 1 if self.items else 0


def pages(total: int, size: int) -> int:
    """How many pages so many items take."""
    return max(1, -(-total // size))


def page_of(
    total: int, number: int, size: int, items: Callable[[int, int], Sequence[T]]
) -> Page[T]:
    """The page with this number, or the nearest there is; ``items`` gives those from one place up to another."""
    number = min(max(number, 1), pages(total, size))
    first = (number - 1) * size
    return Page(items(first, first + size) if total else [], number, size, total)


def page_of_query(query: QuerySet[M], number: int, size: int) -> Page[M]:
    """The same of what a query finds, in its order."""
    return page_of(query.count(), number, size, lambda first, last: list(query[first:last]))
