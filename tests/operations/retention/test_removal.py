"""What retention removes of the history, of students who left and of former staff."""

import json
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from rollbook.accounts.audit import log
from rollbook.accounts.members import changes, members
from rollbook.accounts.members.validation import InvalidMember
from rollbook.accounts.models import AccountMail, AuditEvent, KnownAddress, Member, Token
from rollbook.districts.local_dates import local_date
from rollbook.districts.models import District
from rollbook.operations.lifecycle import certificates
from rollbook.operations.lifecycle.certificates import Verdict
from rollbook.operations.models import Destruction
from rollbook.operations.retention import erasing, history, removal
from rollbook.students.models import Change, Student
from rollbook.updates.models import Problem, StagedRow, UpdateJob
from rollbook.updates.problem_store import to_problem
from tests import depth
from tests.conftest import make_member
from tests.db.database_errors import Kill, fault_at
from tests.operations.lifecycle.district import rows
from tests.updates.night import a_class, enroll, finish, run, send, students

HEADER = "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,STATUS,PARENT_EMAIL_1"
ZOE = "zqvxw77,zoeq,Zoe,Quill,05/13/2012"
ANN = "aq01,ann1,Ann,Lee,06/14/2012"

pytestmark = pytest.mark.statement("S41")


@pytest.fixture
def left(maple: District) -> District:
    """Maple USD: Zoe left today and was named by a problem, Ann is active."""
    enroll(maple, f"{HEADER}\n{ZOE},active,q@zqvxw.example\n{ANN},active,\n")
    run(maple, f"{HEADER}\n{ZOE},inactive,not an email\n{ANN},active,\n")
    return maple


def keep(district: District, **days: int) -> None:
    District.objects.filter(pk=district.pk).update(**days)


def after(**span: float) -> datetime:
    return timezone.now() + timedelta(**span)


def remove_all(now: datetime) -> int:
    total = 0
    while removed := removal.remove_expired(now):
        total += removed
    return total


def audited() -> list[str]:
    events = AuditEvent.objects.filter(action="retention").order_by("pk")
    return [f"{event.district}: {event.result}: {event.detail}" for event in events]


def names(district: District) -> list[str]:
    return sorted(Student.objects.filter(district=district).values_list("first_name", flat=True))


def fields(district: District) -> set[str]:
    changes_ = Change.objects.filter(student__district=district)
    return set(changes_.values_list("field", flat=True))


def test_by_default_no_person_is_ever_erased(left: District, manager: Member) -> None:
    changes.deactivate(make_member(left, "old@maple.example"), None)
    assert remove_all(after(days=7 * 365)) == 0
    assert (names(left), Destruction.objects.count()) == (["Ann", "Zoe"], 0)


# History


def test_old_changes_are_removed_but_when_a_student_was_added_or_left(
    left: District, cedar: District
) -> None:
    enroll(cedar, a_class(1))
    run(cedar, a_class(1, GRADE="7"))
    keep(left, history_kept_days=90)
    run(left, f"{HEADER.replace('STATUS', 'GRADE')}\n{ANN},7,\n")
    before = fields(cedar)
    assert {"GRADE", "STATUS", "STUDENT"} <= fields(left)
    limit = f"{after(days=92) - timedelta(days=90):%Y-%m-%d}"
    assert remove_all(after(days=89)) == 0
    removed = remove_all(after(days=92))
    assert fields(left) == {"STATUS", "STUDENT"}
    noun = "change" if removed == 1 else "changes"
    assert audited() == [f"maple-usd: history removed: {removed} {noun} before {limit}"]
    assert fields(cedar) == before
    assert remove_all(after(days=92)) == 0


def test_every_change_is_found_in_small_batches_and_after_the_time_was_changed(
    left: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "CHANGES_PER_BATCH", 1)
    enroll(left, a_class(3))
    run(left, a_class(3, GRADE="7"))
    old = Change.objects.filter(field="GRADE")
    assert old.count() == 3
    keep(left, history_kept_days=90)
    assert removal.remove_expired(after(days=92)) == 1
    keep(left, history_kept_days=2562)
    assert remove_all(after(days=92)) == 0
    keep(left, history_kept_days=90)
    assert remove_all(after(days=92)) == 2
    run(left, a_class(3, GRADE="8"))
    assert remove_all(after(days=92)) == 3


# Students who left


def test_students_who_left_are_erased_with_everything_and_certified(
    left: District, cedar: District
) -> None:
    enroll(cedar, f"{HEADER}\n{ZOE},inactive,\n")
    keep(left, leavers_kept_days=365)
    zoe = Student.objects.get(district=left, student_id="zqvxw77")
    assert remove_all(after(days=364)) == 0
    now = after(days=366)
    assert remove_all(now) == 1
    assert (names(left), names(cedar)) == (["Ann"], ["Zoe"])
    [destruction] = Destruction.objects.all()
    assert (destruction.what, destruction.person_keys) == ("students", [zoe.pk])
    assert audited() == [f"maple-usd: students erased: 1 student, {destruction}"]
    assert certificates.verify(destruction.signed_certificate) is Verdict.VALID
    statement = destruction.signed_certificate["statement"]
    assert statement["destroyed"] == "1 student who left"
    assert statement["removed"]["students"] == 1
    assert statement["removed"]["rows"] == 1
    text = certificates.to_text(destruction.signed_certificate)
    assert f"With the keys:\n  {zoe.pk}\n" in text
    assert "the retention settings of the district" in text
    assert statement["remaining"] == [
        f"uploaded files that contain them, until {local_date(left, now + timedelta(14))}",
        f"rejected rows and problems that name them, until {local_date(left, now + timedelta(90))}",
    ]
    saved = settings.DATA / "certificates" / f"certificate-{destruction.pk}-maple-usd-students.json"
    assert json.loads(saved.read_text())["statement"] == statement


def test_nothing_in_the_database_names_a_student_who_was_erased(left: District) -> None:
    keep(left, leavers_kept_days=30)
    assert "Quill" in json.dumps(rows(), default=str)
    StagedRow.objects.filter(update__district=left, student=None).delete()
    remove_all(after(days=31))
    UpdateJob.objects.update(header="")
    left_over = json.dumps(rows(), default=str)
    assert [trace for trace in ("zqvxw77", "zoeq", "Quill", "q@zqvxw") if trace in left_over] == []
    found = [to_problem(each).found for each in Problem.objects.filter(update__district=left)]
    assert not any("not an" in text for text in found)


@pytest.mark.parametrize("is_changed_by", ["coming back", "leaving again"])
def test_the_time_starts_when_a_student_last_left(left: District, is_changed_by: str) -> None:
    keep(left, leavers_kept_days=365)
    Change.objects.update(changed_at=after(days=-400))
    run(left, f"{HEADER}\n{ZOE},active,\n")
    if is_changed_by == "leaving again":
        run(left, f"{HEADER}\n{ZOE},inactive,\n")
    assert remove_all(timezone.now()) == 0
    assert remove_all(after(days=366)) == (1 if is_changed_by == "leaving again" else 0)


def test_a_removed_history_does_not_change_when_a_student_left(left: District) -> None:
    keep(left, leavers_kept_days=365, history_kept_days=90)
    Change.objects.filter(field="STUDENT").update(changed_at=after(days=-400))
    remove_all(after(days=92))
    assert "Zoe" in names(left)
    assert remove_all(after(days=366)) == 1


# Former staff


@pytest.fixture
def former(maple: District, manager: Member) -> Member:
    """A deactivated member with everything that a member can have."""
    member = make_member(maple, "zqvxw-former@maple.example", "instructor")
    Member.objects.filter(pk=member.pk).update(first_name="Zqvxw", last_name="Quill")
    KnownAddress.objects.create(member=member, address="192.0.2.7", last_seen_at=timezone.now())
    Token.objects.create(
        member=member,
        name="zqvxw",
        key="12345678",
        digest="d",
        scopes=[],
        created_at=timezone.now(),
        expires_at=timezone.now(),
    )
    enroll(maple, a_class(1))
    Student.objects.get(district=maple, student_id="s000").staff.add(member)
    folder = Path(settings.MAIL_FOLDER)
    folder.mkdir(exist_ok=True)
    (folder / "zqvxw.log").write_text("To: Zqvxw <zqvxw-former@maple.example>\n\nHello\n")
    changes.deactivate(member, None)
    log.record("see students", "ok", member=member)
    return member


def test_former_staff_lose_names_emails_and_credentials(maple: District, former: Member) -> None:
    keep(maple, staff_kept_days=365)
    assert remove_all(after(days=364)) == 0
    assert remove_all(after(days=366)) == 1
    former.refresh_from_db()
    assert (former.name, former.email) == (
        f"Former staff member {former.pk}",
        f"erased-{former.pk}",
    )
    found = json.dumps(rows(), default=str).casefold()
    assert [trace for trace in ("zqvxw", "quill", "192.0.2.7") if trace in found] == []
    assert not (Path(settings.MAIL_FOLDER) / "zqvxw.log").exists()
    assert AuditEvent.objects.filter(member=former).exists()
    [destruction] = Destruction.objects.all()
    assert (destruction.what, destruction.person_keys) == ("staff", [former.pk])
    assert destruction.counts["credentials"] == 2
    assert audited() == [f"maple-usd: staff erased: 1 staff member, {destruction}"]
    assert remove_all(after(days=400)) == 0


def test_nobody_sees_or_reactivates_erased_staff(
    maple: District, manager: Member, former: Member
) -> None:
    keep(maple, staff_kept_days=30)
    remove_all(after(days=31))
    former.refresh_from_db()
    assert [item.member for item in members.list_items(members.visible_to(manager))] == [manager]
    with pytest.raises(InvalidMember, match="was erased"):
        changes.reactivate(former, None)
    members.invite(
        maple,
        "zqvxw-former@maple.example",
        "Zqvxw",
        "Q",
        "instructor",
        ["100"],
        None,
        after(days=31),
    )


def test_only_invitations_that_were_never_used_expire(maple: District, manager: Member) -> None:
    keep(maple, staff_kept_days=30)
    now = timezone.now()
    for name in ("ignored", "again"):
        members.invite(maple, f"{name}@maple.example", "A", "B", "instructor", ["100"], None, now)
    again = Member.objects.get(email="again@maple.example")
    members.invite_again(again, None, after(days=20))
    assert remove_all(after(days=31)) == 1
    assert Member.objects.filter(email="again@maple.example").exists()
    Member.objects.filter(pk=again.pk).update(password=make_password("a password"))
    assert remove_all(after(days=100)) == 0
    assert not AccountMail.objects.filter(member__erased_at__isnull=False).exists()


def test_reactivated_staff_stay(maple: District, former: Member) -> None:
    keep(maple, staff_kept_days=30)
    changes.reactivate(former, None)
    assert remove_all(after(days=400)) == 0
    changes.deactivate(former, None)
    assert remove_all(after(days=29)) == 0


# While updates run, and after a kill


def test_where_an_update_is_unfinished_nothing_is_removed_and_no_other_district_waits(
    left: District, cedar: District
) -> None:
    enroll(cedar, f"{HEADER}\n{ZOE},inactive,\n")
    for district in (left, cedar):
        keep(district, leavers_kept_days=30, history_kept_days=90)
    waiting = send(left, f"{HEADER}\n{ANN},active,\n")
    assert remove_all(after(days=100)) == 1
    assert (names(left), names(cedar)) == (["Ann", "Zoe"], [])
    finish(waiting)
    assert remove_all(after(days=100)) > 0
    assert names(left) == ["Ann"]


def test_an_update_that_was_sent_meanwhile_prevents_it(
    left: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(left, leavers_kept_days=30)
    send(left, f"{HEADER}\n{ZOE},active,\n")
    monkeypatch.setattr(erasing, "idle_districts", lambda: [District.objects.get()])
    assert removal.remove_expired(after(days=31)) == 0
    assert names(left) == ["Ann", "Zoe"]


class Undone(Exception):
    """Everything is rolled back."""


@pytest.mark.parametrize("step", depth.sample(range(1, 54), "retention kill", daily=6))
def test_after_a_kill_the_next_run_ends_the_same(left: District, former: Member, step: int) -> None:
    keep(left, leavers_kept_days=30, staff_kept_days=30, history_kept_days=90)
    now = after(days=100)
    expected: list[object] = []
    with suppress(Undone), transaction.atomic():
        remove_all(now)
        expected = [students(left), fields(left), Member.objects.count()]
        raise Undone
    with suppress(Kill), fault_at(step):
        remove_all(now)
    remove_all(now)
    assert [students(left), fields(left), Member.objects.count()] == expected
    assert names(left) != ["Ann", "Zoe"]
    assert sorted(d.what for d in Destruction.objects.all()) == ["staff", "students"]
    assert all(
        certificates.verify(d.signed_certificate) is Verdict.VALID
        for d in Destruction.objects.all()
    )


# The guard


def test_the_guard_counts_what_is_due(left: District, former: Member) -> None:
    run(left, a_class(1, GRADE="7"))
    keep(left, leavers_kept_days=30, staff_kept_days=30, history_kept_days=90)
    due = removal.count_due(after(days=100))
    assert (due["students who left"].due, due["former staff"].due) == (1, 1)
    assert 0 < due["history"].due < due["history"].total
    remove_all(after(days=100))
    assert {kind: count.due for kind, count in removal.count_due(after(days=100)).items()} == {
        "history": 0,
        "students who left": 0,
        "former staff": 0,
    }
