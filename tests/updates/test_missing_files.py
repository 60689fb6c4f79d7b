"""Missing files: who is told, once, and what counts as a file that arrived."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from unittest import mock

import pytest
from django.utils import timezone

from rollbook.accounts.models import AccountMail, AccountMailKind, AuditEvent, Member
from rollbook.districts import schedules
from rollbook.districts.file_schedule import Pause
from rollbook.districts.models import District, FileSchedule, MissedFile
from rollbook.districts.schedules import ScheduleSettings
from rollbook.jobs import housekeeping
from rollbook.updates import missing_files, transitions
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import State
from rollbook.validation import ValidationFailed
from tests import depth
from tests.conftest import make_member
from tests.updates.night import a_class, enroll, finish, send, send_bytes

pytestmark = pytest.mark.django_db

SUNDAY = datetime(2026, 11, 1, 12, tzinfo=UTC)
MONDAY = datetime(2026, 11, 2, 12, tzinfo=UTC)  # 6:00 AM in Chicago
LATE = MONDAY + timedelta(minutes=30)
SCHOOL_DAYS = (time(6), time(6), time(6), time(6), time(6), None, None)


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    District.objects.filter(pk=maple_once.pk).update(time_zone="America/Chicago")
    maple_once.refresh_from_db()
    enroll(maple_once, a_class(10))
    UpdateJob.objects.update(received_at=SUNDAY - timedelta(days=30))
    schedules.save(maple_once, ScheduleSettings(SCHOOL_DAYS), SUNDAY)


@pytest.fixture
def school(enrolled: None, maple: District, manager: Member) -> District:
    """Ten students, and a file expected on school days by 6:00 AM, since Sunday."""
    return maple


def arrived(update: UpdateJob, at: datetime) -> None:
    UpdateJob.objects.filter(pk=update.pk).update(received_at=at)


def told() -> list[tuple[str, str]]:
    """Return the kind and recipient of each email, oldest first."""
    mails = AccountMail.objects.order_by("pk").values_list("kind", "member__email")
    return [(kind, email) for kind, email in mails]


def test_a_missing_file_is_reported_once_and_never_before_the_grace_has_passed(
    school: District, manager: Member
) -> None:
    assert missing_files.check(LATE - timedelta(seconds=1)) == 0
    assert missing_files.check(LATE) == 1
    assert told() == [(AccountMailKind.FILE_MISSING, manager.email)]
    for later in (timedelta(0), timedelta(minutes=1), timedelta(hours=23)):
        assert missing_files.check(LATE + later) == 0
    event = AuditEvent.objects.get(action="file missing")
    assert event.detail == "expected by Nov 2, 2026, 6:00 AM CST"
    assert missing_files.check(LATE + timedelta(days=1)) == 1
    assert [missed.day for missed in MissedFile.objects.order_by("day")] == [
        date(2026, 11, 2),
        date(2026, 11, 3),
    ]


GOOD = a_class(10, GRADE="5")


def completed(district: District) -> UpdateJob:
    update = send(district, GOOD)
    finish(update)
    return update


def with_some_rejected(district: District) -> UpdateJob:
    update = send(district, GOOD.replace("s003", "nobody"))
    finish(update)
    return update


def with_half_of_the_students(district: District) -> UpdateJob:
    update = send(district, a_class(5, GRADE="5"))
    finish(update)
    return update


def with_fewer_students(district: District) -> UpdateJob:
    update = send(district, a_class(4, GRADE="5"))
    finish(update)
    return update


def with_all_rejected(district: District) -> UpdateJob:
    update = send(district, a_class(10, GRADE="99"))
    finish(update)
    return update


def refused(district: District) -> UpdateJob:
    return send_bytes(district, b"STUDENT_ID,GRADE\ns000,\xe9\n").update


def canceled(district: District) -> UpdateJob:
    update = send(district, GOOD)
    transitions.transition(update.pk, State.CANCELED)
    return update


def failed(district: District) -> UpdateJob:
    update = send(district, GOOD)
    transitions.transition(update.pk, State.CHECKING, run_id="1", started_at=timezone.now())
    transitions.transition(update.pk, State.FAILED, error_reference="8f3a1c")
    return update


def correction(district: District) -> UpdateJob:
    first = UpdateJob.objects.filter(district=district).latest("number")
    update = completed(district)
    UpdateJob.objects.filter(pk=update.pk).update(corrects=first)
    return update


def undo(district: District) -> UpdateJob:
    update = completed(district)
    first = UpdateJob.objects.filter(district=district).earliest("number")
    UpdateJob.objects.filter(pk=update.pk).update(undoes=first)
    return update


@pytest.mark.parametrize(
    ("make", "counts"),
    [
        (completed, True),
        (with_some_rejected, True),
        (with_half_of_the_students, True),
        (with_fewer_students, False),
        (with_all_rejected, False),
        (refused, False),
        (canceled, False),
        (failed, False),
        (correction, False),
        (undo, False),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_only_a_complete_file_that_was_applied_counts(
    school: District, make: object, counts: bool
) -> None:
    assert callable(make)
    arrived(make(school), MONDAY - timedelta(hours=4))
    assert missing_files.check(LATE) == (0 if counts else 1)


def test_any_file_counts_if_the_district_sends_only_changes(school: District) -> None:
    schedules.save(school, ScheduleSettings(SCHOOL_DAYS, needs_half=False), SUNDAY)
    arrived(with_fewer_students(school), MONDAY)
    assert missing_files.check(LATE) == 0


@pytest.mark.parametrize(
    ("received_at", "counts"),
    [
        (datetime(2026, 10, 30, 11, tzinfo=UTC), False),  # at the time for Friday's file
        (datetime(2026, 10, 30, 11, 0, 1, tzinfo=UTC), True),
        (SUNDAY, True),
        (MONDAY, True),
        (LATE, True),
    ],
)
def test_a_file_counts_from_the_time_of_the_file_before(
    school: District, received_at: datetime, counts: bool
) -> None:
    arrived(completed(school), received_at)
    assert missing_files.check(LATE) == (0 if counts else 1)


def test_a_file_that_is_being_processed_is_waited_for(school: District) -> None:
    update = send(school, GOOD)
    arrived(update, MONDAY)
    assert missing_files.check(LATE) == 0
    transitions.transition(update.pk, State.CANCELED)
    assert missing_files.check(LATE + timedelta(minutes=5)) == 1


def test_home_shows_a_missing_file_until_it_arrives(school: District) -> None:
    assert missing_files.check(LATE) == 1
    status = missing_files.status(school, LATE)
    assert status
    assert status.missed
    assert status.missed.day == date(2026, 11, 2)
    assert status.next_file
    assert status.next_file.at == MONDAY + timedelta(days=1)
    arrived(completed(school), LATE + timedelta(hours=1))
    status = missing_files.status(school, LATE + timedelta(hours=2))
    assert status
    assert status.missed is None


def test_a_server_that_was_down_reports_the_last_file_late(school: District) -> None:
    assert missing_files.check(MONDAY + timedelta(days=3, hours=12)) == 1
    assert [missed.day for missed in MissedFile.objects.all()] == [date(2026, 11, 5)]


def test_neither_a_clock_set_back_nor_another_time_zone_repeats_a_report(
    school: District,
) -> None:
    assert missing_files.check(LATE) == 1
    assert missing_files.check(LATE - timedelta(hours=1)) == 0
    assert missing_files.check(LATE) == 0
    for zone in ("America/Denver", "Australia/Sydney", "UTC"):
        District.objects.filter(pk=school.pk).update(time_zone=zone)
        assert missing_files.check(LATE + timedelta(hours=5)) == 0


ZONES = depth.sample(
    ["America/Chicago", "Australia/Sydney", "UTC"], "zones of a year without files", daily=1
)


@pytest.mark.daily_share(1 / 4)
@pytest.mark.parametrize("zone", ZONES)
def test_a_year_without_files_is_reported_on_exactly_the_expected_days(
    school: District, zone: str
) -> None:
    District.objects.filter(pk=school.pk).update(time_zone=zone)
    start = datetime(2026, 8, 2, 20, tzinfo=UTC)
    FileSchedule.objects.update(since=start)
    UpdateJob.objects.update(received_at=start - timedelta(days=30))
    schedules.add_pause(school, Pause(date(2026, 12, 21), date(2027, 1, 3)), start)
    step = depth.choose(daily=11, nightly=5)
    for hours in range(0, 24 * 365, step):
        now = start + timedelta(hours=hours)
        if hours % (step * 48) == 0:
            now -= timedelta(hours=1)  # a clock that is set back now and then
        missing_files.check(now)
    days = list(MissedFile.objects.order_by("day").values_list("day", flat=True))
    first = date(2026, 8, 3)
    if zone == "Australia/Sydney":
        first = date(2026, 8, 4)  # 6:00 AM on August 3 was on August 2 in UTC
    wanted = [
        day
        for day in (first + timedelta(days=number) for number in range(365))
        if day.weekday() < 5 and not date(2026, 12, 21) <= day <= date(2027, 1, 3)
    ]
    assert days == wanted[: len(days)]
    assert len(wanted) - len(days) <= 1
    missing = [kind for kind, _ in told() if kind == AccountMailKind.FILE_MISSING]
    assert len(missing) == len(days)
    announced = [kind for kind, _ in told() if kind != AccountMailKind.FILE_MISSING]
    assert announced == [AccountMailKind.PAUSE_BEGINS, AccountMailKind.PAUSE_ENDS]


def test_nobody_is_told_during_a_pause_or_a_suspension(school: District) -> None:
    schedules.add_pause(school, Pause(date(2026, 11, 2), date(2026, 11, 2)), SUNDAY)
    assert missing_files.check(LATE) == 0
    tuesday = LATE + timedelta(days=1)
    District.objects.filter(pk=school.pk).update(suspended_at=SUNDAY)
    assert missing_files.check(tuesday) == 0
    District.objects.filter(pk=school.pk).update(suspended_at=None)
    assert missing_files.check(tuesday) == 1


def test_a_pause_is_announced_the_day_before_and_its_end_on_the_last_day(
    school: District,
) -> None:
    schedules.add_pause(school, Pause(date(2026, 11, 4), date(2026, 11, 6)), SUNDAY)
    AccountMail.objects.all().delete()
    tuesday_at_eight = datetime(2026, 11, 3, 14, tzinfo=UTC)
    with no_missing_files():
        assert missing_files.check(tuesday_at_eight - timedelta(seconds=1)) == 0
        assert missing_files.check(tuesday_at_eight) == 1
        assert missing_files.check(tuesday_at_eight + timedelta(hours=1)) == 0
        assert missing_files.check(tuesday_at_eight + timedelta(days=1)) == 0
        assert missing_files.check(tuesday_at_eight + timedelta(days=3)) == 1
        assert missing_files.check(tuesday_at_eight + timedelta(days=4)) == 0
    begins, ends = AccountMail.objects.order_by("pk")
    assert (begins.subject_name, begins.notice_detail) == ("2026-11-04", "2026-11-06")
    assert ends.subject_name == "2026-11-09T12:00:00+00:00"


@contextmanager
def no_missing_files() -> Iterator[None]:
    with mock.patch.object(missing_files, "_report_missing", return_value=0):
        yield


def test_those_who_get_all_results_are_told_instead_of_the_managers(school: District) -> None:
    clerk = make_member(school, "clerk@maple.example")
    Member.objects.filter(pk=clerk.pk).update(receives_results=True)
    gone = make_member(school, "gone@maple.example")
    Member.objects.filter(pk=gone.pk).update(receives_results=True, is_active=False)
    assert missing_files.check(LATE) == 1
    assert told() == [(AccountMailKind.FILE_MISSING, clerk.email)]


def test_the_neighbor_hears_nothing(school: District, cedar: District) -> None:
    make_member(cedar, "ops@cedar.example")
    assert missing_files.check(LATE) == 1
    assert missing_files.status(cedar, LATE) is None


def test_without_times_nothing_is_expected_any_more(school: District) -> None:
    assert schedules.save(school, ScheduleSettings(), LATE)
    assert not schedules.save(school, ScheduleSettings(), LATE)
    assert missing_files.check(LATE + timedelta(days=30)) == 0
    assert missing_files.status(school, LATE) is None


@pytest.mark.parametrize(
    ("pause", "reason"),
    [
        (Pause(date(2026, 11, 10), date(2026, 11, 9)), "the last day is before the first day"),
        (Pause(date(2026, 10, 1), date(2026, 10, 31)), "the pause is over; today is Nov 1, 2026"),
        (Pause(date(2027, 1, 1), date(2028, 1, 2)), "a pause can have at most 366 days"),
        (
            Pause(date(2026, 12, 3), date(2026, 12, 9)),
            "it overlaps the pause from Dec 1, 2026 to Dec 3, 2026; remove that one first",
        ),
    ],
)
def test_a_pause_that_makes_no_sense_is_refused(
    school: District, pause: Pause, reason: str
) -> None:
    schedules.add_pause(school, Pause(date(2026, 12, 1), date(2026, 12, 3)), SUNDAY)
    with pytest.raises(ValidationFailed) as refused_pause:
        schedules.add_pause(school, pause, SUNDAY)
    assert refused_pause.value.reasons == [reason]


def test_a_pause_of_one_day_and_one_right_after_another_are_fine(school: District) -> None:
    for first, last in ((3, 3), (4, 5), (1, 2)):
        pause = Pause(date(2026, 12, first), date(2026, 12, last))
        schedules.add_pause(school, pause, SUNDAY)
    assert [pause.first.day for pause in schedules.pauses_of(school)] == [1, 3, 4]
    assert schedules.remove_pause(school, date(2026, 12, 3))
    assert schedules.remove_pause(school, date(2026, 12, 3)) is None


@pytest.mark.parametrize("grace", [-1, 721])
def test_a_grace_out_of_range_is_refused(school: District, grace: int) -> None:
    with pytest.raises(ValidationFailed, match="from 0 to 720 minutes"):
        schedules.save(school, ScheduleSettings(SCHOOL_DAYS, grace), SUNDAY)


def test_the_worker_checks_every_minute(school: District) -> None:
    FileSchedule.objects.update(since=timezone.now() - timedelta(days=9))
    tasks = {task.name: task for task in housekeeping.PERIODIC_TASKS}
    assert tasks["report missing files"].interval_s == 60
    assert tasks["report missing files"].run() == 1
