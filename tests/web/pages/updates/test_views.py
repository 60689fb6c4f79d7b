"""Test the list of updates, and the page of one: in progress, canceled and ended."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from rollbook.accounts.audit import student_sets
from rollbook.accounts.models import AuditEvent, Member, Session
from rollbook.districts.models import District
from rollbook.students.models import Student
from rollbook.updates import mails, runner
from rollbook.updates.engine import WorkerStatus
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import file_chunks, files
from rollbook.updates.receiving.receive import SOURCE_BROWSER
from rollbook.updates.reporting import status_json
from rollbook.updates.reporting.report import report
from rollbook.updates.reporting.state_words import RECEIVED, result_sentence
from rollbook.updates.state_machine import Mode, State
from rollbook.web.pages.updates import filters
from tests.accounts.browser import Clock
from tests.conftest import PASSWORD, make_member
from tests.updates.night import a_class, applying, enroll, finish, run, send, send_bytes
from tests.web.curl import basic
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page, read, text_of, tree

pytestmark = pytest.mark.django_db

NOT_STARTED = (
    "Nothing was started: this update has nothing left to process, or a later one has completed, "
    "whose changes an older file would undo."
)
BAD = "STUDENT_ID,GRADE,DOB\ns000,9,\ns001,99,\ns002,8,2/30/2015\nnobody,4,\n"


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, a_class(4, GRADE="4"))


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    """Maple USD with four students, added by update 1."""
    return maple


@pytest.fixture
def browser(manager: Member, visitor: SignedIn) -> Visitor:
    return visitor(manager)


def result_of(number: int) -> str:
    """Return the sentence about the result of an update of Maple USD."""
    return result_sentence(report(UpdateJob.objects.get(district__slug="maple-usd", number=number)))


# The list


def test_a_new_district_is_shown_how_to_start(browser: Visitor) -> None:
    page = browser.read("/updates")
    assert "No student file has arrived yet" in page.text
    assert page.links["Set up script"] == "/automation"


def test_the_latest_update_is_first_with_its_counts(
    school: District, browser: Visitor, manager: Member
) -> None:
    finish(send(school, BAD, member=manager))
    page = browser.read("/updates")
    assert [row[:2] for row in page.rows] == [
        ["Update 2", "! completed with errors"],
        ["Update 1", "✓ completed"],
    ]
    assert page.rows[0][3:] == ["Ana Ruiz, curl", "students.csv", "4", "1", "3"]
    assert page.rows[1][3] == "Rollbook administrator, curl"
    assert page.links["Update 2"] == "/updates/2"


def test_the_list_is_filtered(school: District, browser: Visitor, manager: Member) -> None:
    finish(send(school, BAD, member=manager))
    send_bytes(school, b"")

    def numbers(**query: str) -> list[str]:
        return [row[0] for row in browser.read("/updates", query).rows]

    assert numbers(state="refused") == ["Update 3"]
    assert numbers(errors_only="on") == ["Update 2"]
    assert numbers(who=str(manager.pk)) == ["Update 2"]
    assert numbers(who="0") == ["Update 3", "Update 1"]
    assert numbers(since="2999-01-01") == []
    assert numbers(until="2999-01-01") == ["Update 3", "Update 2", "Update 1"]
    nothing = browser.read("/updates", {"state": "failed"})
    assert "No updates match" in nothing.text


def test_an_invalid_filter_shows_an_error_and_no_updates(
    school: District, browser: Visitor
) -> None:
    page = browser.read("/updates", {"since": "yesterday"})
    assert not page.rows
    assert "Enter a valid date." in page.text


@pytest.mark.parametrize("query", [{"since": "0001-01-01"}, {"until": "9999-12-31"}])
def test_dates_at_the_ends_of_the_calendar_are_invalid(
    query: dict[str, str], school: District, browser: Visitor
) -> None:
    page = browser.read("/updates", query)
    assert not page.rows
    assert "date." in page.described(*query)


def test_the_pages_of_the_list_keep_the_filter(
    school: District, browser: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "PAGE_SIZE", 2)
    for grade in "567":
        run(school, a_class(4, GRADE=grade))
    page = browser.read("/updates", {"who": "0", "page": "2"})
    assert [row[0] for row in page.rows] == ["Update 2", "Update 1"]
    assert page.links["Previous page"] == "?who=0&page=1"


def test_updates_of_another_district_are_not_listed(
    school: District, cedar: District, browser: Visitor
) -> None:
    enroll(cedar, a_class(1))
    assert len(browser.read("/updates").rows) == 1


# One that has ended


def test_a_completed_update_has_result_and_timeline(
    school: District, browser: Visitor, manager: Member
) -> None:
    finish(send(school, a_class(4, GRADE="9"), member=manager))
    mails.queue_result_mails()
    page = browser.read("/updates/2")
    assert page.title == "Update 2, completed · Rollbook"
    assert result_of(2) in page.text
    assert "4 rows" in page.text
    assert "The email to ops@maple.example will be sent " in page.text
    assert ["Grade", "4"] in page.rows
    assert ["2", "✓ updated", "Ana Park s000", "Grade: before: 4 → now: 9"] in _without_names(
        page.rows
    )
    assert page.links["Changes"] == "/updates/2/changes.csv"
    assert "Changes, 4: old and new value" in page.text
    assert "Rejected rows" not in page.links
    assert AuditEvent.objects.filter(
        action="update", result="seen", detail="update 2", member=manager
    ).exists()


def _without_names(rows: list[list[str]]) -> list[list[str]]:
    """Return the rows with the name of a student of night.py replaced."""
    return [
        [row[0], row[1], "Ana Park s000", row[3]] if len(row) == 4 and "s000" in row[2] else row
        for row in rows
    ]


def test_rejected_rows_are_grouped_and_can_be_downloaded(
    school: District, browser: Visitor
) -> None:
    finish(send(school, BAD))
    page = browser.read("/updates/2")
    assert "! completed with errors" in page.text
    assert result_of(2) in page.text
    assert page.links["Rejected rows"] == "/updates/2/rejected.csv"
    assert page.links["upload the file"] == "/students/update/format"
    assert page.links["bad_date"] == "/help/problems#bad_date"
    assert [
        "A date isn't valid bad_date",
        "1 · line 4 in DOB Show rows: A date isn't valid",
        "Use mm/dd/yyyy.",
    ] in page.rows


def test_a_refused_update_has_reason_and_fix(school: District, browser: Visitor) -> None:
    send_bytes(school, b"")
    page = browser.read("/updates/2")
    assert result_of(2) in page.text
    assert page.links["More about empty_file"] == "/help/problems#empty_file"


def test_a_canceled_update_has_both_counts(school: District, browser: Visitor) -> None:
    update = send(school, a_class(4, GRADE="9"))
    browser.get("/updates/2")
    page = browser.follow(browser.post(f"/updates/{update.number}/cancel"))
    assert page.messages == ["Update 2 canceled: 0 students stay updated, 4 were not processed."]
    assert page.links["Rows that were not processed"] == "/updates/2/not-processed.csv"
    assert AuditEvent.objects.filter(action="cancel", result="done", detail="update 2").count() == 1
    again = browser.follow(browser.post("/updates/2/cancel"))
    assert again.messages[0].startswith("Nothing to cancel: update 2 had already ended at ")


def test_a_failed_update_has_the_reference(school: District, browser: Visitor) -> None:
    update = send(school, a_class(4, GRADE="9"))
    next(runner.run_steps(update.pk))
    UpdateJob.objects.filter(pk=update.pk).update(
        state=State.FAILED, error_reference="8f3a1c", ended_at=timezone.now()
    )
    assert "reference 8f3a1c" in browser.read("/updates/2").text


def test_without_its_file_only_the_changes_can_be_downloaded(
    school: District, browser: Visitor
) -> None:
    finish(send(school, BAD))
    UpdateJob.objects.filter(number=2).update(file_removed_at=timezone.now())
    page = browser.read("/updates/2")
    assert "are no longer available: the file was deleted on " in page.text
    assert "Changes" in page.links
    assert "Rejected rows" not in page.links
    assert "bad_date" in page.links


def test_without_its_details_the_counts_and_a_reason_are_shown(
    school: District, browser: Visitor
) -> None:
    finish(send(school, BAD))
    now = timezone.now()
    UpdateJob.objects.filter(number=2).update(file_removed_at=now, details_hidden_at=now)
    page = browser.read("/updates/2")
    assert result_of(2) in page.text
    assert "The rows and problems of this update were deleted on " in page.text
    assert ", and so was its file, according to your district’s settings." in page.text
    assert not {"Rejected rows", "Changes"} & page.links.keys()
    assert [row for row in page.rows if len(row) == 4 and row[0].isdecimal()] == []
    assert "· line" not in page.text
    response = browser.get("/updates/2/rows")
    assert response.status_code == 410
    assert read(response).heading == "No longer available"


def test_a_refusal_without_details_still_has_its_code(school: District, browser: Visitor) -> None:
    send_bytes(school, b"")
    UpdateJob.objects.filter(number=2).update(details_hidden_at=timezone.now())
    assert browser.read("/updates/2").links["More about empty_file"] == "/help/problems#empty_file"


def test_a_corrected_file_and_its_source_are_linked(school: District, browser: Visitor) -> None:
    finish(send(school, BAD))
    corrected = "STUDENT_ID,GRADE,_LINE_OF_UPDATE_2,_CODE,_MESSAGE\ns001,9,3,bad_grade,x\n"
    finish(send(school, corrected))
    assert browser.read("/updates/3").links["update 2"] == "/updates/2"
    assert browser.read("/updates/2").links["update 3"] == "/updates/3"


def test_an_update_is_compared_with_the_previous_completed_one(
    school: District, browser: Visitor
) -> None:
    finish(send(school, BAD))
    send_bytes(school, b"")
    run(school, "STUDENT_ID,GRADE\ns003,9\n")
    page = browser.read("/updates/4")
    assert page.links["update 2"] == "/updates/2"
    assert ": 3 fewer rows and 3 fewer rejected." in page.text


def test_a_file_tried_by_hand_is_not_what_the_nightly_one_is_compared_with(
    school: District, browser: Visitor
) -> None:
    finish(send(school, BAD))
    finish(send(school, a_class(1, GRADE="9"), source="the browser"))
    run(school, "STUDENT_ID,GRADE\ns003,9\n")
    page = browser.read("/updates/4")
    assert "Compared with update 2, which was sent in the same way on " in page.text
    assert "Compared with" not in browser.read("/updates/3").text


@pytest.mark.statement("S38")
def test_confidential_values_are_shown_on_request_with_an_event(
    school: District, browser: Visitor
) -> None:
    run(school, "STUDENT_ID,GRADE,SPECIAL_ED,PASSWORD\ns000,9,y,topsecret1\n")
    for address in ("/updates/2", "/updates/2/rows"):
        page = browser.read(address)
        assert "Special education: changed" in page.text
        assert "Password: changed" in page.text
        assert "topsecret" not in page.text
    assert not AuditEvent.objects.filter(action="confidential fields").exists()
    opened = browser.read("/updates/2/rows" + page.links["Show it"])
    assert "Special education: before: n → now: y" in opened.text
    event = AuditEvent.objects.get(action="confidential fields")
    student = Student.objects.get(district=school, student_id="s000")
    assert student_sets.decode(event.students) == [student.pk]


@pytest.mark.statement("S34")
def test_content_of_a_file_is_never_markup(school: District, browser: Visitor) -> None:
    evil = "STUDENT_ID,FIRST_NAME,<script>alert(1)</script>\ns000,<b>Bob</b>,x\n"
    finish(send(school, evil, file_name="<i>students</i>.csv"))
    page = browser.read("/updates/2")
    assert "<b>Bob</b>" in page.text
    assert page.root.find(".//main//b") is None
    assert page.root.find(".//main//i") is None
    assert page.root.find(".//main//script") is None


def lines(page: Page) -> list[str]:
    """Return the lines of the rows that are listed."""
    return [row[0] for row in page.rows if len(row) == 4]


def test_counts_are_tabs_that_filter_the_one_table_of_rows(
    school: District, browser: Visitor
) -> None:
    finish(send(school, BAD))
    page = browser.read("/updates/2")
    tabs = {text: link for text, link in page.links.items() if "?show=" in link}
    assert list(tabs) == ["Changed 1", "Unchanged 0", "Rejected 3"]
    assert lines(page) == ["3", "4", "5"]
    changed = browser.read(tabs["Changed 1"])
    assert lines(changed) == ["2"]
    current = [link for link in changed.main.iter("a") if link.get("aria-current")]
    assert [link.get("href") for link in current] == ["/updates/2?show=updated#rows"]
    assert lines(browser.read(tabs["Unchanged 0"])) == []


def test_names_of_unknown_students_are_written_as_in_the_file(
    school: District, browser: Visitor
) -> None:
    name = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB"
    update = send(school, f"{name}\nn1,Mary Ann,O'Brien-McLee,5/13/2014\n")
    finish(update)
    for address in ("/updates/2", "/updates/2/rows"):
        assert browser.read(address).rows[-1][2] == "Mary Ann O'Brien-McLee n1"
    file_chunks.remove([update.spool_name])
    files.remove([update.spool_name])
    assert browser.read("/updates/2").rows[-1][2] == "mary ann o'brien-mclee n1"


def test_the_rows_of_one_problem_are_one_click_away(school: District, browser: Visitor) -> None:
    finish(send(school, BAD))
    link = browser.read("/updates/2").links["Show rows: A date isn't valid"]
    page = browser.read(link)
    assert lines(page) == ["4"]
    assert "Rows with this problem: A date isn't valid." in page.text
    assert lines(browser.read(page.links["Show all rows"])) == ["3", "4", "5"]


@pytest.mark.parametrize(
    "query", ["show=nothing", "problem=nothing", "page=x", "show=updated&page=9"]
)
def test_an_address_that_was_typed_wrong_still_shows_rows(
    school: District, browser: Visitor, query: str
) -> None:
    finish(send(school, BAD))
    assert lines(browser.read(f"/updates/2?{query}"))


def test_unchanged_rows_are_listed_and_recorded_as_seen(school: District, browser: Visitor) -> None:
    run(school, a_class(4, GRADE="4"))
    page = browser.read("/updates/2?show=unchanged")
    assert lines(page) == ["2", "3", "4", "5"]
    shown = Student.objects.filter(student_id__in=("s000", "s001", "s002", "s003"))
    event = AuditEvent.objects.filter(action="update", result="seen").latest("pk")
    assert set(student_sets.decode(event.students)) == set(shown.values_list("pk", flat=True))


def test_unchanged_rows_of_students_who_are_gone_are_only_counted(
    school: District, browser: Visitor, cedar: District
) -> None:
    run(school, a_class(4, GRADE="4"))
    Student.objects.filter(district=school).update(district=cedar)
    page = browser.read("/updates/2?show=unchanged")
    assert lines(page) == []
    assert "4 rows match what was in Rollbook." in page.text


def test_an_added_row_is_folded_to_its_number_of_fields(school: District, browser: Visitor) -> None:
    page = browser.read("/updates/1?show=added")
    summaries = [text_of(each) for each in page.main.iterfind(".//td//summary")]
    assert len(summaries) == 4
    assert set(summaries) == {f"{len(page.main.findall('.//td//li')) // 4} fields"}


def test_how_many_rows_were_fixed_is_said_and_never_more(
    school: District, browser: Visitor
) -> None:
    finish(send(school, BAD))
    corrected = "STUDENT_ID,GRADE,_LINE_OF_UPDATE_2,_CODE,_MESSAGE\ns001,9,3,bad_grade,x\n"
    finish(send(school, corrected + "nobody,4,5,unknown_student,x\n"))
    assert "1 of 3 rejected rows fixed in update 3." in browser.read("/updates/2").text
    update = send(school, corrected)
    assert "Rows of this update are being corrected in update 4." in browser.read("/updates/2").text
    finish(update)
    checked = send(school, corrected, is_check=True)
    finish(checked)
    assert "being corrected in update 5." in browser.read("/updates/2").text
    browser.post("/updates/5/cancel")
    assert "update 5" not in browser.read("/updates/2").text


def test_a_canceled_update_is_resumed_with_the_same_file_and_mode(
    school: District, browser: Visitor, manager: Member
) -> None:
    send(school, a_class(6, GRADE="9"), mode=Mode.ADD)
    page = browser.follow(browser.post("/updates/2/cancel"))
    assert page.form("/updates/2/again").buttons == ["Resume"]
    page = browser.follow(browser.post("/updates/2/again"))
    assert page.messages == ["Update 3 started with the file of update 2."]
    update = UpdateJob.objects.get(district=school, number=3)
    assert (update.mode, update.member, update.is_check) == ("add", manager, False)
    finish(update)
    update.refresh_from_db()
    assert (update.rows_updated, update.rows_added) == (4, 2)
    assert AuditEvent.objects.filter(
        action="retry update", result="started", detail="update 2 as update 3"
    ).exists()


def test_what_has_nothing_left_is_not_started_again(school: District, browser: Visitor) -> None:
    finish(send(school, BAD))
    assert "/updates/2/again" not in browser.read("/updates/2").actions
    page = browser.follow(browser.post("/updates/2/again"))
    assert page.messages == [NOT_STARTED]
    assert UpdateJob.objects.filter(district=school).count() == 2


def test_an_older_file_is_not_started_again(school: District, browser: Visitor) -> None:
    send(school, a_class(4, GRADE="9"))
    browser.post("/updates/2/cancel")
    finish(send(school, a_class(4, GRADE="8")))
    assert "/updates/2/again" not in browser.read("/updates/2").actions
    page = browser.follow(browser.post("/updates/2/again"))
    assert page.messages == [NOT_STARTED]
    assert UpdateJob.objects.filter(district=school).count() == 3


def test_without_its_file_an_update_is_not_started_again(
    school: District, browser: Visitor
) -> None:
    update = send(school, a_class(4, GRADE="9"))
    browser.post("/updates/2/cancel")
    file_chunks.remove([update.spool_name])  # PostgreSQL has the file, too
    files.remove([update.spool_name])
    page = browser.follow(browser.post("/updates/2/again"))
    assert page.messages[-1].startswith("Nothing was started: the file is no longer stored.")


# One that runs


@pytest.fixture
def running_update(school: District) -> UpdateJob:
    """Update 2 is being checked."""
    update = send(school, a_class(4, GRADE="9"))
    next(runner.run_steps(update.pk))
    return update


def test_progress_is_refreshed_even_without_scripts(
    running_update: UpdateJob, browser: Visitor
) -> None:
    page = browser.read("/updates/2")
    assert page.root.find(".//head/noscript/meta").attrib["content"] == "5"  # type: ignore[union-attr]
    bar = page.root.find(".//progress")
    assert bar is not None
    assert (bar.attrib["value"], bar.attrib["max"]) == ("4", "4")
    assert page.actions == ["/updates/2/cancel"]
    assert "Students who were already updated stay updated" in page.text


def test_rate_and_time_left_are_shown_only_during_progress(
    clock: Clock, running_update: UpdateJob, browser: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def page_text(*, alive: bool) -> str:
        monkeypatch.setattr(
            status_json, "worker_status", lambda: WorkerStatus(alive=alive, at=None)
        )
        return browser.read("/updates/2").text

    assert "rows per second" in page_text(alive=True)
    without_worker = page_text(alive=False)
    assert "No update has been processed yet." in without_worker
    assert "rows per second" not in without_worker
    clock.move(minutes=2)
    stalled = page_text(alive=True)
    assert "No progress since" in stalled
    assert "rows per second" not in stalled


def test_progress_is_polled_and_at_the_end_the_page_is_reloaded(
    running_update: UpdateJob, browser: Visitor
) -> None:
    answer = browser.get("/updates/2/progress", htmx=True)
    fragment = tree(answer).find(".//div[@id='progress']")
    assert fragment is not None
    assert fragment.attrib["hx-get"] == "/updates/2/progress"
    finish(running_update)
    assert browser.get("/updates/2/progress", htmx=True)["HX-Refresh"] == "true"
    assert browser.get("/updates/2/progress")["Location"] == "/updates/2"


def test_title_pill_and_timeline_move_with_the_progress(
    running_update: UpdateJob, browser: Visitor
) -> None:
    page = browser.read("/updates/2")
    polled = page.main.find(".//div[@id='progress']")
    assert polled is not None
    part = read(browser.get(polled.attrib["hx-get"], htmx=True))
    assert part.title == "Update 2, checking · Rollbook"
    swapped = [each.get("id") for each in part.root.iter() if each.get("hx-swap-oob")]
    assert swapped == ["pill", "timeline-entries"]
    assert "↻ checking" in part.text
    assert "Started " in part.text
    assert page.links["Reload"] == "/updates/2"


def test_polling_needs_three_queries_and_is_not_audited(
    small_chunks: None, school: District, browser: Visitor, django_assert_num_queries: Any
) -> None:
    applying(send(school, BAD))
    AuditEvent.objects.all().delete()
    browser.get("/updates")
    with django_assert_num_queries(3):  # the session, the member, the update
        address = "/updates/2/progress?page=update"
        assert browser.get(address, htmx=True).status_code == 200
    assert not AuditEvent.objects.exists()


def test_only_the_page_with_the_result_makes_the_email_to_the_sender_unnecessary(
    school: District, manager: Member, browser: Visitor, visitor: SignedIn
) -> None:
    colleague = visitor(make_member(school, "eve@maple.example"))
    update = send(school, a_class(3, GRADE="5"), member=manager, source=SOURCE_BROWSER)
    browser.read("/updates/2")
    next(runner.run_steps(update.pk))
    browser.get("/updates/2/progress")
    finish(update)
    colleague.read("/updates/2")
    browser.get("/updates/2/progress")  # which only says that the page is to be loaded again
    update.refresh_from_db()
    assert update.watched_at is None
    browser.read("/updates/2")
    update.refresh_from_db()
    assert update.ended_at
    assert update.watched_at
    assert update.watched_at >= update.ended_at


def test_a_queued_update_names_the_one_before(
    running_update: UpdateJob, school: District, browser: Visitor
) -> None:
    send(school, a_class(4, GRADE="10"))
    page = browser.read("/updates/3")
    assert f"… {RECEIVED.word}" in page.text
    assert "Queued behind update 2." in page.text


def test_polling_does_not_keep_a_session_active(
    clock: Clock, running_update: UpdateJob, browser: Visitor
) -> None:
    seen = Session.objects.get().last_seen_at
    clock.move(minutes=5)
    browser.get("/updates/2/progress", htmx=True)
    assert Session.objects.get().last_seen_at == seen
    browser.get("/updates/2")
    assert Session.objects.get().last_seen_at > seen
    assert Session.objects.get().last_seen_at - seen >= timedelta(minutes=1)


def test_if_every_row_was_rejected_nothing_was_applied(school: District, browser: Visitor) -> None:
    finish(send(school, "STUDENT_ID,GRADE\ns000,99\n"))
    assert browser.read("/updates/2").title == "Update 2, nothing applied · Rollbook"
    assert browser.read("/updates").rows[0][1] == "✕ nothing applied"


# Its rows


def test_rows_are_filtered_and_searched(school: District, browser: Visitor) -> None:
    finish(send(school, BAD))
    assert [row[0] for row in browser.read("/updates/2/rows").rows] == ["2", "3", "4", "5"]
    assert [row[0] for row in browser.read("/updates/2/rows", {"outcome": "updated"}).rows] == ["2"]
    answer = browser.post("/updates/2/rows", {"search": "s001", "outcome": ""})
    assert "s001" not in answer["Location"]
    assert [row[0] for row in browser.follow(answer).rows] == ["3"]
    assert "No rows match" in browser.search("/updates/2/rows", {"search": "zzz"}).text
    assert AuditEvent.objects.filter(action="update rows", result="seen").count() == 4


@pytest.mark.statement("S40")
def test_a_search_in_plain_text_in_the_address_of_rows_is_ignored(
    school: District, browser: Visitor
) -> None:
    finish(send(school, BAD))
    answer = browser.get("/updates/2/rows", {"search": "s001", "outcome": "rejected"})
    assert answer["Location"] == "/updates/2/rows?outcome=rejected"
    page = browser.follow(answer)
    assert [row[0] for row in page.rows] == ["3", "4", "5"]
    assert "We ignored the filters in that address" in page.text


def test_confidential_values_are_shown_in_the_rows_that_were_searched(
    school: District, browser: Visitor
) -> None:
    finish(send(school, BAD))
    page = browser.search("/updates/2/rows", {"search": "s001"})
    opened = browser.read("/updates/2/rows" + page.links["Show it"])
    assert [row[0] for row in opened.rows] == ["3"]
    hidden = browser.read("/updates/2/rows" + opened.links["Hide it"])
    assert [row[0] for row in hidden.rows] == ["3"]
    assert "Show it" in hidden.links


@pytest.mark.statement("S23")
def test_an_update_of_another_district_is_not_found(
    school: District, cedar: District, browser: Visitor
) -> None:
    enroll(cedar, a_class(1))
    for grade in "567":
        run(cedar, a_class(1, GRADE=grade))
    browser.get("/updates")
    for address in ("/updates/4", "/updates/4/rows", "/updates/4/progress"):
        assert browser.get(address).status_code == 404
    assert browser.post("/updates/4/cancel").status_code == 404
    assert browser.post("/updates/4/again").status_code == 404
    assert (
        AuditEvent.objects.filter(action="cancel", result="not found", detail="update 4").count()
        == 1
    )


# For curl, the same address


def test_curl_gets_lines_and_a_browser_a_page(
    school: District, browser: Visitor, stranger: Visitor
) -> None:
    curl = stranger.client.get("/updates/1", secure=True, headers={"Accept": "*/*"})
    assert curl.status_code == 401
    assert curl.content.startswith(b"ERROR sign_in_needed")
    answer = stranger.get("/updates/1")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in?next=%2Fupdates%2F1")


def test_a_browser_that_sends_a_password_still_gets_the_page(
    school: District, browser: Visitor, manager: Member
) -> None:
    headers = {"Authorization": basic(manager.email, PASSWORD)}
    assert (
        read(browser.client.get("/updates/1", secure=True, headers=headers)).heading == "Update 1"
    )


@pytest.mark.statement("S18")
def test_curl_is_not_signed_in_by_cookies(school: District, browser: Visitor) -> None:
    assert (
        browser.client.get("/updates/1", secure=True, headers={"Accept": "*/*"}).status_code == 401
    )


def test_the_link_of_an_email_opens_the_update_after_the_sign_in(
    school: District, stranger: Visitor, manager: Member
) -> None:
    answer = stranger.sign_in(manager, next="/updates/1")
    assert answer["Location"] == "/updates/1"
    assert read(stranger.get("/updates/1")).heading == "Update 1"


def test_without_the_permission_there_are_no_updates(school: District, visitor: SignedIn) -> None:
    browser = visitor(make_member(school, "some@maple.example", "school manager"))
    assert browser.get("/updates/1").status_code == 403
