"""Permissions, the types of roles that can have them, and who can assign which type."""

from collections.abc import Mapping
from enum import StrEnum


class Permission(StrEnum):
    """An action that a role can allow."""

    SEE_STUDENTS = "see students"
    SEE_CONFIDENTIAL = "see confidential fields"
    UPDATE_STUDENTS = "update students"
    APPROVE_UPDATES = "approve updates"
    EDIT_STUDENTS = "edit students"
    MANAGE_GROUPS = "manage groups"
    MANAGE_STAFF = "manage staff"
    MANAGE_ROLES = "manage roles"
    MANAGE_SCHOOLS = "manage schools"
    MANAGE_SETTINGS = "manage settings"
    SEE_AUDIT = "see the audit"


class RoleType(StrEnum):
    """The types of roles; the standard role of each has the same name."""

    DISTRICT_MANAGER = "district manager"
    SCHOOL_MANAGER = "school manager"
    INSTRUCTOR = "instructor"

    @property
    def is_district_wide(self) -> bool:
        """Whether it applies to the whole district; members with other roles have schools."""
        return self is RoleType.DISTRICT_MANAGER


POSSIBLE_PERMISSIONS: Mapping[RoleType, tuple[Permission, ...]] = {
    RoleType.DISTRICT_MANAGER: tuple(Permission),
    RoleType.SCHOOL_MANAGER: (
        Permission.SEE_STUDENTS,
        Permission.SEE_CONFIDENTIAL,
        Permission.EDIT_STUDENTS,
        Permission.MANAGE_GROUPS,
        Permission.MANAGE_STAFF,
    ),
    RoleType.INSTRUCTOR: (Permission.SEE_STUDENTS, Permission.SEE_CONFIDENTIAL),
}
"""The permissions that a role of each type can have."""

STANDARD_PERMISSIONS: Mapping[RoleType, tuple[Permission, ...]] = {
    **POSSIBLE_PERMISSIONS,
    RoleType.INSTRUCTOR: (Permission.SEE_STUDENTS,),
}
"""The permissions of new standard roles: all, but instructors see no confidential fields."""

NEEDS: Mapping[Permission, Permission] = {
    Permission.SEE_CONFIDENTIAL: Permission.SEE_STUDENTS,
    Permission.UPDATE_STUDENTS: Permission.SEE_STUDENTS,
    Permission.APPROVE_UPDATES: Permission.UPDATE_STUDENTS,
}
"""Permissions that have no effect in a role without the other one."""


def needed_by(permission: Permission) -> frozenset[Permission]:
    """Return all permissions without which this one has no effect."""
    needed = set[Permission]()
    while permission in NEEDS:
        permission = NEEDS[permission]
        needed.add(permission)
    return frozenset(needed)


ASSIGNED_BY: Mapping[RoleType, tuple[RoleType, ...]] = {
    RoleType.DISTRICT_MANAGER: tuple(RoleType),
    RoleType.SCHOOL_MANAGER: (RoleType.SCHOOL_MANAGER, RoleType.INSTRUCTOR),
    RoleType.INSTRUCTOR: (),
}
"""The types of roles that a member with a role of each type can assign to others."""

_CONFIDENTIAL = "opens their birth dates and confidential information, each time with a record"

PERMISSION_DESCRIPTIONS: Mapping[RoleType, Mapping[Permission, str]] = {
    RoleType.DISTRICT_MANAGER: {
        Permission.SEE_STUDENTS: "sees all students of the district",
        Permission.SEE_CONFIDENTIAL: _CONFIDENTIAL,
        Permission.UPDATE_STUDENTS: (
            "updates students from files, in the browser and with the upload commands"
        ),
        Permission.APPROVE_UPDATES: "approves updates that would change more than a limit allows",
        Permission.EDIT_STUDENTS: "adds, edits, transfers and deactivates students by hand",
        Permission.MANAGE_GROUPS: "creates, renames and removes groups, and chooses their students",
        Permission.MANAGE_STAFF: "invites, edits and deactivates staff",
        Permission.MANAGE_ROLES: "creates and edits roles",
        Permission.MANAGE_SCHOOLS: "adds, renames and closes schools",
        Permission.MANAGE_SETTINGS: "changes the settings of the district",
        Permission.SEE_AUDIT: "sees who did and viewed what",
    },
    RoleType.SCHOOL_MANAGER: {
        Permission.SEE_STUDENTS: "sees the students of their schools",
        Permission.SEE_CONFIDENTIAL: _CONFIDENTIAL,
        Permission.EDIT_STUDENTS: (
            "adds, edits, transfers and deactivates students of their schools by hand"
        ),
        Permission.MANAGE_GROUPS: (
            "creates, renames and removes groups of their schools, and chooses their students"
        ),
        Permission.MANAGE_STAFF: "invites, edits and deactivates the staff of their schools",
    },
    RoleType.INSTRUCTOR: {
        Permission.SEE_STUDENTS: "sees the students linked to them",
        Permission.SEE_CONFIDENTIAL: _CONFIDENTIAL,
    },
}
"""What a member can do with each permission in a role of each type, as shown on pages."""
