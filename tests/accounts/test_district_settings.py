"""The settings of a district, and their limits."""

from dataclasses import replace

import pytest
from django.db import IntegrityError, transaction

from rollbook.accounts import district_settings
from rollbook.accounts.district_settings import InvalidSettings, time_zones
from rollbook.accounts.models import Member
from rollbook.districts.models import District
from tests.conftest import make_member


@pytest.fixture
def colleague(maple: District) -> Member:
    return make_member(maple, "ana@maple.example")


def rejected(district: District, **values: object) -> dict[str, str]:
    """Return the reasons by field why these settings are not valid; nothing may change."""
    before = district_settings.load_settings(district)
    with pytest.raises(InvalidSettings) as error:
        district_settings.change(district, replace(before, **values))  # type: ignore[arg-type]
    district.refresh_from_db()
    assert district_settings.load_settings(district) == before
    return dict(error.value.reasons)


def test_the_defaults_of_a_new_district(
    db: None,
) -> None:
    settings = district_settings.load_settings(
        District.objects.create(name="Birch ISD", slug="birch-isd")
    )
    assert (settings.files_kept_days, settings.details_kept_days, settings.audit_kept_years) == (
        14,
        90,
        7,
    )
    kept = (settings.history_kept_days, settings.leavers_kept_days, settings.staff_kept_days)
    assert kept == (2562, 0, 0)
    assert (settings.time_zone, settings.encoding, settings.receivers) == (
        "UTC",
        "utf-8",
        frozenset(),
    )
    assert settings.requires_second_factor is False
    assert (settings.date_order, settings.grade_codes) == ("mdy", {})
    assert settings.reactivates_students is False


def test_all_settings_are_changed_and_returned_with_old_values(
    maple: District, manager: Member, colleague: Member
) -> None:
    Member.objects.filter(pk=manager.pk).update(receives_results=True)
    wanted = district_settings.Settings(
        receivers=frozenset({colleague.pk}),
        time_zone="America/Denver",
        encoding="cp1252",
        date_order="dmy",
        grade_codes={"-1": "pk", "14": "12"},
        reactivates_students=True,
        requires_second_factor=True,
        files_kept_days=30,
        details_kept_days=365,
        audit_kept_years=3,
        history_kept_days=400,
        leavers_kept_days=365,
        staff_kept_days=30,
    )
    changed = [str(each) for each in district_settings.change(maple, wanted)]
    assert changed == [
        f"result recipients: member {manager.pk} → member {colleague.pk}",
        "time zone: America/Chicago → America/Denver",
        "encoding: utf-8 → cp1252",
        "date order: mdy → dmy",
        "grade codes: none → -1 = pk and 14 = 12",
        "inactive students in files reactivated: no → yes",
        "two-step verification required: no → yes",
        "days to keep files: 14 → 30",
        "days to keep rows and problems: 90 → 365",
        "years to keep the audit log: 7 → 3",
        "days to keep the history of students: 2562 → 400",
        "days to keep students who left: 0 → 365",
        "days to keep former staff members: 0 → 30",
    ]
    maple.refresh_from_db()
    assert district_settings.load_settings(maple) == wanted
    assert district_settings.change(maple, wanted) == []


def test_a_district_can_have_no_result_recipients(maple: District, manager: Member) -> None:
    Member.objects.filter(pk=manager.pk).update(receives_results=True)
    [changed] = district_settings.change(
        maple, replace(district_settings.load_settings(maple), receivers=frozenset())
    )
    assert str(changed) == f"result recipients: member {manager.pk} → nobody"


def test_inactive_members_get_no_results(
    maple: District, manager: Member, colleague: Member
) -> None:
    Member.objects.filter(pk=colleague.pk).update(is_active=False)
    assert district_settings.possible_recipients(maple) == [manager]
    assert list(rejected(maple, receivers=frozenset({colleague.pk}))) == ["receivers"]


@pytest.mark.statement("S50")
def test_members_of_another_district_get_no_results(
    maple: District, manager: Member, neighbor: Member
) -> None:
    assert district_settings.possible_recipients(maple) == [manager]
    reasons = rejected(maple, receivers=frozenset({manager.pk, neighbor.pk}))
    assert reasons == {
        "receivers": "one of these is not an active member of the district; choose again"
    }
    neighbor.refresh_from_db()
    assert neighbor.receives_results is False


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_zone", "America/Springfield"),
        ("time_zone", "../etc/passwd"),
        ("encoding", "utf-7"),
        ("encoding", "klingon"),
        ("date_order", "mixed"),
        ("date_order", ""),
        ("grade_codes", {"-1": "nursery"}),
        ("grade_codes", {"PK4": "pk"}),
        ("grade_codes", {"3": "4"}),
        ("grade_codes", {"": "4"}),
        ("grade_codes", {f"x{number}": "1" for number in range(41)}),
        ("files_kept_days", 0),
        ("files_kept_days", 366),
        ("details_kept_days", 6),
        ("details_kept_days", 1096),
        ("audit_kept_years", 0),
        ("audit_kept_years", 8),
        ("history_kept_days", 89),  # less than rows and problems
        ("history_kept_days", 3661),
        ("leavers_kept_days", 29),
        ("staff_kept_days", 3661),
    ],
)
def test_invalid_values_are_rejected_and_nothing_is_changed(
    maple: District, field: str, value: object
) -> None:
    assert list(rejected(maple, **{field: value})) == [field]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("files_kept_days", (1, 365)),
        ("details_kept_days", (7, 1095)),
        ("audit_kept_years", (1, 7)),
        ("leavers_kept_days", (30, 3660)),
        ("staff_kept_days", (30, 3660)),
    ],
)
def test_limits_are_allowed_and_enforced_by_the_database(
    maple: District, field: str, values: tuple[int, int]
) -> None:
    for value in values:
        settings = district_settings.load_settings(maple)
        changed = replace(settings, **{field: value})  # type: ignore[arg-type]
        district_settings.change(maple, changed)
    for value in (values[0] - 1, values[1] + 1):
        with pytest.raises(IntegrityError), transaction.atomic():
            District.objects.filter(pk=maple.pk).update(**{field: value})


def test_settings_of_another_district_stay(
    maple: District, cedar: District, manager: Member, neighbor: Member
) -> None:
    Member.objects.filter(pk=neighbor.pk).update(receives_results=True)
    before = district_settings.load_settings(cedar)
    wanted = replace(
        district_settings.load_settings(maple), receivers=frozenset({manager.pk}), files_kept_days=1
    )
    district_settings.change(maple, wanted)
    cedar.refresh_from_db()
    assert district_settings.load_settings(cedar) == before


def test_time_zones_are_named_after_places() -> None:
    assert {"America/Chicago", "Pacific/Honolulu", "UTC"} <= set(time_zones())
    assert not {"localtime", "Factory", "EST5EDT", "Etc/GMT+6"} & set(time_zones())
