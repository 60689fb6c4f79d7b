"""One page out of many."""

import pytest

from rollbook.pagination import Page, page_of

LETTERS = "abcdefg"


def page(number: int, letters: str = LETTERS) -> Page[str]:
    return page_of(len(letters), number, 3, lambda first, last: letters[first:last])


@pytest.mark.parametrize(
    ("number", "items", "previous", "following", "first", "last"),
    [(1, "abc", None, 2, 1, 3), (2, "def", 1, 3, 4, 6), (3, "g", 2, None, 7, 7)],
)
def test_a_page_knows_its_items_and_its_neighbours(
    number: int, items: str, previous: int | None, following: int | None, first: int, last: int
) -> None:
    found = page(number)
    assert (found.items, found.number, found.pages, found.total) == (items, number, 3, 7)
    assert (found.previous, found.next, found.first, found.last) == (
        previous,
        following,
        first,
        last,
    )


@pytest.mark.parametrize(("asked", "number"), [(-5, 1), (0, 1), (4, 3), (10**30, 3)])
def test_a_number_that_is_not_there_gives_the_nearest(asked: int, number: int) -> None:
    assert page(asked).number == number


def test_nothing_is_one_empty_page() -> None:
    found = page(1, "")
    assert (list(found.items), found.number, found.pages, found.total) == ([], 1, 1, 0)
    assert (found.previous, found.next, found.first, found.last) == (None, None, 0, 0)
