"""``rollbook apply``: differences, problems, and that applying twice changes nothing."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rollbook.accounts.models import AccountMail, AuditEvent, Member
from rollbook.districts.models import District, School
from rollbook.students.models import Group
from tests.cli.conftest import Result, Rollbook
from tests.conftest import make_member

pytestmark = pytest.mark.django_db

Apply = Callable[..., Result]

MAPLE = """\
[[district]]
slug = "maple-usd"
name = "Maple USD"
time_zone = "America/Chicago"
encoding = "CP1252"
grade_codes = { "-1" = "PK", "14" = "12" }
reactivates_students = true
files_kept_days = 30
recipients = ["OPS@maple.example"]
schools = [
    { id = "100", name = "Maple  High" },
    { id = "200", name = "Maple Middle" },
]

[[district.staff]]
email = "Ops@maple.example"
first_name = "Ana"
last_name = "Ruiz"
role = "district manager"

[[district.staff]]
email = "ben@maple.example"
first_name = "Ben"
last_name = "Cole"
role = "School Manager"
schools = ["200"]
"""

ADDED = [
    "maple-usd: district added: Maple USD",
    "maple-usd: school 100 added: Maple High",
    "maple-usd: school 200 added: Maple Middle",
    "maple-usd: staff ops@maple.example invited as district manager",
    "maple-usd: staff ben@maple.example invited as school manager",
    "maple-usd: recipient added: ops@maple.example",
    "maple-usd: time zone: UTC → America/Chicago",
    "maple-usd: encoding: utf-8 → cp1252",
    "maple-usd: grade codes: none → -1 = pk and 14 = 12",
    "maple-usd: inactive students in files reactivated: no → yes",
    "maple-usd: days to keep files: 14 → 30",
]


@pytest.fixture
def apply(rollbook: Rollbook, tmp_path: Path) -> Apply:
    """Return a function that applies this text as a file."""

    def call(text: str, *options: str) -> Result:
        path = tmp_path / "districts.toml"
        path.write_text(text, encoding="utf-8")
        result = rollbook("apply", path, *options)
        return Result(result.code, result.out.replace(f"{path}, ", ""), result.err)

    return call


def everything() -> list[object]:
    """Return the rows of all tables that a file could change."""
    tables = (District, School, Group, Member, Member.schools.through, AccountMail, AuditEvent)
    return [list(table.objects.order_by("pk").values()) for table in tables]


def test_districts_are_set_up_and_applying_again_changes_nothing(apply: Apply) -> None:
    result = apply(MAPLE)
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [*ADDED, "", "Made 11 changes."]
    assert list(AuditEvent.objects.order_by("pk").values_list("action", "detail")) == [
        ("apply", line.removeprefix("maple-usd: ")) for line in ADDED
    ]
    assert AccountMail.objects.filter(kind="invitation").count() == 2
    assert Member.objects.get(email="ben@maple.example").schools.get().organization_id == "200"
    assert Group.objects.count() == 2
    before = everything()
    again = apply(MAPLE)
    assert again.out == "Everything is as the file describes it; nothing was changed.\n"
    assert everything() == before


def test_a_plan_changes_nothing(apply: Apply) -> None:
    result = apply(MAPLE, "--plan")
    lines = [*ADDED, "", "11 changes would be made. Nothing was changed."]
    assert (result.code, result.out.splitlines()) == (0, lines)
    assert everything() == [[]] * 7
    output = json.loads(apply(MAPLE, "--plan", "--json").out)
    assert not output["applied"]
    assert len(output["changes"]) == 11
    assert json.loads(apply(MAPLE, "--json").out)["applied"]


def test_only_what_differs_is_changed_and_nothing_is_removed(apply: Apply) -> None:
    apply(MAPLE)
    cora = make_member(District.objects.get(), "cora@maple.example")
    Member.objects.filter(pk=cora.pk).update(receives_results=True)
    result = apply("""
        [[district]]
        slug = "maple-usd"
        name = "Maple Unified"
        schools = [{ id = "200", name = "Maple Middle School" }, { id = "300", name = "New" }]
        recipients = ["ben@maple.example"]

        [[district.staff]]
        email = "ben@maple.example"
        first_name = "Benjamin"
        last_name = "Cole"
        role = "school manager"
        schools = ["300", "200"]
    """)
    assert result.out.splitlines() == [
        "maple-usd: name: Maple USD → Maple Unified",
        "maple-usd: school 200: Maple Middle → Maple Middle School",
        "maple-usd: school 300 added: New",
        "maple-usd: staff ben@maple.example: first name: Ben → Benjamin",
        "maple-usd: staff ben@maple.example: schools: 200 → 200, 300",
        "maple-usd: recipient added: ben@maple.example",
        "",
        "Made 6 changes.",
    ]
    assert School.objects.count() == 3
    assert Member.objects.filter(receives_results=True).count() == 3
    assert District.objects.get().encoding == "cp1252"


def test_a_role_is_changed_but_the_last_manager_stays(apply: Apply, manager: Member) -> None:
    text = MAPLE.replace('role = "district manager"', 'role = "school manager"\nschools = ["100"]')
    result = apply(text)
    assert result.code == 1
    assert result.out.startswith(
        "district 1 (maple-usd), staff 1: Ana Ruiz is the last district manager who can sign in;"
    )
    assert not AuditEvent.objects.exists()
    make_member(manager.district, "dora@maple.example")
    assert "role: district manager → school manager\n" in apply(text).out
    manager.refresh_from_db()
    assert manager.role.name == "school manager"


PROBLEMS = {
    "not TOML": ("[[district]\n", "the file: it isn't TOML: "),
    "another table": (
        "[[districts]]\n[[district]]\nslug = 'm'\nname = 'M'",
        "the file, districts: there is no such field; use district",
    ),
    "no list": ("[district]\n", "the file, district: it must be a list"),
    "no slug": ('[[district]]\nname = "M"', "district 1, slug: it is missing"),
    "bad slug": (
        '[[district]]\nslug = "Maple USD"\nname = "M"',
        "district 1 (Maple USD), slug: a short name consists of a–z, 0–9",
    ),
    "bad name": (
        '[[district]]\nslug = "m"\nname = " "',
        "district 1 (m), name: the name of a district must have 1 to 100 printable characters",
    ),
    "twice": (
        MAPLE + '[[district]]\nslug = "maple-usd"\nname = "M"',
        "district 2 (maple-usd), slug: 'maple-usd' is in the file twice",
    ),
    "unknown field": (
        MAPLE.replace("time_zone", "timezone"),
        "district 1 (maple-usd), timezone: there is no such field; use slug, name, time_zone,",
    ),
    "time zone": (
        MAPLE.replace("America/Chicago", "America/Chikago"),
        "district 1 (maple-usd), time_zone: 'America/Chikago' isn't a time zone",
    ),
    "type": (
        MAPLE.replace("files_kept_days = 30", 'files_kept_days = "30"'),
        "district 1 (maple-usd), files_kept_days: it must be a number",
    ),
    "truth is no number": (
        MAPLE.replace("files_kept_days = 30", "files_kept_days = true"),
        "district 1 (maple-usd), files_kept_days: it must be a number",
    ),
    "too long": (
        MAPLE.replace("files_kept_days = 30", "files_kept_days = 366"),
        "district 1 (maple-usd), files_kept_days: 366 isn't a number from 1 to 365",
    ),
    "encoding": (
        MAPLE.replace("CP1252", "klingon"),
        "district 1 (maple-usd), encoding: ",
    ),
    "grade": (
        MAPLE.replace('"14" = "12"', '"14" = "99"'),
        "district 1 (maple-usd), grade_codes: '99' isn't a grade; use PK, K, T1, 1–13, UG or Adult",
    ),
    "school": (
        MAPLE.replace('id = "200"', 'id = ""'),
        "district 1 (maple-usd), school 2",
    ),
    "school twice": (
        MAPLE.replace('id = "200"', 'id = "100"'),
        "district 1 (maple-usd), school 2, id: the School ID '100' is in the file twice",
    ),
    "school without a name": (
        MAPLE.replace(', name = "Maple Middle"', ""),
        "district 1 (maple-usd), school 2, name: it is missing",
    ),
    "email": (
        MAPLE.replace("ben@maple.example", "ben"),
        "district 1 (maple-usd), staff 2: 'ben' isn't an email address",
    ),
    "role": (
        MAPLE.replace("School Manager", "boss"),
        "district 1 (maple-usd), staff 2: there is no role 'boss'; the roles are",
    ),
    "unknown school": (
        MAPLE.replace('schools = ["200"]', 'schools = ["300"]'),
        "district 1 (maple-usd), staff 2: there is no school '300' in this district",
    ),
    "number as school": (
        MAPLE.replace('schools = ["200"]', "schools = [200]"),
        "district 1 (maple-usd), staff 2, schools: each item must be a text",
    ),
    "recipient": (
        MAPLE.replace("OPS@maple.example", "nobody@maple.example"),
        "district 1 (maple-usd), recipients: nobody@maple.example is not an active member",
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_one_bad_entry_refuses_the_whole_file(apply: Apply, name: str) -> None:
    text, problem = PROBLEMS[name]
    good = '[[district]]\nslug = "cedar-county"\nname = "Cedar"\n'
    for options in ((), ("--plan",)):
        result = apply(text, *options)
        assert (result.code, result.err) == (1, "")
        assert result.out.startswith(problem), result.out
        assert "\nNothing was changed: " in result.out
    assert apply(good + text).code == 1
    assert everything() == [[]] * 7


def test_a_file_without_a_district_is_refused(apply: Apply) -> None:
    assert apply("").out.startswith("the file, district: it is missing\n")


def test_every_problem_is_reported(apply: Apply) -> None:
    text = MAPLE.replace("ben@maple.example", "ben").replace("America/Chicago", "Mars")
    assert apply(text).out.endswith("\nNothing was changed: 2 problems.\n")


def test_a_member_of_another_district_is_invited_like_others(
    apply: Apply, neighbor: Member
) -> None:
    assert apply(MAPLE.replace("ben@maple.example", neighbor.email)).code == 0
    assert Member.objects.filter(email=neighbor.email).count() == 2


def test_text_that_is_not_utf_8_is_named_with_its_line(rollbook: Rollbook, tmp_path: Path) -> None:
    path = tmp_path / "districts.toml"
    path.write_bytes("[[district]]\nname = 'Ō'".encode("utf-16-le"))
    assert rollbook("apply", path).code == 1
    path.write_bytes(b"[[district]]\r\nname = '\xe9'")
    assert rollbook("apply", path).out.startswith(f"{path}, line 2: it isn't UTF-8; save the file")
    path.write_bytes(b"\xef\xbb\xbf[[district]]\r\nslug = 'm'\r\nname = 'M'\r\n")
    assert rollbook("apply", path).code == 0
