"""What a member may be allowed to do, which of it each type of role can have, and who may give it to whom."""

from collections.abc import Mapping
from enum import StrEnum


class Permission(StrEnum):
    """One thing a member may be allowed to do."""

    SEE_STUDENTS = "see students"
    UPDATE_STUDENTS = "update students"
    EDIT_STUDENTS = "edit students"
    MANAGE_GROUPS = "manage groups"
    MANAGE_STAFF = "manage staff"
    MANAGE_ROLES = "manage roles"
    MANAGE_SCHOOLS = "manage schools"
    MANAGE_SETTINGS = "manage settings"
    SEE_AUDIT = "see the audit"


class RoleType(StrEnum):
    """The three types of role; the standard role of each is called the same."""

    DISTRICT_MANAGER = "district manager"
    SCHOOL_MANAGER = "school manager"
    INSTRUCTOR = "instructor"

    @property
    def is_district_wide(self) -> bool:
        """Whether such a member acts for the whole district; all others have the schools that they cover."""
        return self is RoleType.DISTRICT_MANAGER


POSSIBLE: Mapping[RoleType, tuple[Permission, ...]] = {
    RoleType.DISTRICT_MANAGER: tuple(Permission),
    RoleType.SCHOOL_MANAGER: (
        Permission.SEE_STUDENTS,
        Permission.EDIT_STUDENTS,
        Permission.MANAGE_GROUPS,
        Permission.MANAGE_STAFF,
    ),
    RoleType.INSTRUCTOR: (Permission.SEE_STUDENTS,),
}
"""What a role of each type can have; its standard role has all of that until somebody switches it off."""

ASSIGNED_BY: Mapping[RoleType, tuple[RoleType, ...]] = {
    RoleType.DISTRICT_MANAGER: tuple(RoleType),
    RoleType.SCHOOL_MANAGER: (RoleType.SCHOOL_MANAGER, RoleType.INSTRUCTOR),
    RoleType.INSTRUCTOR: (),
}
"""The types of the roles that a member of each type may give to others."""

MEANINGS: Mapping[RoleType, Mapping[Permission, str]] = {
    RoleType.DISTRICT_MANAGER: {
        Permission.SEE_STUDENTS: "sees all students of the district",
        Permission.UPDATE_STUDENTS: "updates students by files, in the browser and with the three commands",
        Permission.EDIT_STUDENTS: "adds, edits, transfers and deactivates students by hand",
        Permission.MANAGE_GROUPS: "makes, renames and removes groups, and says who is in them",
        Permission.MANAGE_STAFF: "invites, changes and deactivates staff",
        Permission.MANAGE_ROLES: "makes and changes roles",
        Permission.MANAGE_SCHOOLS: "adds, renames and closes schools",
        Permission.MANAGE_SETTINGS: "changes the settings of the district",
        Permission.SEE_AUDIT: "sees who did and saw what",
    },
    RoleType.SCHOOL_MANAGER: {
        Permission.SEE_STUDENTS: "sees the students of their schools",
        Permission.EDIT_STUDENTS: "adds, edits, transfers and deactivates students of their schools by hand",
        Permission.MANAGE_GROUPS: "makes, renames and removes groups of their schools, and says who is in them",
        Permission.MANAGE_STAFF: "invites, changes and deactivates the staff of their schools",
    },
    RoleType.INSTRUCTOR: {Permission.SEE_STUDENTS: "sees the students linked to them"},
}
"""What a permission comes to in a role of each type, for whoever chooses one."""
