"""Home, for members who update students and for those who only see them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.models import Member, Token
from rollbook.districts.models import District
from rollbook.updates import runner
from rollbook.updates.engine import WorkerStatus
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting import history
from rollbook.updates.reporting.state_words import REFUSED
from rollbook.updates.state_machine import Mode
from rollbook.web.pages.home import views
from tests.accounts.phone import with_second_factor
from tests.updates.night import a_class, enroll, finish, run, send, send_bytes
from tests.web.conftest import NOW
from tests.web.pages.conftest import SignedIn
from tests.web.pages.reading import Page, text_of

OFFER = {"Turn on two-step verification": "/account/second-factor"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "worker_status", lambda: WorkerStatus(alive=True, at=NOW))


def test_a_new_district_is_shown_where_to_start(manager: Member, visitor: SignedIn) -> None:
    page = visitor(manager).read("/")
    assert page.text.startswith("Home No student file has arrived yet.")
    assert page.links == {
        "Upload file": "/students/update",
        "Add your schools": "/schools",
        "Load your students from a file": "/students/update/format",
        "Set up the nightly script": "/automation",
        "Choose who gets the results by email": "/settings",
        **OFFER,
        "Download sample data": "/students/update/sample.csv",
        "upload it": "/students/update/format",
    }
    assert "✓ done Add your schools · to do Load your students from a file" in page.text
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
    assert [row[1:] for row in page.rows] == [["1, 2", "6", "0", "0", "0", "✓ completed"]]
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
    visitor: SignedIn, manager: Member, maple: District
) -> None:
    enroll(maple, a_class(1))
    browser = visitor(manager)
    offer = "Turn on two-step verification"
    assert browser.read("/").links[offer] == "/account/second-factor"
    assert offer not in visitor(Member.objects.get(pk=manager.pk)).read("/").text
    with_second_factor(manager)
    assert offer not in browser.read("/").text


# What the sentence is about


def test_a_bad_file_tried_by_hand_does_not_replace_the_answer_about_the_nightly_one(
    manager: Member, maple: District, visitor: SignedIn
) -> None:
    enroll(maple, a_class(3))
    finish(send(maple, a_class(3, GRADE="9")))
    send_bytes(maple, b"", source="the browser", file_name="try.csv")
    page = visitor(manager).read("/")
    assert "update finished: 3 of 3 students changed." in page.text
    assert "Sent by hand: update 3, try.csv, " in page.text
    assert page.links["update 3"] == "/updates/3"


def test_without_a_script_the_last_file_from_the_browser_is_the_answer(
    manager: Member, maple: District, visitor: SignedIn
) -> None:
    finish(send(maple, a_class(3), Mode.ADD, source="the browser"))
    page = visitor(manager).read("/")
    assert "update finished: 0 of 3 students changed" not in page.text
    assert "✓ completed" in page.text
    assert "Sent by hand" not in page.text
    assert "Get started" in page.text


# What needs attention


def attention(page: Page) -> dict[str, str]:
    """Return the links of what needs attention."""
    section = page.main.find(".//section[@aria-labelledby='attention']")
    if section is None:
        return {}
    return {text_of(link): link.attrib["href"] for link in section.iter("a")}


def test_nothing_needs_attention_after_a_good_night(
    manager: Member, maple: District, visitor: SignedIn
) -> None:
    enroll(maple, a_class(3))
    assert attention(visitor(manager).read("/")) == {}


def test_rejected_rows_and_plans_are_one_click_away(
    manager: Member, maple: District, visitor: SignedIn
) -> None:
    enroll(maple, a_class(3))
    finish(send(maple, "STUDENT_ID,GRADE\ns000,99\ns001,5\n"))
    finish(send(maple, "STUDENT_ID,GRADE\ns002,7\n", is_check=True))
    assert attention(visitor(manager).read("/")) == {
        "Decide about update 3": "/updates/3",
        "Fix 1 rejected row of update 2": "/updates/2?show=rejected#rows",
    }


def test_a_dry_run_that_would_change_nothing_needs_no_attention(
    manager: Member, maple: District, visitor: SignedIn
) -> None:
    enroll(maple, a_class(3))
    assert finish(send(maple, "STUDENT_ID,GRADE\ns000,99\n", is_check=True)).rejected == 1
    assert attention(visitor(manager).read("/")) == {}


def test_rows_that_were_fixed_need_no_attention(
    manager: Member, maple: District, visitor: SignedIn
) -> None:
    enroll(maple, a_class(3))
    finish(send(maple, "STUDENT_ID,GRADE\ns000,99\ns001,99\n"))
    fixed = "STUDENT_ID,GRADE,_LINE_OF_UPDATE_2\n"
    finish(send(maple, f"{fixed}s000,9,2\n", source="the browser"))
    send_bytes(maple, b"")
    browser = visitor(manager)
    assert list(attention(browser.read("/"))) == ["Fix 1 rejected row of update 2"]
    finish(send(maple, f"{fixed}s001,9,3\n", source="the browser"))
    assert attention(browser.read("/")) == {}


@pytest.mark.parametrize("days", [29, 31])
def test_a_token_that_expires_within_30_days_is_named(
    manager: Member, maple: District, visitor: SignedIn, days: int
) -> None:
    enroll(maple, a_class(1))
    token, _ = api_tokens.create(manager, "nightly", tuple(Scope), timezone.now())
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now() + timedelta(days=days))
    wanted = {f"Replace the token {token.name}": "/staff/tokens"} if days < 30 else {}
    assert attention(visitor(manager).read("/")) == wanted


def test_silence_of_the_script_is_named_whatever_became_of_the_last_file(
    manager: Member, maple: District, visitor: SignedIn
) -> None:
    enroll(maple, a_class(1))
    finish(send(maple, "STUDENT_ID,GRADE\ns000,99\n"))
    long_ago = timezone.now() - timedelta(hours=37)
    UpdateJob.objects.update(received_at=long_ago)
    send_bytes(maple, b"", source="the browser")
    links = attention(visitor(manager).read("/"))
    assert next(iter(links)).startswith("No file has arrived from your script since ")
    assert links.popitem() == (
        "Fix 1 rejected row of update 2",
        "/updates/2?show=rejected#rows",
    )


def test_nothing_of_another_district_needs_attention(
    manager: Member, neighbor: Member, maple: District, cedar: District, visitor: SignedIn
) -> None:
    enroll(maple, a_class(1))
    enroll(cedar, a_class(1))
    finish(send(cedar, "STUDENT_ID,GRADE\ns000,99\n"))
    token, _ = api_tokens.create(neighbor, "nightly", tuple(Scope), timezone.now())
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now() + timedelta(days=1))
    assert attention(visitor(manager).read("/")) == {}


# The last days


def test_each_day_links_to_its_update_and_days_before_the_first_file_are_left_out(
    manager: Member, maple: District, visitor: SignedIn
) -> None:
    enroll(maple, a_class(3))
    UpdateJob.objects.update(received_at=timezone.now() - timedelta(days=2))
    finish(send(maple, a_class(3, GRADE="9")))
    finish(send(maple, "STUDENT_ID,GRADE\ns000,99\n"))
    page = visitor(manager).read("/")
    nights = page.main.find(".//ol[@class='nights']")
    assert nights is not None
    assert [text_of(night)[0] for night in nights] == ["✓", "–", "!"]
    first, last = (link.attrib["href"] for link in nights.iter("a"))
    assert first == "/updates/1"
    assert [row[0] for row in visitor(manager).read(last).rows] == ["Update 3", "Update 2"]


def test_a_school_manager_without_a_school_learns_who_can_change_that(
    school_manager: Member, manager: Member, visitor: SignedIn
) -> None:
    school_manager.schools.clear()
    text = visitor(school_manager).read("/").text
    assert "You aren’t assigned to a school yet" in text
    assert f"Ask {manager.name} to add you to your school." in text
