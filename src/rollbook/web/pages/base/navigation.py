"""Choose the entries of the navigation: what a member may open, and where the page belongs."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse

from rollbook.accounts.permissions import Permission
from rollbook.web.pages.base.view import PageRequest

MIN_MANAGE_ENTRIES = 2
"""With fewer, they are in the row itself: a menu with one entry would only be in the way."""


@dataclass(frozen=True)
class Destination:
    """A page of the navigation.

    Attributes:
        name: The name of its address.
        label: What it is called.
        any_of: A member needs one of these permissions; empty for every member.
        inside: The addresses below which pages belong to it; empty: below its own.
    """

    name: str
    label: str
    any_of: tuple[Permission, ...] = ()
    inside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A link of the navigation.

    Attributes:
        address: Where it leads.
        label: What it is called.
        current: The value of ``aria-current``: ``page`` on the page itself, ``true`` on a page that
            belongs to it; empty on others.
    """

    address: str
    label: str
    current: str = ""


@dataclass(frozen=True)
class Navigation:
    """The links before the menu, in the menu *Manage*, and after it."""

    first: tuple[Entry, ...]
    manage: tuple[Entry, ...]
    last: tuple[Entry, ...]

    @property
    def is_inside_manage(self) -> bool:
        """Whether the page belongs to an entry of the menu."""
        return any(entry.current for entry in self.manage)


FIRST = (
    Destination("home", "Home"),
    Destination("students", "Students", (Permission.SEE_STUDENTS,)),
    Destination(
        "updates", "Updates", (Permission.UPDATE_STUDENTS,), ("updates", "students/update")
    ),
    Destination("automation", "Automation", (Permission.UPDATE_STUDENTS,)),
)
MANAGE = (
    Destination("schools", "Schools", (Permission.MANAGE_SCHOOLS,)),
    Destination("groups", "Groups", (Permission.SEE_STUDENTS,)),
    Destination("transfers", "Transfers", (Permission.EDIT_STUDENTS,)),
    Destination("staff", "Staff", (Permission.MANAGE_STAFF,)),
    Destination("roles", "Roles", (Permission.MANAGE_ROLES,)),
    Destination("settings", "Settings", (Permission.MANAGE_SETTINGS,)),
    Destination("expected-files", "Expected files", (Permission.MANAGE_SETTINGS,)),
    Destination("quiet-hours", "Quiet hours", (Permission.MANAGE_SETTINGS,)),
    Destination("mappings", "Column mappings", (Permission.MANAGE_SETTINGS,)),
    Destination("limits", "Limits", (Permission.MANAGE_SETTINGS,)),
    Destination("full-sync", "Full sync", (Permission.MANAGE_SETTINGS,)),
    Destination("audit", "Audit log", (Permission.SEE_AUDIT,)),
)
LAST = (Destination("help", "Help"),)


def navigation_of(page_request: PageRequest) -> Navigation:
    """Return the navigation of a page for the member who sees it."""
    path = page_request.request.path
    allowed = [each for each in (*FIRST, *MANAGE, *LAST) if page_request.may(*each.any_of)]
    longest = max((_match(each, path) for each in allowed), default=0)
    first, manage, last = (
        tuple(_entries(group, page_request, longest)) for group in (FIRST, MANAGE, LAST)
    )
    if len(manage) < MIN_MANAGE_ENTRIES:
        return Navigation((*first, *manage), (), last)
    return Navigation(first, manage, last)


def _entries(
    group: tuple[Destination, ...], page_request: PageRequest, longest: int
) -> Iterator[Entry]:
    path = page_request.request.path
    for destination in group:
        if not page_request.may(*destination.any_of):
            continue
        address = reverse(destination.name)
        current = "page" if path == address else ""
        if not current and longest and _match(destination, path) == longest:
            current = "true"
        yield Entry(address, destination.label, current)


def _match(destination: Destination, path: str) -> int:
    """Return the length of the address below which the path is; 0 if it is not below it."""
    addresses = [f"/{address}" for address in destination.inside] or [reverse(destination.name)]
    return max(len(address) * _is_inside(path, address) for address in addresses)


def _is_inside(path: str, address: str) -> bool:
    return path == address or (address != "/" and path.startswith(f"{address}/"))
