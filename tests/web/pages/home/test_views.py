"""Home, for members who update students and for those who only see them."""

import pytest

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.updates import runner
from rollbook.updates.engine import WorkerStatus
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting import history
from rollbook.updates.reporting.state_words import REFUSED
from rollbook.web.pages.home import views
from tests.accounts.phone import with_second_factor
from tests.updates.night import a_class, enroll, finish, run, send, send_bytes
from tests.web.conftest import NOW
from tests.web.pages.conftest import SignedIn

OFFER = {"Turn on two-step verification": "/account/second-factor"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "worker_status", lambda: WorkerStatus(alive=True, at=NOW))


def test_a_new_district_is_shown_where_to_start(manager: Member, visitor: SignedIn) -> None:
    page = visitor(manager).read("/")
    assert page.text.startswith("Home No student file has arrived yet.")
    assert page.links == {"Start with a template": "/students/update", **OFFER}
    assert (
        " ".join(page.navigation)
        == "Home Students Updates Automation Schools Groups Transfers Staff Roles Settings "
        "Expected files Quiet hours Column mappings Limits Full sync Audit log Help"
    )


def test_after_a_good_update_there_is_a_sentence_and_a_chart_with_its_table(
    manager: Member, maple: District, visitor: SignedIn
) -> None:
    enroll(maple, a_class(3))
    finish(send(maple, a_class(3, GRADE="9")))
    page = visitor(manager).read("/")
    assert "update finished: 3 of 3 students changed. No action needed." in page.text
    assert len(page.rows) == 30
    assert page.rows[0][1:] == ["1, 2", "6", "0", "0", "0", "✓ completed"]
    assert {row[-1] for row in page.rows[1:]} == {"no file"}
    assert len(page.root.findall(".//rect")) == 1  # only the changed ones have a bar
    assert page.root.find(".//svg").attrib["role"] == "img"  # type: ignore[union-attr]


def test_an_update_in_progress_is_refreshed_even_without_scripts(
    manager: Member, maple: District, visitor: SignedIn
) -> None:
    enroll(maple, a_class(3))
    update = send(maple, a_class(3, GRADE="9"))
    next(runner.run_steps(update.pk))
    page = visitor(manager).read("/")
    assert page.text.startswith("Home ↻ running Update 2 is running.")
    assert page.links["View progress"] == "/updates/2"
    assert page.root.find(".//head/noscript/meta").attrib["http-equiv"] == "refresh"  # type: ignore[union-attr]
    assert page.root.find(".//div[@id='progress']").attrib["hx-get"] == "/updates/2/progress"  # type: ignore[union-attr]


def test_a_queued_update_is_refreshed_until_it_starts(
    manager: Member, maple: District, visitor: SignedIn
) -> None:
    enroll(maple, a_class(3))
    send(maple, a_class(3, GRADE="9"))
    page = visitor(manager).read("/")
    assert "Update 2 will start in a moment." in page.text
    assert page.root.find(".//div[@id='progress']").attrib["hx-get"] == "/updates/2/progress"  # type: ignore[union-attr]


def test_a_refused_file_has_a_sign_in_the_chart(
    manager: Member, maple: District, visitor: SignedIn
) -> None:
    send_bytes(maple, b"")
    page = visitor(manager).read("/")
    assert f"✕ {REFUSED.word}" in page.text
    assert f"✕ {REFUSED.day}" in page.text
    assert page.rows[0][-1] == f"✕ {REFUSED.word}"


def test_a_school_manager_sees_the_number_of_students_and_no_updates(
    school_manager: Member, maple: District, visitor: SignedIn
) -> None:
    enroll(maple, a_class(3))
    run(maple, "STUDENT_ID,SCHOOL_ID\ns000,200")
    page = visitor(school_manager).read("/")
    assert "You can see 2 students in Maple USD." in page.text
    assert "Student records were last updated on " in page.text
    assert page.links == {"View students": "/students", **OFFER}
    assert page.navigation == ["Home", "Students", "Groups", "Transfers", "Staff", "Help"]


def test_a_refused_file_is_no_update_of_the_records(
    school_manager: Member, maple: District, visitor: SignedIn
) -> None:
    send_bytes(maple, b"")
    page = visitor(school_manager).read("/")
    assert "There are no students at your schools yet." in page.text
    assert "last updated" not in page.text


def test_an_instructor_without_students_learns_who_can_change_that(
    instructor: Member, visitor: SignedIn
) -> None:
    assert "No students are linked to you yet." in visitor(instructor).read("/").text


def test_the_updates_of_another_district_are_not_shown(
    manager: Member, neighbor: Member, cedar: District, visitor: SignedIn
) -> None:
    enroll(cedar, a_class(3))
    page = visitor(manager).read("/")
    assert "No student file has arrived yet." in page.text
    assert not page.rows
    assert history.latest_updates(cedar).last == UpdateJob.objects.get()


def test_two_step_verification_is_offered_during_the_first_session(
    visitor: SignedIn, manager: Member
) -> None:
    browser = visitor(manager)
    offer = "Turn on two-step verification"
    assert browser.read("/").links[offer] == "/account/second-factor"
    assert offer not in visitor(Member.objects.get(pk=manager.pk)).read("/").text
    with_second_factor(manager)
    assert offer not in browser.read("/").text
