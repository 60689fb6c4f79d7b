"""What each role may do."""

from enum import StrEnum


class Permission(StrEnum):
    """One thing a member may be allowed to do."""

    UPDATE_STUDENTS = "update students"
    MANAGE_STAFF = "manage staff"
    SEE_DISTRICT = "see the district's students"
    SEE_SCHOOLS = "see the students of their schools"
    SEE_OWN_STUDENTS = "see the students linked to them"


class Role(StrEnum):
    """The three standard roles."""

    DISTRICT_MANAGER = "district manager"
    SCHOOL_MANAGER = "school manager"
    INSTRUCTOR = "instructor"


GRANTED: dict[Role, frozenset[Permission]] = {
    Role.DISTRICT_MANAGER: frozenset({Permission.UPDATE_STUDENTS, Permission.MANAGE_STAFF, Permission.SEE_DISTRICT}),
    Role.SCHOOL_MANAGER: frozenset({Permission.SEE_SCHOOLS}),
    Role.INSTRUCTOR: frozenset({Permission.SEE_OWN_STUDENTS}),
}


def may(role: str, permission: Permission) -> bool:
    """Whether a member of this role may do this."""
    return permission in GRANTED[Role(role)]


def is_district_wide(role: str) -> bool:
    """Whether a member of this role acts for the whole district; all others have the schools that they cover."""
    return may(role, Permission.SEE_DISTRICT)
