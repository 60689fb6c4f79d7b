"""``rollbook district add`` and ``rollbook district set``."""

import pytest

from rollbook.accounts.models import AccountMail, AuditEvent, Member
from rollbook.districts.models import District
from rollbook.system_accounts import command_agent
from tests.cli.conftest import Rollbook
from tests.conftest import make_member

pytestmark = pytest.mark.django_db


def test_a_new_district_has_a_short_name(rollbook: Rollbook) -> None:
    result = rollbook("district", "add", "Maple USD", "--time-zone", "America/Chicago")
    assert (result.code, result.out, result.err) == (
        0,
        "Added Maple USD with time zone America/Chicago. Its short name is maple-usd.\n",
        "",
    )
    district = District.objects.get()
    assert (district.name, district.slug, district.time_zone) == (
        "Maple USD",
        "maple-usd",
        "America/Chicago",
    )


def test_a_name_in_another_script_has_a_short_name_too(rollbook: Rollbook) -> None:
    assert "short name is district-1." in rollbook("district", "add", "学区").out


def test_a_second_district_with_the_same_short_name_is_an_error(
    rollbook: Rollbook, maple: District
) -> None:
    result = rollbook("district", "add", "maple usd")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "ERROR district_exists: there is already a district maple-usd, Maple USD; "
        "choose another name\n"
    )
    assert District.objects.count() == 1


@pytest.mark.statement("S50")
@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "Maple\x07USD"])
def test_a_name_that_a_mail_header_cannot_contain_is_an_error(
    rollbook: Rollbook, name: str
) -> None:
    result = rollbook("district", "add", name)
    assert (result.code, District.objects.count()) == (1, 0)
    assert result.err.startswith("ERROR bad_name: ")


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("Chicago", "did you mean America/Chicago?"),
        ("america/chicago", "did you mean America/Chicago?"),
        ("America/Chcago", "did you mean America/Chicago?"),
        ("the moon", "use a name such as America/Chicago"),
    ],
)
def test_an_unknown_time_zone_is_an_error_that_suggests_the_closest_one(
    rollbook: Rollbook, zone: str, hint: str
) -> None:
    result = rollbook("district", "add", "Maple USD", "--time-zone", zone)
    assert (result.code, result.err) == (
        1,
        f"ERROR unknown_time_zone: there is no time zone '{zone}'; {hint}\n",
    )
    assert not District.objects.exists()


def test_all_settings_are_changed_together(
    rollbook: Rollbook, maple: District, manager: Member
) -> None:
    result = rollbook(
        "district",
        "set",
        "maple-usd",
        "--encoding",
        "CP1252",
        "--notify",
        "OPS@maple.example",
        "--time-zone",
        "UTC",
    )
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "Times of Maple USD are shown in UTC.\n"
        "Student files of Maple USD are read as cp1252 unless they specify another encoding.\n"
        "The results of every update of Maple USD go to ops@maple.example.\n"
    )
    maple.refresh_from_db()
    manager.refresh_from_db()
    assert (maple.encoding, maple.time_zone, manager.receives_results) == ("cp1252", "UTC", True)


def test_notify_without_an_address_empties_the_list(
    rollbook: Rollbook, maple: District, manager: Member
) -> None:
    rollbook("district", "set", "maple-usd", "--notify", manager.email)
    result = rollbook("district", "set", "maple-usd", "--notify")
    assert result.out == (
        "The results of an update of Maple USD go only to the person who started it.\n"
    )
    assert not Member.objects.filter(receives_results=True).exists()


def test_one_invalid_setting_changes_none(rollbook: Rollbook, maple: District) -> None:
    result = rollbook(
        "district", "set", "maple-usd", "--encoding", "cp1252", "--notify", "nobody@maple.example"
    )
    assert result.code == 1
    assert result.err == (
        "ERROR not_a_member: nobody@maple.example is not an active member of this district; "
        "add them with `rollbook staff add maple-usd ...`, or correct the address\n"
    )
    maple.refresh_from_db()
    assert maple.encoding == "utf-8"


def test_members_of_the_neighbor_receive_nothing(
    rollbook: Rollbook, maple: District, neighbor: Member
) -> None:
    assert rollbook("district", "set", "maple-usd", "--notify", neighbor.email).code == 1
    neighbor.refresh_from_db()
    assert not neighbor.receives_results


def test_an_unknown_encoding_is_an_error(rollbook: Rollbook, maple: District) -> None:
    result = rollbook("district", "set", "maple-usd", "--encoding", "klingon")
    assert result.code == 1
    assert result.err.startswith(
        "ERROR unknown_encoding: 'klingon' is not an encoding for student files; use "
    )


def test_rules_for_student_files_are_set(
    rollbook: Rollbook, maple: District, cedar: District
) -> None:
    options = ("--date-order", "dmy", "--reactivate-students", "yes")
    result = rollbook("district", "set", "maple-usd", *options, "--grade-codes", "-1 = PK, 14=12")
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "Dates in student files of Maple USD are read with the day first.\n"
        "Grade codes in student files of Maple USD: -1 = pk and 14 = 12.\n"
        "Inactive students of Maple USD who appear in a file are reactivated.\n"
    )
    maple.refresh_from_db()
    assert (maple.date_order, maple.reactivates_students) == ("dmy", True)
    assert maple.grade_codes == {"-1": "pk", "14": "12"}
    back = ("--date-order", "mdy", "--reactivate-students", "no", "--grade-codes", "")
    result = rollbook("district", "set", "maple-usd", *back)
    assert result.out == (
        "Dates in student files of Maple USD are read with the month first.\n"
        "Grade codes in student files of Maple USD: none.\n"
        "Inactive students of Maple USD who appear in a file stay inactive.\n"
    )
    maple.refresh_from_db()
    assert (maple.date_order, maple.reactivates_students, maple.grade_codes) == ("mdy", False, {})
    cedar.refresh_from_db()
    assert cedar.date_order == "mdy"


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        ("PK3", "'PK3' isn't a code and a grade, such as -1 = PK"),
        ("x = 14", "'14' isn't a grade; use PK, K, T1, 1–13, UG or Adult"),
        ("x = 1, X = 2", "the code 'X' has two grades; keep one of them"),
    ],
)
def test_invalid_grade_codes_are_an_error(
    rollbook: Rollbook, maple: District, codes: str, reason: str
) -> None:
    result = rollbook("district", "set", "maple-usd", "--date-order", "dmy", "--grade-codes", codes)
    assert (result.code, result.err) == (1, f"ERROR bad_grade_codes: {reason}\n")
    maple.refresh_from_db()
    assert (maple.date_order, maple.grade_codes) == ("mdy", {})


def test_limits_of_invitations_and_kept_files_are_set(
    rollbook: Rollbook, maple: District, cedar: District
) -> None:
    result = rollbook("district", "set", "maple-usd", "--invitations-per-day", "3")
    assert result.out == "Maple USD can send 3 invitations in 24 hours.\n"
    result = rollbook("district", "set", "maple-usd", "--kept-gb", "50")
    assert result.out == "The files of Maple USD that are kept can take 50 GB.\n"
    for district, limits in ((maple, (3, 50_000_000_000)), (cedar, (2000, 20_000_000_000))):
        district.refresh_from_db()
        assert (district.invitations_per_day, district.kept_bytes_limit) == limits


RETENTION = {
    "files_kept_days": 7,
    "details_kept_days": 60,
    "audit_kept_years": 5,
    "history_kept_days": 400,
    "leavers_kept_days": 365,
    "staff_kept_days": 0,
}


@pytest.mark.statement("S41", "S49")
def test_retention_times_are_set_and_the_managers_get_a_notice(
    rollbook: Rollbook, manager: Member, cedar: District
) -> None:
    options = [(f"--{name.replace('_', '-')}", str(value)) for name, value in RETENTION.items()]
    result = rollbook("district", "set", "maple-usd", *[word for pair in options for word in pair])
    assert (result.code, result.err) == (0, "")
    assert "Days to keep students who left of Maple USD: 365.\n" in result.out
    assert "Days to keep former staff members of Maple USD: nothing is removed.\n" in result.out
    district = District.objects.get(slug="maple-usd")
    assert {name: getattr(district, name) for name in RETENTION} == RETENTION
    notice = AccountMail.objects.get()
    assert (notice.member, notice.notice, notice.actor) == (manager, "settings changed", None)
    assert "days to keep files: 14 → 7" in notice.notice_detail


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--leavers-kept-days", "5"), "5 isn't a number from 30 to 3,660 or 0"),
        (("--files-kept-days", "0"), "0 isn't a number from 1 to 365"),
        (("--history-kept-days", "89"), "89 is less than the 90 days for which rows and problems"),
    ],
)
def test_retention_times_outside_the_limits_change_nothing(
    rollbook: Rollbook, manager: Member, options: tuple[str, str], reason: str
) -> None:
    result = rollbook("district", "set", "maple-usd", "--encoding", "cp1252", *options)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"ERROR bad_settings: {reason}")
    assert District.objects.get(slug="maple-usd").encoding == "utf-8"
    assert not AccountMail.objects.exists()


@pytest.mark.statement("S49")
def test_changed_recipients_are_reported(rollbook: Rollbook, manager: Member) -> None:
    eve = make_member(manager.district, "eve@maple.example")
    assert rollbook("district", "set", "maple-usd", "--notify", "eve@maple.example").code == 0
    queued = AccountMail.objects.select_related("member")
    assert {(mail.member, mail.notice, mail.notice_detail) for mail in queued} == {
        (manager, "recipients changed", "1 added, 0 removed"),
        (eve, "recipients changed", "1 added, 0 removed"),
        (eve, "recipient changed", "get them now"),
    }
    AccountMail.objects.all().delete()
    assert rollbook("district", "set", "maple-usd", "--notify", "eve@maple.example").code == 0
    assert not AccountMail.objects.exists()


def test_nothing_to_set_is_a_usage_error(rollbook: Rollbook, maple: District) -> None:
    result = rollbook("district", "set", "maple-usd")
    assert (result.code, result.err) == (
        2,
        "ERROR nothing_to_set: use at least one of --time-zone, --encoding, --date-order, "
        "--grade-codes, --reactivate-students, --notify, "
        "--invitations-per-day, --kept-gb, --files-kept-days, --details-kept-days, "
        "--audit-kept-years, --history-kept-days, --leavers-kept-days, --staff-kept-days\n",
    )


def test_commands_are_recorded_in_the_audit_log(rollbook: Rollbook) -> None:
    rollbook("district", "add", "Maple USD")
    rollbook("district", "set", "maple-usd", "--encoding", "cp1252")
    assert list(
        AuditEvent.objects.order_by("pk").values_list("action", "result", "agent", "detail")
    ) == [
        ("district add", "done", command_agent(), "maple-usd"),
        ("district set", "done", command_agent(), "encoding"),
    ]
