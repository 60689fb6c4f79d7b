"""The tables of the export that aren't about students."""

from collections.abc import Iterator

from rollbook.accounts.audit import student_sets
from rollbook.accounts.models import AuditEvent, AuditSeal, Member, Role
from rollbook.districts.models import District, School
from rollbook.operations.lifecycle.export.student_tables import STUDENT_TABLES
from rollbook.operations.lifecycle.export.table import ROWS_PER_QUERY, Row, Table, timestamp
from rollbook.operations.lifecycle.export.update_tables import UPDATE_TABLES
from rollbook.studentfile.problems.problem import PROBLEM_CODES
from rollbook.students.models import Group, Transfer
from rollbook.updates.models import UpdateJob
from rollbook.updates.problem_store import to_problem

_SETTINGS = (
    ("name", "name of the district"),
    ("slug", "short name, used in commands"),
    ("time_zone", "time zone of its pages and emails"),
    ("encoding", "encoding of student files that don't say so"),
    ("date_order", "mdy: month first; dmy: day first"),
    ("grade_codes", "the SIS's own codes for grades"),
    ("reactivates_students", "whether inactive students in a file become active"),
    ("modes", "the modes that scripts, pages and the command may use; none: update and add"),
    ("absent_files", "files without a student after which the student is deactivated"),
    ("absent_days", "days without a student after which the student is deactivated"),
    ("requires_second_factor", "whether every staff member needs two-step verification"),
    ("files_kept_days", "days for which uploaded files are kept"),
    ("details_kept_days", "days for which rows and problems are kept"),
    ("audit_kept_years", "years for which audit events are kept"),
    ("history_kept_days", "days for which changes of students are kept"),
    ("leavers_kept_days", "days for which inactive students are kept; 0: not removed"),
    ("staff_kept_days", "days for which former staff members are kept; 0: not removed"),
)


def _settings(district: District) -> Iterator[Row]:
    yield [getattr(district, name) for name, _ in _SETTINGS]


def _schools(district: District) -> Iterator[Row]:
    schools = School.objects.filter(district=district).order_by("organization_id")
    yield from schools.values_list("organization_id", "name").iterator(ROWS_PER_QUERY)


def _groups(district: District) -> Iterator[Row]:
    groups = Group.objects.filter(school__district=district)
    groups = groups.order_by("school__organization_id", "name_key")
    yield from groups.values_list("school__organization_id", "name").iterator(ROWS_PER_QUERY)


def _roles(district: District) -> Iterator[Row]:
    for role in Role.objects.filter(district=district).order_by("pk"):
        permissions = sorted(role.granted_permissions)
        yield [role.name, role.type, role.description, permissions, role.is_standard]


def _staff(district: District) -> Iterator[Row]:
    members = Member.objects.filter(district=district).select_related("role", "second_factor")
    for member in members.prefetch_related("schools").order_by("email").iterator(ROWS_PER_QUERY):
        schools = sorted(school.organization_id for school in member.schools.all())
        yield [
            member.email,
            member.first_name,
            member.last_name,
            member.role.name,
            schools,
            member.is_active,
            member.receives_results,
            member.update_emails,
            member.has_second_factor,
            timestamp(member.last_login),
        ]


def _transfers(district: District) -> Iterator[Row]:
    transfers = Transfer.objects.filter(district=district)
    transfers = transfers.select_related("requested_by", "closed_by").prefetch_related("students")
    for transfer in transfers.order_by("pk").iterator(ROWS_PER_QUERY):
        keys = sorted(student.pk for student in transfer.students.all())
        yield [
            transfer.pk,
            transfer.state,
            transfer.source_name,
            transfer.target_name,
            [str(key) for key in keys],
            transfer.note,
            transfer.requested_by.email,
            timestamp(transfer.requested_at),
            transfer.closed_by.email if transfer.closed_by else None,
            timestamp(transfer.closed_at),
        ]


def _problems(district: District) -> Iterator[Row]:
    kept = UpdateJob.objects.filter(district=district, details_hidden_at=None)
    for update in kept.order_by("number").iterator(ROWS_PER_QUERY):
        problems = update.problem_set.order_by("line", "pk")
        for problem in map(to_problem, problems.iterator(ROWS_PER_QUERY)):
            yield [
                update.number,
                problem.line,
                problem.column,
                problem.code,
                PROBLEM_CODES[problem.code].severity.value,
                problem.message,
                problem.found,
            ]


def _audit(district: District) -> Iterator[Row]:
    events = AuditEvent.objects.filter(district=district).select_related("member")
    for event in events.order_by("at", "pk").iterator(ROWS_PER_QUERY):
        yield [
            event.pk,
            timestamp(event.at),
            event.member.email if event.member else None,
            event.action,
            event.result,
            event.detail,
            event.address,
            event.agent,
            [str(key) for key in student_sets.decode(event.students)],
            event.seal_id,
        ]


def _seals(district: District) -> Iterator[Row]:
    numbers = AuditEvent.objects.filter(district=district, seal__isnull=False).values("seal")
    for seal in AuditSeal.objects.filter(pk__in=numbers).order_by("number").iterator():
        yield [
            seal.number,
            timestamp(seal.at),
            seal.events,
            seal.removed_events,
            seal.digest,
            seal.remaining_digest,
        ]


TABLES: tuple[Table, ...] = (
    Table("settings", "The district and its settings.", _SETTINGS, _settings),
    Table(
        "schools",
        "The schools.",
        (("school_id", "the School ID"), ("name", "its name")),
        _schools,
    ),
    Table(
        "groups",
        "The groups of the schools.",
        (("school_id", "the School ID of its school"), ("name", "its name")),
        _groups,
    ),
    Table(
        "roles",
        "The roles of staff members.",
        (
            ("name", "its name"),
            ("type", "which permissions it can have"),
            ("description", "its description"),
            ("permissions", "the permissions that it has"),
            ("is_standard", "whether it is one of the standard roles"),
        ),
        _roles,
    ),
    Table(
        "staff",
        "The staff members, without passwords, sessions, tokens and secrets.",
        (
            ("email", "the login"),
            ("first_name", "first name"),
            ("last_name", "last name"),
            ("role", "name of the role"),
            ("schools", "School IDs of the member's schools; none: the whole district"),
            ("is_active", "whether the member can sign in"),
            ("receives_results", "whether the results of every update are emailed to the member"),
            ("update_emails", "which of them the member wants: always, needed or weekly"),
            ("has_second_factor", "whether two-step verification is on"),
            ("last_login", "the last sign-in in a browser"),
        ),
        _staff,
    ),
    *STUDENT_TABLES,
    Table(
        "transfers",
        "Transfers of students between schools by hand.",
        (
            ("key", "its internal number"),
            ("state", "pending, completed or withdrawn"),
            ("from", "the school that the students leave"),
            ("to", "the school that they go to, once it is known"),
            ("students", "the keys of the students"),
            ("note", "the note"),
            ("requested_by", "the member who requested it"),
            ("requested_at", "when"),
            ("closed_by", "the member who completed or withdrew it"),
            ("closed_at", "when"),
        ),
        _transfers,
    ),
    *UPDATE_TABLES,
    Table(
        "problems",
        "The problems of updates, as long as they are kept.",
        (
            ("update", "number of the update"),
            ("line", "line of the file; none: the whole file"),
            ("column", "column of the file"),
            ("code", "the code, as in the documentation"),
            ("severity", "error or warning"),
            ("message", "what is wrong and how to fix it"),
            ("found", "the value that was found"),
        ),
        _problems,
    ),
    Table(
        "audit_events",
        "Who did and saw what.",
        (
            ("key", "its internal number"),
            ("at", "when"),
            ("member", "the staff member; none: the Rollbook administrator, or nobody"),
            ("action", "what was done"),
            ("result", "how it ended"),
            ("detail", "to what"),
            ("address", "IP address"),
            ("program", "the browser or program"),
            ("students", "the internal numbers of the students whom it showed"),
            ("seal", "number of the seal; none: not sealed yet"),
        ),
        _audit,
    ),
    Table(
        "audit_seals",
        "The seals of these events. Only the server that made them has the key to verify them, and "
        "a seal may also cover events of other districts, which are not in this archive.",
        (
            ("number", "its number"),
            ("at", "when it was made"),
            ("events", "number of events that were sealed"),
            ("removed_events", "number of those that have been removed since"),
            ("digest", "keyed digest of the events and the previous seal"),
            ("remaining_digest", "keyed digest of the remaining events"),
        ),
        _seals,
    ),
)
"""In the order of the archive."""
