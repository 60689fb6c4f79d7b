"""Pages of a list."""

import pytest

from rollbook.pagination import Page, get_page

ITEMS = "abcdefg"


def page(number: int, items: str = ITEMS) -> Page[str]:
    return get_page(len(items), number, 3, lambda first, last: items[first:last])


@pytest.mark.parametrize(
    ("number", "items", "previous", "following", "first", "last"),
    [(1, "abc", None, 2, 1, 3), (2, "def", 1, 3, 4, 6), (3, "g", 2, None, 7, 7)],
)
def test_a_page_has_its_items_and_the_numbers_of_adjacent_pages(
    number: int, items: str, previous: int | None, following: int | None, first: int, last: int
) -> None:
    result = page(number)
    assert (result.items, result.number, result.pages, result.total) == (items, number, 3, 7)
    assert (result.previous, result.next, result.first, result.last) == (
        previous,
        following,
        first,
        last,
    )


@pytest.mark.parametrize(("requested", "number"), [(-5, 1), (0, 1), (4, 3), (10**30, 3)])
def test_an_unknown_number_gives_the_nearest_page(requested: int, number: int) -> None:
    assert page(requested).number == number


def test_an_empty_list_has_one_empty_page() -> None:
    result = page(1, "")
    assert (list(result.items), result.number, result.pages, result.total) == ([], 1, 1, 0)
    assert (result.previous, result.next, result.first, result.last) == (None, None, 0, 0)
