"""What each role may do."""

import pytest

from rollbook.staff.models import Member
from rollbook.staff.permissions import GRANTED, Permission, Role, is_district_wide, may


@pytest.mark.parametrize(
    ("role", "is_allowed"), [("district manager", True), ("school manager", False), ("instructor", False)]
)
def test_only_district_managers_may_update_students(role: str, is_allowed: bool) -> None:
    assert may(role, Permission.UPDATE_STUDENTS) == is_allowed


def test_every_role_has_its_rights_written_down() -> None:
    assert set(GRANTED) == set(Role)


@pytest.mark.parametrize(
    ("role", "is_wide"), [("district manager", True), ("school manager", False), ("instructor", False)]
)
def test_only_district_managers_act_for_the_whole_district(role: str, is_wide: bool) -> None:
    assert is_district_wide(role) == is_wide


def test_a_member_may_what_the_role_may() -> None:
    assert Member(role="district manager").may(Permission.MANAGE_STAFF)
    assert not Member(role="school manager").may(Permission.MANAGE_STAFF)
