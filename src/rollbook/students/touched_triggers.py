"""Triggers that mark a student as touched when anything changes that a student file can contain.

The row that last set a student then no longer has the same meaning. Whatever statement changes a
student, its own row is updated: triggers count up the version of students whose group, staff member
or school changes. Only a password whose hash is stored in another form changes without a new
version; the student is the same then.
"""

from rollbook.db.triggers import Trigger

_INSERT = "INSERT INTO students_touched (student_id, district_id, version) "
_AGAIN = (
    " ON CONFLICT (student_id) DO UPDATE SET district_id = excluded.district_id,"
    " version = excluded.version, settled_by = NULL"
)
_IS_CHANGED = "{new}.version <> {old}.version OR {new}.password = {old}.password"

_STUDENT_TRIGGERS = (
    Trigger(
        "touch_student_updated",
        "AFTER UPDATE ON students_student",
        sqlite=f"{_INSERT} VALUES (NEW.id, NEW.district_id, NEW.version){_AGAIN}",
        sqlite_condition=_IS_CHANGED.format(new="NEW", old="OLD"),
        postgresql=(
            f"{_INSERT} SELECT new_row.id, new_row.district_id, new_row.version"
            " FROM new_rows AS new_row JOIN old_rows AS old_row ON old_row.id = new_row.id"
            f" WHERE {_IS_CHANGED.format(new='new_row', old='old_row')}{_AGAIN}; RETURN NULL;"
        ),
        per_statement=True,
        transition_tables="OLD TABLE AS old_rows NEW TABLE AS new_rows",
        # A connection keeps the plan of its first statement. If that changed a single student, each
        # later one would compare all pairs: 5,000 students took 2.4 s of CPU time, not 0.04.
        setting="SET enable_nestloop = off",
    ),
    Trigger(
        "touch_student_deleted",
        "AFTER DELETE ON students_student",
        sqlite=f"{_INSERT} VALUES (OLD.id, OLD.district_id, OLD.version + 1){_AGAIN}",
        postgresql=(
            f"{_INSERT} SELECT id, district_id, version + 1 FROM old_rows"
            f" WHERE true{_AGAIN}; RETURN NULL;"
        ),
        per_statement=True,
        transition_tables="OLD TABLE AS old_rows",
    ),
)
_LINKS = {
    "touch_group_link_removed": "students_student_groups",
    "touch_staff_link_removed": "students_student_staff",
}
_EVENTS = {
    "touch_group_renamed": (
        "UPDATE OF name, school_id ON students_group",
        "SELECT student_id FROM students_student_groups WHERE group_id = OLD.id",
    ),
    "touch_member_renamed": (
        "UPDATE OF email, district_id ON accounts_member",
        "SELECT student_id FROM students_student_staff WHERE member_id = OLD.id",
    ),
    "touch_school_renamed": (
        "UPDATE OF organization_id, district_id ON districts_school",
        "SELECT id FROM students_student WHERE school_id = OLD.id",
    ),
}


_COUNT_UP = "UPDATE students_student SET version = version + 1 WHERE id"


def _on_link_removed(name: str, table: str) -> Trigger:
    return Trigger(
        name,
        f"AFTER DELETE ON {table}",
        sqlite=f"{_COUNT_UP} = OLD.student_id",
        postgresql=f"{_COUNT_UP} = ANY(ARRAY(SELECT student_id FROM old_rows)); RETURN NULL;",
        per_statement=True,
        transition_tables="OLD TABLE AS old_rows",
        setting="SET enable_seqscan = off",  # a plan from when there were few students is kept
    )


def _on_renamed(name: str, event: str, students: str) -> Trigger:
    count_up = f"{_COUNT_UP} IN ({students})"
    return Trigger(name, f"AFTER {event}", sqlite=count_up, postgresql=f"{count_up}; RETURN NULL;")


TOUCHED_TRIGGERS = (
    *_STUDENT_TRIGGERS,
    *(_on_link_removed(*link) for link in _LINKS.items()),
    *(_on_renamed(name, *event) for name, event in _EVENTS.items()),
)
