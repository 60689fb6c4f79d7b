"""Which page of a list an address names."""

from rollbook.web.pages.base.view import PageRequest

MOST_DIGITS = 9


def number_of_page(page_request: PageRequest) -> int:
    """The first, if what is named is no number."""
    number = page_request.request.GET.get("page", "")
    return int(number) if number.isdecimal() and len(number) <= MOST_DIGITS else 1
