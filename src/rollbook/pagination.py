"""Split lists, such as updates and rows, into numbered pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

T = TypeVar("T")
M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list.

    Attributes:
        items: The items on this page.
        number: The number of this page, starting at 1.
        size: The maximum number of items on a page.
        total: The number of items on all pages.
    """

    items: Sequence[T]
    number: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        """The number of pages; an empty list has one."""
        return page_count(self.total, self.size)

    @property
    def previous(self) -> int | None:
        """The number of the page before this one, if there is one."""
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        """The number of the page after this one, if there is one."""
        return self.number + 1 if self.number < self.pages else None

    @property
    def first(self) -> int:
        """The position of this page's first item in the whole list, starting at 1; 0 if empty."""
        return (self.number - 1) * self.size + 1 if self.items else 0

    @property
    def last(self) -> int:
        """The position of this page's last item in the whole list, starting at 1; 0 if empty."""
        return self.first + len(self.items) - 1 if self.items else 0


def page_count(total: int, size: int) -> int:
    """Return how many pages of ``size`` items a list of ``total`` items has."""
    return max(1, -(-total // size))


def get_page(
    total: int, number: int, size: int, items: Callable[[int, int], Sequence[T]]
) -> Page[T]:
    """Return a page of a list.

    Args:
        total: The number of items in the list.
        number: The number of the page; if there is no such page, the nearest one is returned.
        size: The maximum number of items on a page.
        items: Returns the items between two positions, like a slice.
    """
    number = min(max(number, 1), page_count(total, size))
    first = (number - 1) * size
    page_items = items(first, first + size) if total else []
    return Page(page_items, number, size, total)


def get_query_page(query: QuerySet[M], number: int, size: int) -> Page[M]:
    """Return a page of a query's results, in the order of the query; see ``page_of``."""
    return get_page(query.count(), number, size, lambda first, last: list(query[first:last]))
