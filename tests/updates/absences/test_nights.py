"""Students who are no longer in the nightly file: when they are deactivated, and when not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.districts.models import District, School
from rollbook.operations.lifecycle import erasure
from rollbook.students.models import Absence, Change, Student
from rollbook.updates import retention, runner, transitions
from rollbook.updates.cancel import cancel
from rollbook.updates.models import MissingStudents, UpdateJob
from rollbook.updates.reporting import missing_students
from rollbook.updates.reporting.report import Report
from rollbook.updates.state_machine import Mode, State
from tests.updates.absences.nights import (
    file_with,
    inactive,
    missing,
    night,
    row,
    sent,
    set_status,
    statuses,
)
from tests.updates.absences.roster_of_twenty import HERE, KEYS, codes, rows, school_of
from tests.updates.night import (
    finish,
    history,
    known,
    last,
    lift_limits,
    password_of,
    report_of,
    run,
    values_of,
)


def test_a_leaver_goes_on_the_third_night_and_not_before(roster: District) -> None:
    seen = []
    for number in range(1, 4):
        report = night(roster, number, rows(["s00"]))
        seen.append((report.deactivated, inactive(roster), missing(roster)))
    assert seen == [(0, set(), {"s00": 1}), (0, set(), {"s00": 2}), (1, {"s00"}, {})]
    assert history(roster, "s00")[-1] == ("STATUS", "active", "inactive")
    report = night(roster, 4, rows(["s00"]))
    assert (report.deactivated, report.unchanged) == (0, 19)
    assert "s00" not in known(roster)


class Thirty:
    """Thirty nights: what each file contains, and who is inactive after it."""

    def __init__(self, district: District) -> None:
        self.district = district
        self.gone: set[str] = set()
        self.other: dict[str, str] = {}
        self.inactive: set[str] = set()

    def night(self, number: float, *, size: int = len(KEYS)) -> Report:
        report = night(self.district, number, rows(self.gone, **self.other)[:size])
        assert inactive(self.district) == self.inactive, f"night {number}"
        return report


def test_thirty_nights(roster: District) -> None:
    lift_limits(roster)
    nights = Thirty(roster)
    password = password_of(roster, "s03")
    nights.night(1)
    nights.night(2)
    # s00 leaves, s01 is rejected every night, and the row of s02 has too many cells.
    nights.gone |= {"s00"}
    nights.other["s01"] = row("s01", grade="99")
    nights.night(3)
    nights.other["s02"] = f"{row('s02')},x,y"
    nights.night(4)
    nights.inactive |= {"s00"}
    assert nights.night(5).deactivated == 1
    assert nights.night(6).rejected == 2
    # s03 is missing for a night, then for three, and returns later.
    nights.gone |= {"s03"}
    nights.night(7)
    nights.gone -= {"s03"}
    nights.night(8)
    assert missing(roster) == {}
    nights.gone |= {"s03"}
    nights.night(9)
    nights.night(10)
    nights.inactive |= {"s03"}
    assert nights.night(11).deactivated == 1
    # School 200 is missing for three nights: nobody there is counted.
    there = set(KEYS) - set(HERE)
    nights.gone |= there
    for number in (12, 13, 14):
        assert "school_without_rows" in codes(nights.night(number))
    nights.gone -= there
    nights.gone -= {"s03"}
    nights.inactive -= {"s03"}
    assert nights.night(15).updated == 1
    assert password_of(roster, "s03") == password
    # A file that was cut off counts nobody, or everybody it lacks once.
    assert "absences_few_named" in codes(nights.night(16, size=8))
    assert missing(roster) == {}
    nights.night(17, size=15)
    assert set(missing(roster).values()) == {1}
    nights.night(18)
    assert missing(roster) == {}
    # Two files a night count once.
    nights.gone |= {"s04"}
    nights.night(19)
    nights.night(19.1)
    nights.night(20)
    nights.night(20.1)
    assert missing(roster) == {"s04": 2}
    nights.inactive |= {"s04"}
    nights.night(21)
    # s05 is absent, back, deactivated by hand, and back.
    nights.gone |= {"s05"}
    nights.night(22)
    nights.night(23)
    nights.inactive |= {"s05"}
    nights.night(24)
    nights.gone -= {"s05"}
    nights.inactive -= {"s05"}
    assert "inactive_but_named" not in codes(nights.night(25))
    set_status(roster, "s05", "inactive")
    nights.inactive |= {"s05"}
    assert "inactive_but_named" in codes(nights.night(26))
    nights.gone |= {"s05"}
    assert nights.night(27).deactivated == 0
    set_status(roster, "s05", "active")
    nights.inactive -= {"s05"}
    nights.night(28)
    nights.night(29)
    nights.inactive |= {"s05"}
    assert nights.night(30).deactivated == 1
    assert set(statuses(roster)) == set(KEYS)


def test_who_returns_keeps_groups_username_and_password(roster: District) -> None:
    header = "STUDENT_ID,GROUPS,USERNAME,PASSWORD\ns00,Band,cleo,Secret007x"
    run(roster, header)
    before = values_of(roster, "s00", "GROUPS", "USERNAME"), password_of(roster, "s00")
    for number in range(1, 4):
        night(roster, number, rows(["s00"]))
    assert inactive(roster) == {"s00"}
    assert (values_of(roster, "s00", "GROUPS", "USERNAME"), password_of(roster, "s00")) == before
    report = night(roster, 4, rows(s00=row("s00", grade="5")), mode=Mode.UPDATE)
    assert (report.updated, codes(report)) == (1, set())
    assert values_of(roster, "s00", "STATUS", "GRADE") == ("active", "5")
    assert (values_of(roster, "s00", "GROUPS", "USERNAME"), password_of(roster, "s00")) == before
    assert not Absence.objects.exists()


def test_a_status_in_the_row_of_who_returns_applies_instead(roster: District) -> None:
    for number in range(1, 4):
        night(roster, number, rows(["s00"]))
    run(roster, "STUDENT_ID,STATUS\ns00,inactive")
    assert inactive(roster) == {"s00"}
    run(roster, "STUDENT_ID,STATUS\ns00,active")
    assert inactive(roster) == set()


def test_several_rows_of_who_returns_reactivate(roster: District) -> None:
    for number in range(1, 4):
        night(roster, number, rows(["s00"]))
    report = night(roster, 4, [*rows(), row("s00", "100")])
    assert (inactive(roster), codes(report)) == (set(), {"duplicate_row"})


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize(
    "damaged",
    [
        row("s00", grade="99"),
        f"{row('s00')},x,y",
        "zz,s00,Other,,,,,,",
        'zz,"Fa, s00; x",Other,,,,,,',
        row("s00").replace("s00", "").replace(",f,", ",q,"),
    ],
    ids=["rejected", "too many cells", "another column", "within a cell", "name and birth date"],
)
def test_a_rejected_row_keeps_its_student(roster: District, damaged: str) -> None:
    for number in range(1, 5):
        report = night(roster, number, [*rows(["s00"]), damaged])
        assert (report.rejected, report.absences and report.absences.not_counted) == (1, "")
        assert missing(roster) == {}
    assert inactive(roster) == set()


def test_a_row_that_is_rejected_last_of_all_names_who_has_its_key(roster: District) -> None:
    username = values_of(roster, "s00", "USERNAME")[0]
    new = f"STUDENT_ID,USERNAME,{file_with([]).partition(',')[2]}"
    text = [new, *(each.replace(",", ",,", 1) for each in rows(["s00"]))]
    text.append(row("new").replace(",", f",{username},", 1))
    report = finish(sent(roster, "\n".join(text), 1))
    assert codes(report) == {"username_taken"}
    assert missing(roster) == {}


def test_too_many_rejected_rows_count_nobody(roster: District) -> None:
    damaged = ["z1,,,,,,,,", "z2,,,,,,,,"]
    report = night(roster, 1, [*rows(["s00"]), *damaged])
    assert "absences_many_rejected" in codes(report)
    assert missing(roster) == {}


def test_a_file_that_corrects_another_counts_nobody_and_ends_counts(roster: District) -> None:
    night(roster, 1, rows(["s00", "s19"], s01=row("s01", grade="99")))
    header, *others = file_with(rows(["s19"])).splitlines()
    lines = [f"{header},_LINE_OF_UPDATE_2", *(f"{other},{9}" for other in others)]
    report = finish(sent(roster, "\n".join(lines), 2))
    assert report.corrects == 2
    assert "absences_repeated_rows" in codes(report)
    assert missing(roster) == {"s19": 1}


def test_an_update_in_another_mode_counts_nobody(roster: District) -> None:
    report = night(roster, 1, rows(["s00"]), mode=Mode.ADD)
    assert (report.absences, missing(roster)) == (None, {})


def test_an_empty_export_is_refused(roster: District) -> None:
    report = finish(sent(roster, file_with([]), 1))
    assert report.state is State.REFUSED
    assert missing(roster) == {}


def test_a_school_that_is_merged_into_another_loses_nobody_who_was_moved(
    roster: District,
) -> None:
    moved = {key: row(key, "200") for key in HERE[1:]}
    for number in range(1, 5):
        report = night(roster, number, rows([HERE[0]], **moved))
        assert "school_without_rows" in codes(report)
    assert (inactive(roster), missing(roster)) == (set(), {})
    School.objects.get(district=roster, organization_id="100").student_set.update(
        school=School.objects.get(district=roster, organization_id="200")
    )
    for number in range(5, 8):
        night(roster, number, rows([HERE[0]], **moved))
    assert inactive(roster) == {HERE[0]}


def test_the_member_who_sent_the_file_may_be_gone_when_it_is_applied(
    roster: District, manager: Member
) -> None:
    for number in (1, 2):
        night(roster, number, rows(["s00"]))
    update = sent(roster, file_with(rows(["s00"])), 3, member=manager)
    steps = runner.run_steps(update.pk)
    while UpdateJob.objects.get(pk=update.pk).state != State.APPLYING:
        next(steps)
    Member.objects.filter(pk=manager.pk).update(is_active=False)
    for _ in steps:
        pass
    assert report_of(update).deactivated == 1
    assert Change.objects.get(field="STATUS").member == manager


def test_a_canceled_update_counts_nothing_and_keeps_who_is_deactivated(roster: District) -> None:
    for number in (1, 2):
        night(roster, number, rows(["s00", "s01"]))
    update = sent(roster, file_with(rows(["s00", "s01", "s02"])), 3)
    steps = runner.run_steps(update.pk)
    while UpdateJob.objects.get(pk=update.pk).rows_deactivated == 0:
        next(steps)
    cancel(roster, update.number)
    with pytest.raises(transitions.Fenced):
        for _ in steps:
            pass
    assert inactive(roster) == {"s00", "s01"}
    assert missing(roster) == {}
    night(roster, 4, rows(["s02"]))
    assert (inactive(roster), missing(roster)) == (set(), {"s02": 1})


def test_a_district_chooses_after_how_many_files_and_days(roster: District) -> None:
    roster.absent_files, roster.absent_days = 2, 5
    roster.save()
    for number in (1, 2, 3):
        night(roster, number, rows(["s00"]))
    assert inactive(roster) == set()
    night(roster, 6, rows(["s00"]))
    assert inactive(roster) == {"s00"}


def test_days_are_those_of_the_district(roster: District) -> None:
    """The first night is at 08:00 UTC, which is 01:00 in Los Angeles."""
    roster.time_zone = "America/Los_Angeles"
    roster.save()
    night(roster, 1, rows(["s00"]))
    night(roster, 1.5, rows(["s00"]))
    assert missing(roster) == {"s00": 1}
    night(roster, 1.75, rows(["s00"]))
    assert missing(roster) == {"s00": 1}
    night(roster, 2, rows(["s00"]))
    assert missing(roster) == {"s00": 2}


def test_a_missing_student_can_be_erased(roster: District) -> None:
    night(roster, 1, rows(["s00", "s01"]))
    student = Student.objects.get(student_id="s00")
    begun = erasure.start(student, timezone.now(), removes_files=False)
    erasure.run(begun, lambda removed: None)
    assert missing(roster) == {"s01": 1}
    assert [each.student.student_id for each in missing_students.all_of(last(roster))] == ["s01"]
    night(roster, 2, rows(["s00", "s01"]))
    assert missing(roster) == {"s01": 2}


def test_who_was_missing_is_removed_with_the_rows_of_an_update(roster: District) -> None:
    night(roster, 1, rows(["s00"]))
    later = timezone.now() + timedelta(days=roster.details_kept_days + 1)
    while retention.remove_expired(later):
        pass
    assert not MissingStudents.objects.exists()
    assert missing(roster) == {"s00": 1}


def test_a_file_of_one_school_counts_only_there(roster: District) -> None:
    there = set(KEYS) - set(HERE)
    report = night(roster, 1, rows([*there, "s00"]))
    assert (codes(report), missing(roster)) == ({"school_without_rows"}, {"s00": 1})
    report = night(roster, 2, rows(HERE))
    assert (codes(report), missing(roster)) == ({"absences_few_named"}, {"s00": 1})


def test_students_without_a_key_are_present_by_name_and_birth_date(roster: District) -> None:
    blank = {key: row(key, school_of(key)).replace(key, "", 1) for key in KEYS[::2]}
    report = night(roster, 1, rows(["s01"], **blank))
    assert (codes(report), missing(roster)) == (set(), {"s01": 1})


def test_rows_without_a_key_and_a_name_count_nobody(roster: District) -> None:
    blank = {key: f",,,2014-01-01,f,4,{school_of(key)},n,n" for key in KEYS[::2]}
    report = night(roster, 1, rows(["s01"], **blank))
    assert report.rejected == len(blank)
    assert codes(report) & {"absences_few_named", "absences_many_rejected"}
    assert missing(roster) == {}
