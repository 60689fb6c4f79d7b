"""Read the number of the page of a list from the address."""

from rollbook.web.pages.base.view import PageRequest

MAX_DIGITS = 9


def page_number(page_request: PageRequest) -> int:
    """Return the requested page of a list; 1 if the address has no valid number."""
    number = page_request.request.GET.get("page", "")
    return int(number) if number.isdecimal() and len(number) <= MAX_DIGITS else 1
