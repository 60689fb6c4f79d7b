"""Help matches the code: it has every column, problem, field, verdict and error, with an anchor."""

import pytest
from django.conf import settings

from rollbook.accounts.models import Member
from rollbook.studentfile.columns import COLUMNS, NAMES_IN_OTHER_SYSTEMS
from rollbook.studentfile.problems.problem import PROBLEM_CODES
from rollbook.updates.reporting.status_line import VERDICT_MEANINGS
from rollbook.web.http.command_reference import FIELDS
from rollbook.web.http.error_codes import ERROR_CODES
from rollbook.web.pages.base.column_labels import label
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(instructor: Member, visitor: SignedIn) -> Visitor:
    """Return the browser of an instructor: every role can read help."""
    return visitor(instructor)


def anchors(page: Page) -> set[str]:
    ids = [element.attrib["id"] for element in page.root.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    return set(ids)


def test_the_contents_link_to_all_pages(browser: Visitor) -> None:
    links = browser.read("/help").links
    assert links == {
        "The student file": "/help/student-file",
        "Problems": "/help/problems",
        "Upload commands": "/help/commands",
    }
    for address in links.values():
        page = browser.read(address)
        fragments = [link.removeprefix("#") for link in page.links.values() if link.startswith("#")]
        assert fragments
        assert set(fragments) <= anchors(page)


def test_every_column_is_explained(browser: Visitor) -> None:
    page = browser.read("/help/student-file")
    columns, systems = page.rows[: len(COLUMNS)], page.rows[len(COLUMNS) :]
    assert [row[0] for row in columns] == [column.name for column in COLUMNS]
    assert [row[1] for row in columns] == [label(column.name) for column in COLUMNS]
    assert [row[0] for row in systems] == list(NAMES_IN_OTHER_SYSTEMS)
    assert {column.name for column in COLUMNS} <= anchors(page)
    assert "`" not in page.text


def test_limits_are_the_settings_of_this_server(
    browser: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MAX_ROWS", 4321)
    assert "4,321 rows" in browser.read("/help/student-file").text


def test_every_problem_has_an_anchor_and_is_explained(browser: Visitor) -> None:
    page = browser.read("/help/problems")
    assert PROBLEM_CODES.keys() <= anchors(page)
    for code in PROBLEM_CODES.values():
        assert code.title in page.text
        assert code.status == 422 or f"{code.code} (HTTP {code.status})" in page.text
    assert "`" not in page.text


def test_every_field_verdict_and_error_of_the_commands_is_listed(browser: Visitor) -> None:
    page = browser.read("/help/commands")
    names = [row[0] for row in page.rows]
    assert names == [
        *FIELDS,
        *VERDICT_MEANINGS,
        *ERROR_CODES,
    ]
    assert "{" not in page.text
    assert "`" not in page.text
