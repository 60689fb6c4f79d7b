"""Test that tables of the Manage pages can be read on a phone, where each row is a card."""

from datetime import date
from xml.etree.ElementTree import Element

import pytest
from django.utils import timezone

from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.models import Member
from rollbook.districts import schedules
from rollbook.districts.file_schedule import Pause
from tests.web.pages.base.form_cases import Maple
from tests.web.pages.conftest import SignedIn

LISTS = (
    "/schools",
    "/groups",
    "/groups/{group}",
    "/staff",
    "/staff/tokens",
    "/roles",
    "/limits",
    "/expected-files",
    "/audit",
    "/account",
    "/account/tokens",
)


@pytest.fixture
def maple_usd(manager: Member, visitor: SignedIn) -> Maple:
    """Maple USD with something in each list."""
    now = timezone.now()
    pause = Pause(date(2099, 12, 21), date(2099, 12, 31))
    schedules.add_pause(manager.district, pause, now)
    api_tokens.create(manager, "Night", tuple(Scope), now)
    maple = Maple(manager, visitor(manager))
    maple.browser.post(f"/groups/{maple.keys['group']}/put-in", {"students": "s000"})
    return maple


def has_own_words(cell: Element) -> bool:
    """Return whether a cell needs no heading: it is empty, or has a box, a button or a badge."""
    if not "".join(cell.itertext()).strip():
        return True
    is_badge = any("mark" in each.get("class", "").split() for each in cell.iter())
    return is_badge or any(each.tag in {"button", "input"} for each in cell.iter())


@pytest.mark.parametrize("address", LISTS)
def test_each_cell_says_what_it_is_without_its_heading(maple_usd: Maple, address: str) -> None:
    page = maple_usd.browser.read(address.format(**maple_usd.keys))
    tables = list(page.main.iter("table"))
    assert tables
    for table in tables:
        assert "cards" in table.attrib["class"].split()
        rows = table.findall("tbody/tr")
        assert rows
        for row in rows:
            for cell in row.iter("td"):
                assert cell.get("data-label") or has_own_words(cell), address
