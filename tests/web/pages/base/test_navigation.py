"""The navigation: what each role finds in it, and which entry is marked as the current one."""

from xml.etree.ElementTree import Element

import pytest

from rollbook.accounts import roles
from rollbook.accounts.models import Member
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts.models import District
from tests.conftest import make_member
from tests.web.pages.conftest import SignedIn
from tests.web.pages.reading import Page, text_of


def header_of(page: Page) -> Element:
    header = page.root.find(".//header[@class='top']")
    assert header is not None
    return header


def current(page: Page) -> dict[str, str]:
    """Return what is marked as current in the row, by its text."""
    row = header_of(page).find(".//nav[@class='navigation']")
    assert row is not None
    marked = (each for each in row.iter() if each.get("aria-current"))
    return {text_of(each): each.attrib["aria-current"] for each in marked}


def menu_of(page: Page) -> list[str]:
    """Return the entries of the menu Manage."""
    links = header_of(page).iterfind(".//nav[@class='navigation']//details//a")
    return [text_of(link) for link in links]


@pytest.mark.parametrize(
    ("address", "marked"),
    [
        ("/", {"Home": "page"}),
        ("/students", {"Students": "page"}),
        ("/students/new", {"Students": "true"}),
        ("/students/update", {"Updates": "true"}),
        ("/students/update/format", {"Updates": "true"}),
        ("/limits", {"Manage": "true", "Limits": "page"}),
        ("/limits/profiles/new", {"Manage": "true", "Limits": "true"}),
        ("/help/problems", {"Help": "true"}),
        ("/account", {}),
    ],
)
def test_the_entry_of_the_page_is_marked(
    visitor: SignedIn, manager: Member, address: str, marked: dict[str, str]
) -> None:
    assert current(visitor(manager).read(address)) == marked


def test_the_narrow_menu_has_the_same_entries_and_works_without_scripts(
    visitor: SignedIn, manager: Member
) -> None:
    page = visitor(manager).read("/")
    narrow = header_of(page).find(".//details[@class='menu compact']")
    assert narrow is not None
    links = [text_of(link) for link in narrow.iter("a")]
    assert links == [*page.navigation, f"Account of {manager.name}"]
    assert [form.get("action") for form in narrow.iter("form")] == ["/sign-out"]


def test_the_menu_has_what_the_role_may_open(
    visitor: SignedIn, manager: Member, school_manager: Member
) -> None:
    assert menu_of(visitor(manager).read("/"))[:3] == ["Schools", "Groups", "Transfers"]
    assert menu_of(visitor(school_manager).read("/")) == ["Groups", "Transfers", "Staff"]


def test_a_single_entry_needs_no_menu(visitor: SignedIn, instructor: Member) -> None:
    page = visitor(instructor).read("/")
    assert menu_of(page) == []
    assert page.navigation == ["Home", "Students", "Groups", "Help"]


def test_each_permission_adds_only_its_own_entries(
    visitor: SignedIn, manager: Member, maple: District
) -> None:
    role = roles.create_role(
        manager, RoleType.DISTRICT_MANAGER, "Auditor", "", [Permission.SEE_AUDIT]
    )
    auditor = make_member(maple, "auditor@maple.example")
    Member.objects.filter(pk=auditor.pk).update(role=role)
    assert visitor(auditor).read("/").navigation == ["Home", "Audit log", "Help"]
