"""What clears a student's digest though nobody wrote the student: the database itself sees to it.

A link that ends, and a group, member or school that is called something else, change what the student's row would say.
"""

_CLEAR = "UPDATE roster_rowdigest SET digest = NULL, edition = edition + 1 WHERE student_id IN ({students})"
_CAUSES = {
    "groups_end": ("DELETE ON roster_student_groups", "SELECT OLD.student_id"),
    "staff_ends": ("DELETE ON roster_student_staff", "SELECT OLD.student_id"),
    "group_renamed": (
        "UPDATE OF name, school_id ON roster_group",
        "SELECT student_id FROM roster_student_groups WHERE group_id = OLD.id",
    ),
    "member_renamed": (
        "UPDATE OF email, district_id ON staff_member",
        "SELECT student_id FROM roster_student_staff WHERE member_id = OLD.id",
    ),
    "school_renamed": (
        "UPDATE OF organization_id, district_id ON roster_school",
        "SELECT id FROM roster_student WHERE school_id = OLD.id",
    ),
}
_TRIGGER = {
    "sqlite": ("CREATE TRIGGER digests_{name} AFTER {event} BEGIN {clear}; END",),
    "postgresql": (
        "CREATE FUNCTION digests_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {clear}; RETURN NULL; END $$",
        "CREATE TRIGGER digests_{name} AFTER {event} FOR EACH ROW EXECUTE FUNCTION digests_{name}()",
    ),
}


def fingerprint_triggers(vendor: str) -> list[str]:
    """The statements that make them."""
    return [
        statement.format(name=name, event=event, clear=_CLEAR.format(students=students))
        for name, (event, students) in _CAUSES.items()
        for statement in _TRIGGER[vendor]
    ]
