"""Undo an update in the browser: a question, a plan, and what the pages say afterward."""

import pytest

from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts.models import District
from rollbook.students.models import Student
from rollbook.updates.models import UpdateJob
from tests.conftest import PASSWORD, make_member
from tests.updates.night import a_class, column_of, enroll, finish, last, run, send
from tests.updates.undoing.undoing import plan_undo, undo
from tests.web.curl import basic
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import read

pytestmark = pytest.mark.django_db
FILE = "STUDENT_ID,GRADE,PASSWORD\ns000,5,secret12\ns001,5,"
UNDO = "/updates/2/undo"


@pytest.fixture
def browser(maple: District, manager: Member, visitor: SignedIn) -> Visitor:
    """Return a manager's browser; update 2 has changed two of four students."""
    enroll(maple, a_class(4))
    run(maple, FILE)
    return visitor(manager)


def test_the_question_says_what_happens_and_nothing_is_started_yet(browser: Visitor) -> None:
    page = read(browser.post(UNDO))
    assert page.heading == "Undo update 2?"
    assert "Update 2 changed 2 students." in page.text
    assert "1 password was changed. Old passwords can’t be restored." in page.text
    assert page.links["Cancel"] == "/updates/2"
    assert UpdateJob.objects.count() == 2


def test_a_plan_is_reviewed_and_applied(maple: District, browser: Visitor, manager: Member) -> None:
    response = browser.confirm(UNDO)
    assert response.url == "/updates/3"
    update = last(maple)
    assert (update.member, update.source) == (manager, "the browser")
    assert browser.read("/updates/3").messages == ["Update 3 will undo update 2 once you apply it."]
    finish(update)
    page = browser.read("/updates/3")
    assert "2 students would be set back." in page.text
    assert "Undoes update 2, 2 students" in page.text
    assert "The old password can't be restored" in page.text
    assert "Line" not in page.text
    fields = page.form("/updates/3/approve").values
    assert "Set back 2 students" in page.text
    browser.post("/updates/3/approve", {**fields, "which": "all"})
    finish(update)
    assert set(column_of(maple, "GRADE").values()) == {"4"}


def test_both_pages_and_the_history_say_what_was_undone(maple: District, browser: Visitor) -> None:
    run(maple, "STUDENT_ID,GRADE\ns001,6")
    undo(maple, 2)
    page = browser.read("/updates/4")
    assert "undid update 2: 1 of 2 students was set back." in page.text
    assert "1 couldn't be set back and stays as it is." in page.text
    assert page.links["update 2"] == "/updates/2"
    assert "Set back 1" in page.text
    assert "Left as they are 1" in page.text
    assert "Rejected and unprocessed rows" not in page.text
    assert "Checksum" not in page.text
    undone = browser.read("/updates/2")
    assert "Undone by update 4." in undone.text
    assert "Undo…" not in undone.text
    student = Student.objects.get(student_id="s000")
    assert "Update 4, which undid update 2" in browser.read(f"/students/{student.pk}").text
    left = Student.objects.get(student_id="s001")
    assert "Rejected rows" not in browser.read(f"/students/{left.pk}").text
    assert "Undo of update 2" in browser.read("/updates").text
    assert "By hand: update 4" in browser.read("/").text
    assert "It changed in update 3" in browser.read("/updates/4", {"show": "rejected"}).text


def test_the_plain_report_says_what_was_undone(maple: District, browser: Visitor) -> None:
    undo(maple, 2)
    for number, line in ((3, "Undoes: update 2, 2 students"), (2, "Undone by: update 3")):
        page = browser.client.get(
            f"/updates/{number}",
            secure=True,
            headers={"Accept": "*/*", "Authorization": basic("ops@maple.example", PASSWORD)},
        )
        assert line in page.content.decode()


def test_an_update_that_cannot_be_undone_has_no_button_and_says_why(
    maple: District, browser: Visitor
) -> None:
    waiting = send(maple, "STUDENT_ID,GRADE\ns003,6", is_check=True)
    assert "Undo…" not in browser.read("/updates/3").text
    response = browser.post("/updates/3/undo")
    assert response.url == "/updates/3"
    assert browser.read("/updates/3").messages == [
        "Update 3 hasn't ended. Cancel it, or wait until it has ended."
    ]
    finish(waiting)
    assert AuditEvent.objects.filter(action="undo update", result="not_ended").count() == 1


def test_of_two_people_at_once_the_second_hears_of_the_first(
    maple: District, browser: Visitor
) -> None:
    asked = browser.post(UNDO)  # and then somebody else is faster
    plan_undo(maple, 2)
    browser.post(UNDO, read(asked).form(UNDO).values)
    reason = "Update 3 undoes update 2 already. Apply or discard its plan."
    page = browser.read("/updates/2")
    assert page.messages == [reason]
    assert reason in page.text
    assert UpdateJob.objects.count() == 3


def test_a_full_queue_is_explained(maple: District, browser: Visitor) -> None:
    for grade in "6789":
        send(maple, f"STUDENT_ID,GRADE\ns000,{grade}")
    browser.confirm(UNDO)
    [message] = browser.read("/updates/2").messages
    assert message.startswith("Nothing was started: too many updates are waiting.")


@pytest.mark.parametrize("role", ["school manager", "instructor"])
def test_lesser_roles_undo_nothing(
    maple: District, browser: Visitor, visitor: SignedIn, role: str
) -> None:
    lesser = visitor(make_member(maple, "lesser@maple.example", role))
    assert lesser.post(UNDO, {"sure": "yes"}).status_code == 403
    assert UpdateJob.objects.count() == 2


def test_the_neighbor_undoes_nothing(cedar: District, browser: Visitor, visitor: SignedIn) -> None:
    neighbor = visitor(make_member(cedar, "ops@cedar.example"))
    assert neighbor.post(UNDO, {"sure": "yes"}).status_code == 404
    assert UpdateJob.objects.count() == 2
