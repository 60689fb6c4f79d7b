"""Review the plan of an update on its page, and approve or discard it."""

import csv
import io
from typing import Any

import pytest
from django.utils import timezone

from rollbook.accounts import roles
from rollbook.accounts.audit import student_sets
from rollbook.accounts.models import AuditEvent, Member
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts.models import District, School
from rollbook.students.models import Student
from rollbook.updates import runner
from rollbook.updates.cancel import cancel
from rollbook.updates.engine import WorkerStatus
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import decisions, limit_sets
from rollbook.updates.planning.limit_document import LimitDocument
from rollbook.updates.planning.reason_words import reason_sentence
from rollbook.updates.planning.summary import Summary
from rollbook.updates.reporting import plan_review, status_json
from rollbook.updates.reporting.plan_figures import FIGURES, Figure
from rollbook.updates.reporting.report import report
from rollbook.updates.reporting.rows import rows_of_figure
from rollbook.updates.state_machine import Mode, State
from rollbook.web.pages.home import views as home_views
from rollbook.web.pages.plan import page_data
from tests.conftest import make_member
from tests.updates.night import (
    a_class,
    column_of,
    complete,
    dump,
    enroll,
    finish,
    last,
    run,
    send,
)
from tests.updates.planning.test_judge import movers
from tests.web.conftest import NOW
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page, read

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def held_once(maple_once: District) -> int:
    enroll(maple_once, a_class(200))
    return judged(send(maple_once, movers(60))).pk


@pytest.fixture
def held(held_once: int, maple: District) -> UpdateJob:
    """Update 2: 60 of 200 students of School 100 would go to School 200."""
    return UpdateJob.objects.get(pk=held_once)


@pytest.fixture
def browser(manager: Member, visitor: SignedIn) -> Visitor:
    return visitor(manager)


def judged(update: UpdateJob) -> UpdateJob:
    finish(update)
    update.refresh_from_db()
    return update


def checked(district: District, text: str, **options: Any) -> UpdateJob:
    return judged(send(district, text, is_check=True, **options))


def assistant(district: District, *permissions: Permission) -> Member:
    """Return a district manager with only these permissions."""
    chief = make_member(district, "chief@maple.example")
    role = roles.create_role(
        chief,
        RoleType.DISTRICT_MANAGER,
        "Assistant",
        "",
        [Permission.SEE_STUDENTS, Permission.UPDATE_STUDENTS, *permissions],
    )
    member = make_member(district, "assistant@maple.example")
    Member.objects.filter(pk=member.pk).update(role=role)
    return Member.objects.get(pk=member.pk)


def approve(browser: Visitor, update: UpdateJob, **fields: Any) -> Any:
    digest = fields.pop("plan", update.plan_digest)
    address = f"/updates/{update.number}/approve"
    return browser.post(address, {"plan": digest, "which": "all", **fields})


def discard(browser: Visitor, update: UpdateJob, **fields: Any) -> Any:
    digest = fields.pop("plan", update.plan_digest)
    return browser.post(f"/updates/{update.number}/discard", {"plan": digest, **fields})


def without_columns(page: Page) -> list[str]:
    """Return the addresses to which the page sends forms, but for those that map columns."""
    number = page.heading.removeprefix("Update ")
    mapping = {f"/updates/{number}/columns", f"/updates/{number}/mapping"}
    return [action for action in page.actions if action not in mapping]


def alert(page: Page) -> str:
    [message] = page.messages
    return message


# The page


def test_the_page_says_first_what_would_happen(held: UpdateJob, browser: Visitor) -> None:
    page = browser.read("/updates/2")
    assert page.title == "Update 2, held · Rollbook"
    assert "60 students would change school, all of them at School 100." in page.text
    assert "Nothing has been applied. Approve or discard it by" in page.text
    assert ["Would change school", "Whole district", "60", "200 students", "30%", "10% and 50"] in (
        page.rows
    )
    assert ["Would change school", "School 100", "60", "200 students", "30%", "25% and 20"] in (
        page.rows
    )
    form = page.form("/updates/2/approve")
    assert form.buttons == ["Approve: change 60", "Approve without these schools"]
    assert form.values["plan"] == [held.plan_digest]
    assert page.form("/updates/2/discard").buttons == ["Discard update 2"]


def test_every_figure_leads_to_its_rows(maple: District, browser: Visitor) -> None:
    enroll(maple, a_class(60))
    enroll(maple, a_class(20, STUDENT_ID="t{0:03}", USERNAME="t{0:03}", SCHOOL_ID="200"))
    run(maple, "STUDENT_ID,STATUS\nt000,inactive\n")
    text = (
        "STUDENT_ID,SCHOOL_ID,GRADE,STATUS,FIRST_NAME,LAST_NAME,DOB,GENDER,ELL,SPECIAL_ED\n"
        "s000,200,5,,,,,,,\ns001,200,,,,,,,,\ns002,,5,,,,,,,\ns003,,,inactive,,,,,,\n"
        "s004,,99,,,,,,,\nt000,,,active,,,,,,\nt001,100,6,,,,,,,\nt002,,<clear>,,,,,,,\n"
        "n1,100,4,,New,One,2015-01-02,f,n,n\nn2,900,4,,New,Two,2015-01-02,f,n,n\n"
    )
    update = checked(maple, text, mode=Mode.ADD)
    summary = Summary.from_json(update.summary or {})
    names = [*FIGURES, *summary.district.columns]
    figures = [Figure(name, school) for school in ("", "100", "200") for name in names]
    found = {figure: rows_of_figure(update, figure) for figure in figures}
    assert {figure: len(rows.items) for figure, rows in found.items()} == {
        figure: rows.total for figure, rows in found.items()
    }
    page = browser.read(f"/updates/{update.number}")
    links = [link for link in page.main.iter("a") if "figure=" in link.get("href", "")]
    assert len(links) > 20
    for link in links:
        rows = browser.read(link.attrib["href"])
        assert len(rows.rows) == int("".join(link.itertext())), link.attrib["href"]
    assert (
        "Moved out, School 100 (100): 2 rows."
        in (
            browser.read(f"/updates/{update.number}/rows", {"figure": "moved_out", "school": "100"})
        ).text
    )


@pytest.mark.parametrize("query", [{"figure": "nonsense"}, {"figure": "", "school": "100"}])
def test_an_address_without_a_figure_lists_all_rows(
    query: dict[str, str], held: UpdateJob, browser: Visitor
) -> None:
    assert "60 rows with changes or errors" in browser.read("/updates/2/rows", query).text


def test_samples_show_old_and_new_values_and_are_recorded(
    held: UpdateJob, browser: Visitor
) -> None:
    page = browser.read("/updates/2")
    samples = [row for row in page.rows if row[0] == "School"]
    assert [row[2] for row in samples] == ["before: 100 → now: 200"] * 3
    event = AuditEvent.objects.get(action="update", result="seen")
    shown = set(student_sets.decode(event.students))
    first = Student.objects.filter(student_id__in=("s000", "s001", "s002"))
    assert shown == set(first.values_list("pk", flat=True))


def test_confidential_values_are_not_on_the_page(maple: District, browser: Visitor) -> None:
    enroll(maple, a_class(3))
    update = checked(maple, "STUDENT_ID,DOB,ELL,PASSWORD\ns000,2011-07-09,y,topsecret1\n")
    page = browser.read(f"/updates/{update.number}")
    assert [row[2] for row in page.rows if row[0] in {"Birth date", "English learner"}] == [
        "changed",
        "changed",
    ]
    for secret in ("2011", "topsecret"):
        assert secret not in page.text


def test_rows_that_are_out_of_date_are_counted_without_counting_all(
    held: UpdateJob, browser: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "out of date" not in browser.read("/updates/2").text
    run(held.district, "STUDENT_ID,GRADE\ns000,7\ns001,7\ns150,7\n")
    assert "2 rows are out of date" in browser.read("/updates/2").text
    assert plan_review.count_out_of_date(held) == plan_review.OutOfDate(2, is_minimum=False)
    monkeypatch.setattr(plan_review, "MAX_RECENT_CHANGES", 2)
    assert "At least 1 row is out of date" in browser.read("/updates/2").text


def test_a_dry_run_that_is_out_of_date_is_checked_again(maple: District, browser: Visitor) -> None:
    enroll(maple, a_class(3))
    update = checked(maple, "STUDENT_ID,GRADE\ns000,5\n")
    assert f"/updates/{update.number}/again" not in browser.read("/updates/2").actions
    run(maple, "STUDENT_ID,GRADE\ns000,7\n")
    page = browser.read("/updates/2")
    assert "1 row is out of date" in page.text
    form = page.form("/updates/2/again")
    assert form.buttons == ["Check the file again"]
    answer = browser.post("/updates/2/again", form.values)
    again = judged(UpdateJob.objects.latest("number"))
    page = browser.follow(answer)
    assert page.heading == f"Update {again.number}"
    assert "out of date" not in page.text
    assert browser.read("/updates/2").links[f"Open update {again.number}"] == answer["Location"]
    approve(browser, again)
    finish(again)
    assert column_of(maple, "GRADE")["s000"] == "5"


def test_new_students_are_suggested_if_rows_are_about_unknown_ones(
    maple: District, browser: Visitor
) -> None:
    enroll(maple, a_class(2))
    update = checked(maple, complete(a_class(3, GRADE="9")))
    page = browser.read("/updates/2")
    assert "1 row is about a student who isn’t in Rollbook, so it would be rejected." in page.text
    form = page.form("/updates/2/again")
    assert form.buttons == ["Check again, also adding new students"]
    browser.post("/updates/2/again", {"mode": "add"})
    again = UpdateJob.objects.get(district=maple, number=3)
    assert (again.mode, again.is_check, again.file_digest) == ("add", True, update.file_digest)
    update.refresh_from_db()
    assert update.state == "discarded"
    finish(again)
    page = browser.read("/updates/3")
    assert "Add new students?" not in page.text
    assert "Change 2 and add 1" in page.text


def test_nothing_is_suggested_where_new_students_are_not_allowed(
    maple: District, browser: Visitor
) -> None:
    enroll(maple, a_class(2))
    checked(maple, a_class(3, GRADE="9"))
    District.objects.filter(pk=maple.pk).update(modes={"pages": ["update"]})
    assert "Add new students?" not in browser.read("/updates/2").text
    page = browser.follow(browser.post("/updates/2/again", {"mode": "add"}))
    assert page.messages == [
        "Nothing was started: your district no longer allows this use of a file here."
    ]


def test_a_waiting_plan_has_its_rejected_rows(maple: District, browser: Visitor) -> None:
    enroll(maple, a_class(4))
    update = checked(maple, "STUDENT_ID,GRADE\ns000,5\ns001,99\n")
    page = browser.read(f"/updates/{update.number}")
    assert "A value isn't recognized" in page.text
    answer = browser.get(page.links["Download the rejected rows"])
    rows = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))
    assert [(row["STUDENT_ID"], row["_CODE"]) for row in rows] == [("s001", "bad_value")]
    for name in ("changes", "not-processed"):
        assert browser.get(f"/updates/{update.number}/{name}.csv").status_code == 409


def test_a_dry_run_that_would_change_nothing_cannot_be_applied(
    maple: District, browser: Visitor
) -> None:
    enroll(maple, a_class(2))
    update = checked(maple, "STUDENT_ID,GRADE\ns000,4\ns001,99\n")
    page = browser.read(f"/updates/{update.number}")
    assert "Nothing would be applied: fix the rows below" in page.text
    assert without_columns(page) == [f"/updates/{update.number}/discard"]


def test_the_progress_ends_when_the_plan_waits(
    held: UpdateJob, browser: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (status_json, home_views):
        monkeypatch.setattr(module, "worker_status", lambda: WorkerStatus(alive=True, at=NOW))
    answer = browser.get("/updates/2/progress", htmx=True)
    assert answer["HX-Refresh"] == "true"
    approve(browser, held)
    page = browser.read("/updates/2")
    assert "Approved by Ana Ruiz at" in page.text
    assert "Updating starts in a moment." in page.text
    part = browser.get("/updates/2/progress", htmx=True)
    assert "HX-Refresh" not in part
    assert "Update 2 will start in a moment." in browser.read("/").text
    finish(held)
    assert browser.get("/updates/2/progress", htmx=True)["HX-Refresh"] == "true"


# Decisions


def test_all_of_a_plan_is_approved(held: UpdateJob, browser: Visitor, manager: Member) -> None:
    page = browser.follow(approve(browser, held, note="  School\nclosed "))
    assert alert(page) == "Update 2 approved."
    finish(held)
    page = browser.read("/updates/2")
    assert "60 of 60 students changed" in page.text
    assert "Approved by Ana Ruiz" in page.text
    assert "Note: School closed" in page.text
    assert set(column_of(held.district, "SCHOOL_ID").values()) == {"100", "200"}
    detail = f"update 2, plan {held.plan_digest}: School closed"
    assert AuditEvent.objects.get(action="approve update", result="ok").detail == detail


@pytest.mark.parametrize(
    "fields", [{"school": ["200"]}, {"others": "200\n"}, {"others": " ,200; ", "school": "200"}]
)
def test_a_plan_is_approved_without_a_school(
    maple: District, browser: Visitor, fields: dict[str, Any]
) -> None:
    enroll(maple, a_class(3))
    enroll(maple, a_class(3, STUDENT_ID="t{0:03}", USERNAME="t{0:03}", SCHOOL_ID="200"))
    update = checked(maple, "STUDENT_ID,GRADE\ns000,5\ns001,5\nt000,5\n")
    answer = approve(browser, update, which="selected", **fields)
    assert alert(browser.follow(answer)) == f"Update {update.number} approved without 1 school."
    assert (finish(update).updated, column_of(maple, "GRADE")["t000"]) == (2, "4")
    page = browser.read(f"/updates/{update.number}")
    assert "without 1 school: 200" in page.text
    rows = browser.search(f"/updates/{update.number}/rows", {"outcome": "left_out"})
    assert [row[1] for row in rows.rows] == ["· left out"]


def test_a_plan_is_discarded(held: UpdateJob, browser: Visitor) -> None:
    before = dump(held.district)
    page = browser.follow(discard(browser, held, note="wrong export"))
    assert alert(page) == "Update 2 discarded. Nothing was applied."
    assert "was discarded by Ana Ruiz. Nothing was applied." in page.text
    assert page.title == "Update 2, discarded · Rollbook"
    assert dump(held.district) == before
    assert not runner.has_work(held.pk)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"plan": "0" * 12}, "review it again."),
        ({"plan": ""}, "review it again."),
        ({"plan": "\x00'\"<b>"}, "review it again."),
        ({"which": "selected"}, "No school is selected; select the schools to leave out"),
        ({"school": ["100"]}, "Schools are selected; use the button that leaves them out"),
        ({"which": "selected", "others": "900"}, "There is no school 900; use SCHOOL_IDs"),
        ({"which": "selected", "others": "\x00<i>\ud800"}, "There is no school <i>"),
        ({"which": "selected", "others": "x" * 5000}, "There is no school xxx"),
        (
            {"which": "selected", "others": ",".join(map(str, range(1001)))},
            "You named more than 1,000 schools; discard the plan instead.",
        ),
    ],
)
def test_a_decision_that_is_not_possible_is_explained(
    fields: dict[str, Any], reason: str, held: UpdateJob, browser: Visitor
) -> None:
    answer = approve(browser, held, **_encodable(fields))
    page = read(answer)
    assert answer.status_code == 409
    assert reason in alert(page)
    held.refresh_from_db()
    assert (held.state, held.decided_at) == (State.HELD, None)
    if fields.get("others"):
        assert "900" not in fields["others"] or page.form("/updates/2/approve").values[
            "others"
        ] == [fields["others"]]
    assert AuditEvent.objects.filter(action="approve update").exclude(result="ok").count() == 1


def _encodable(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        for name, value in fields.items()
    }


@pytest.mark.parametrize("what", ["approved", "discarded", "expired", "canceled", "replaced"])
@pytest.mark.parametrize("decide", [approve, discard])
def test_a_plan_that_no_longer_waits_is_explained(
    what: str, decide: Any, held: UpdateJob, browser: Visitor
) -> None:
    _end(held, what, browser)
    page = browser.follow(decide(browser, held))
    reasons = {
        "approved": "Update 2 was approved at",
        "discarded": "Update 2 was discarded.",
        "canceled": "Update 2 was discarded.",
        "expired": "Update 2 was discarded because nobody decided in time.",
        "replaced": "Update 2 was replaced by update 3.",
    }
    assert alert(page).startswith(reasons[what])


def _end(update: UpdateJob, how: str, browser: Visitor) -> None:
    if how == "approved":
        approve(browser, update)
    elif how == "discarded":
        discard(browser, update)
    elif how == "canceled":
        cancel(update.district, update.number)
    elif how == "expired":
        decisions.discard_expired(update.discard_at or timezone.now())
    else:
        run(update.district, a_class(200, GRADE="5"))
    browser.read("/")  # it shows the messages


def test_an_applied_plan_cannot_be_decided_again(held: UpdateJob, browser: Visitor) -> None:
    browser.follow(approve(browser, held))
    finish(held)
    assert "was approved at" in alert(browser.follow(approve(browser, held)))


def test_an_update_without_a_plan_cannot_be_approved(maple: District, browser: Visitor) -> None:
    enroll(maple, a_class(2))
    page = browser.follow(approve(browser, last(maple), plan=""))
    assert alert(page) == "Update 1 is completed; no plan of it waits for a decision."


# Who may decide


def test_without_the_permission_a_plan_is_read_and_discarded_only(
    held: UpdateJob, visitor: SignedIn
) -> None:
    member = assistant(held.district)
    browser = visitor(member)
    page = browser.read("/updates/2")
    assert "Your role can’t approve updates. Ask Ana Ruiz." in page.text
    assert without_columns(page) == ["/updates/2/discard"]
    answer = approve(browser, held)
    assert answer.status_code == 403
    assert alert(read(answer)) == "Your role can't approve updates. Nothing was decided."
    assert AuditEvent.objects.get(action="approve update").result == "not allowed"
    browser.follow(discard(browser, held))
    held.refresh_from_db()
    assert held.state == State.DISCARDED


def test_the_permission_to_approve_is_enough(held: UpdateJob, visitor: SignedIn) -> None:
    browser = visitor(assistant(held.district, Permission.APPROVE_UPDATES))
    assert alert(browser.follow(approve(browser, held))) == "Update 2 approved."


def test_a_dry_run_within_the_limits_needs_no_permission_to_approve(
    maple: District, visitor: SignedIn
) -> None:
    enroll(maple, a_class(30))
    update = checked(maple, movers(4))
    browser = visitor(assistant(maple))
    page = browser.read("/updates/2")
    assert page.form("/updates/2/approve").buttons[0] == "Change 4"
    browser.follow(approve(browser, update))
    assert finish(update).updated == 4


def test_a_dry_run_beyond_a_limit_needs_it(maple: District, visitor: SignedIn) -> None:
    enroll(maple, a_class(200))
    update = checked(maple, movers(60))
    assert approve(visitor(assistant(maple)), update).status_code == 403


@pytest.mark.statement("S24")
def test_a_second_person_is_required(
    maple: District, manager: Member, browser: Visitor, visitor: SignedIn
) -> None:
    limit_sets.save(maple, LimitDocument(second_person=True), None, timezone.now())
    enroll(maple, a_class(200))
    update = judged(send(maple, movers(60), member=manager))
    page = browser.read("/updates/2")
    assert "Nobody else can approve updates" in page.text
    make_member(maple, "lee@maple.example")
    page = browser.read("/updates/2")
    assert "Your district requires a second person" in page.text
    assert without_columns(page) == ["/updates/2/discard"]
    answer = approve(browser, update)
    assert answer.status_code == 409
    assert "requires a second person" in alert(read(answer))
    other = visitor(Member.objects.get(email="lee@maple.example"))
    assert alert(other.follow(approve(other, update))) == "Update 2 approved."


@pytest.mark.parametrize("decide", [approve, discard])
def test_the_plan_of_another_district_is_not_found(
    decide: Any, held: UpdateJob, neighbor: Member, visitor: SignedIn
) -> None:
    assert decide(visitor(neighbor), held).status_code == 404
    held.refresh_from_db()
    assert held.state == State.HELD


# The list of updates, and Home


def test_home_shows_a_held_plan_first_and_lists_the_others(
    held: UpdateJob, browser: Visitor, visitor: SignedIn
) -> None:
    checked(held.district, "STUDENT_ID,GRADE\ns000,5\n")
    page = browser.read("/")
    assert "Update 2 is held: 60 of 200 students would change school" in page.text
    assert "Approve or discard it by" in page.text
    assert page.links["Review update"] == "/updates/2"
    assert page.links["Decide about update 3"] == "/updates/3"
    assert page.rows[0][-1] == "! held"
    page = visitor(assistant(held.district)).read("/")
    assert "Ana Ruiz or 1 other can approve it by" in page.text


def test_states_with_a_plan_are_in_the_list_and_its_filter(
    held: UpdateJob, browser: Visitor
) -> None:
    checked(held.district, "STUDENT_ID,GRADE\ns000,5\n")
    discard(browser, checked(held.district, "STUDENT_ID,GRADE\ns000,6\n"))
    states = {row[0]: row[1] for row in browser.read("/updates").rows}
    assert states == {
        "Update 1": "✓ completed",
        "Update 2": "! held",
        "Update 3": "? checked",
        "Update 4": "■ discarded",
    }
    for number, state in ((2, "held"), (3, "checked"), (4, "discarded")):
        rows = browser.read("/updates", {"state": state}).rows
        assert [row[0] for row in rows] == [f"Update {number}"]


# What changes while it waits, and large districts


def test_a_closed_school_is_not_offered(held: UpdateJob, browser: Visitor) -> None:
    School.objects.filter(district=held.district, organization_id="200").update(
        organization_id="201"
    )
    page = browser.read("/updates/2")
    assert "no longer a school 200" in page.text
    assert page.form("/updates/2/approve").fields["school"]["value"] == "100"


def test_ten_thousand_schools_of_which_all_but_one_exceed_a_limit(
    held: UpdateJob, browser: Visitor, maple: District
) -> None:
    _with_many_schools(held, 10_000)
    page = browser.read("/updates/2")
    assert "9,979 other limits are exceeded, too" in page.text
    form = page.form("/updates/2/approve")
    assert len([box for box in form.root.iter("input") if box.get("name") == "school"]) == 101
    assert "9,899 more schools exceed a limit" in page.text
    schools = [row for row in page.rows if row[0].startswith("School ")]
    assert len(schools) == page_data.SCHOOLS_PER_PAGE
    assert "Page 1 of 200" in page.text
    last = browser.read("/updates/2", {"page": "200"})
    assert last.rows != page.rows
    others = "\n".join(f"{number:05}" for number in range(999))
    answer = approve(browser, held, which="selected", others=others)
    assert alert(browser.follow(answer)) == "Update 2 approved without 999 schools."


def _with_many_schools(update: UpdateJob, count: int) -> None:
    """Replace the summary by one of so many schools, of which all but the last exceed a limit."""
    district = update.district
    keys = [f"{number:05}" for number in range(count)]
    School.objects.bulk_create(
        School(district=district, organization_id=key, name=f"School {key}") for key in keys
    )
    school = {"active": 100, "rows": 60, "changed": 60, "moved_out": 60}
    whole = {name: value * count for name, value in school.items()}
    reason = {"measure": "moved_out", "count": 60, "of": 100, "percent": 25, "limit": 20}
    UpdateJob.objects.filter(pk=update.pk).update(
        summary={"district": whole, "schools": dict.fromkeys(keys, school)},
        reasons=[{**reason, "school": key} for key in keys[:-1]],
    )


def test_a_damaged_file_is_shown_like_an_exceeded_limit(maple: District, browser: Visitor) -> None:
    enroll(maple, a_class(120))
    update = judged(send(maple, complete(a_class(120, LAST_NAME="LEE{0:03}"))))
    page = browser.read(f"/updates/{update.number}")
    assert "120 students would change, all of them at School 100." in page.text
    cells = ["Look different in LAST_NAME than in the last file", "Whole district", "120"]
    assert [*cells, "120 rows", "100%", "25% and 0"] in page.rows
    assert "LAST_NAME looks different in 100 % of the rows" in page.text


def test_a_share_is_the_same_on_the_page_as_for_scripts(maple: District, browser: Visitor) -> None:
    enroll(maple, a_class(20))
    new = a_class(
        150,
        STUDENT_ID="n{0:03}",
        USERNAME="n{0:03}",
        GRADE="4",
        GENDER="f",
        ELL="n",
        SPECIAL_ED="n",
    )
    update = checked(maple, new, mode=Mode.ADD)
    plan = report(update).plan
    assert plan
    reasons = [reason_sentence(each) for each in plan.reasons]
    assert [each for each in reasons if "would be added to 20 (750 %; " in each]
    shares = [row[4] for row in browser.read("/updates/2").rows if row[0] == "Would be added"]
    assert shares
    assert set(shares) == {"750%"}
