"""Home, for whoever updates students, and for those who only look at them."""

import pytest

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.updates import runner
from rollbook.updates.engine import WorkerStatus
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting import history
from rollbook.web.pages.home import views
from tests.updates.night import a_class, enroll, finish, run, send, send_bytes
from tests.web.conftest import NOW
from tests.web.pages.conftest import SignedIn

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "worker_status", lambda: WorkerStatus(alive=True, at=NOW))


def test_a_new_district_is_shown_where_to_begin(manager: Member, visitor: SignedIn) -> None:
    page = visitor(manager).read("/")
    assert page.text.startswith("Home No student file has come yet.")
    assert page.links == {"Begin with a template": "/students/update"}
    assert (
        " ".join(page.rooms)
        == "Home Students Groups Updates Automation Schools Staff Roles Settings Audit Help"
    )


def test_after_a_good_night_there_is_a_sentence_and_a_chart_with_its_table(
    manager: Member, maple: District, visitor: SignedIn
) -> None:
    enroll(maple, a_class(3))
    finish(send(maple, a_class(3, GRADE="9")))
    page = visitor(manager).read("/")
    assert "update went in: 3 students, 3 changed. There is nothing to do." in page.text
    assert len(page.rows) == 30
    assert page.rows[0][1:] == ["1, 2", "6", "0", "0", "0", "✓ completed"]
    assert {row[-1] for row in page.rows[1:]} == {"no file"}
    assert len(page.root.findall(".//rect")) == 1  # only the changed ones have a bar
    assert page.root.find(".//svg").attrib["role"] == "img"  # type: ignore[union-attr]


def test_what_runs_is_watched_also_without_scripts(
    manager: Member, maple: District, visitor: SignedIn
) -> None:
    enroll(maple, a_class(3))
    update = send(maple, a_class(3, GRADE="9"))
    next(runner.run_steps(update.pk))
    page = visitor(manager).read("/")
    assert page.text.startswith("Home ↻ running Update 2 is running.")
    assert page.links["Watch it"] == "/updates/2"
    assert page.root.find(".//head/noscript/meta").attrib["http-equiv"] == "refresh"  # type: ignore[union-attr]
    assert page.root.find(".//div[@id='progress']").attrib["hx-get"] == "/updates/2/progress"  # type: ignore[union-attr]


def test_what_waits_is_watched_until_it_begins(
    manager: Member, maple: District, visitor: SignedIn
) -> None:
    enroll(maple, a_class(3))
    send(maple, a_class(3, GRADE="9"))
    page = visitor(manager).read("/")
    assert "Update 2 will begin in a moment." in page.text
    assert page.root.find(".//div[@id='progress']").attrib["hx-get"] == "/updates/2/progress"  # type: ignore[union-attr]


def test_a_refused_file_is_marked_in_the_picture(
    manager: Member, maple: District, visitor: SignedIn
) -> None:
    send_bytes(maple, b"")
    page = visitor(manager).read("/")
    assert "✕ refused" in page.text
    assert "✕ the file was refused" in page.text
    assert page.rows[0][-1] == "✕ refused"


def test_a_school_manager_is_told_of_the_students_and_nothing_of_files(
    school_manager: Member, maple: District, visitor: SignedIn
) -> None:
    enroll(maple, a_class(3))
    run(maple, "STUDENT_ID,SCHOOL_ID\ns000,200")
    page = visitor(school_manager).read("/")
    assert "You see 2 students of Maple USD." in page.text
    assert "The records were last brought up to date on 20" in page.text
    assert page.links == {"Look at the students": "/students"}
    assert page.rooms == ["Home", "Students", "Groups", "Staff", "Help"]


def test_a_file_that_was_refused_has_brought_nothing_up_to_date(
    school_manager: Member, maple: District, visitor: SignedIn
) -> None:
    send_bytes(maple, b"")
    page = visitor(school_manager).read("/")
    assert "No students are at your schools yet." in page.text
    assert "up to date" not in page.text


def test_an_instructor_without_students_is_told_who_can_change_that(
    instructor: Member, visitor: SignedIn
) -> None:
    assert "No students are linked to you yet." in visitor(instructor).read("/").text


def test_the_neighbours_nights_are_nowhere(
    manager: Member, neighbour: Member, cedar: District, visitor: SignedIn
) -> None:
    enroll(cedar, a_class(3))
    page = visitor(manager).read("/")
    assert "No student file has come yet." in page.text
    assert not page.rows
    assert history.latest_updates(cedar).last == UpdateJob.objects.get()
