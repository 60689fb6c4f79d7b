"""Test everything that can go wrong with the forms that upload a file: schools and staff.

The student file has tests of its own: tests/web/pages/upload and tests/web/field.
"""

import io
from dataclasses import dataclass
from typing import Any

import pytest

from rollbook.accounts.models import Member
from rollbook.districts.models import School
from tests.web.pages.base.form_cases import everything
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import read


@dataclass(frozen=True)
class FileForm:
    """A form for a file.

    Attributes:
        page: The address of the page with the form; the form is sent to ``…/file``.
        header: The first line of a right file.
        line: A right line after it.
    """

    page: str
    header: str
    line: str

    @property
    def address(self) -> str:
        return f"{self.page}/file"

    @property
    def right(self) -> bytes:
        return f"{self.header}\n{self.line}\n".encode()


FORMS = {
    "schools": FileForm("/schools/import", "SCHOOL_ID,NAME", "300,Hill"),
    "staff": FileForm(
        "/staff/import",
        "FIRST_NAME,LAST_NAME,ASSIGNED_ROLE,EMAIL,SCHOOLS",
        "Ida,Stone,instructor,ida@maple.example,100",
    ),
}
HEADER = b"HEADER"
"""Stands for the header of the file."""

WRONG = {
    "empty": b"",
    "only blank lines": b"\n\n\n",
    "only NUL": b"\0" * 100,
    "not text": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "a workbook": b"PK\x03\x04\x14\0\0\0\x08\0",
    "no header": b"1,2,3\n4,5,6\n",
    "another file's header": b"STUDENT_ID,FIRST_NAME\n1,Ana\n",
    "an open quote": b'HEADER\n300,"Hill\n',
    "not UTF-8": b"HEADER\n300,Hill\xff\xfe\n",
    "too large": b"HEADER\n" + b"x" * (3 << 20),
}
FORM = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """The district manager's."""
    browser = visitor(manager)
    browser.get("/roles")  # the standard roles are stored when they are first needed
    return browser


def send(browser: Visitor, form: FileForm, content: bytes, **more: Any) -> Any:
    file = io.BytesIO(content)
    file.name = "file.csv"
    return browser.post(form.address, {"file": file, **more})


@FORM
def test_a_right_file_is_accepted(browser: Visitor, form: FileForm) -> None:
    before = everything()
    assert send(browser, form, form.right).status_code in {200, 302}
    assert everything() != before


@FORM
@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_a_wrong_file_changes_nothing_and_the_page_says_why(
    browser: Visitor, form: FileForm, content: bytes
) -> None:
    before = everything()
    answer = send(browser, form, content.replace(HEADER, form.header.encode()))
    assert answer.status_code in {200, 413, 422}
    page = read(answer)
    alerts = [each for each in page.main.iter() if each.get("role") == "alert"]
    assert alerts or page.rows
    assert everything() == before


@FORM
def test_without_a_file_the_page_asks_for_one(browser: Visitor, form: FileForm) -> None:
    before = everything()
    answer = browser.client.post(
        form.address,
        {"csrfmiddlewaretoken": browser.token},
        secure=True,
        headers={"Origin": "https://testserver"},
    )
    assert answer.status_code == 400
    assert "No file was chosen." in read(answer).text
    assert everything() == before


@FORM
def test_the_same_file_twice_does_it_once(browser: Visitor, form: FileForm) -> None:
    send(browser, form, form.right)
    after = everything()
    assert send(browser, form, form.right).status_code in {200, 302}
    assert everything() == after


@FORM
def test_after_the_session_has_ended_nothing_is_done_and_the_sign_in_says_so(
    browser: Visitor, form: FileForm
) -> None:
    browser.post("/sign-out")
    browser.get("/sign-in")
    before = everything()
    page = browser.follow(send(browser, form, form.right))
    assert page.heading == "Sign in"
    assert "Your session had ended, so nothing was saved." in page.text
    assert everything() == before


@FORM
def test_a_form_of_an_old_tab_says_what_to_do(browser: Visitor, form: FileForm) -> None:
    before = everything()
    answer = send(browser, form, form.right, csrfmiddlewaretoken="x" * 64)
    assert answer.status_code == 403
    assert "Go back, reload the page, and send it once more." in read(answer).text
    assert everything() == before


def test_a_second_file_in_another_tab_keeps_the_schools_of_the_first(browser: Visitor) -> None:
    schools = FORMS["schools"]
    send(browser, schools, schools.right)
    send(browser, schools, b"SCHOOL_ID,NAME\n301,Lake\n")
    assert School.objects.filter(organization_id__in=["300", "301"]).count() == 2
