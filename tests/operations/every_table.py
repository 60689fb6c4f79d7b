"""An installation with rows in every table: ``python -m tests.operations.every_table``.

The values are those that are easily changed on the way to another database.
"""

import os
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
    django.setup()

from django.contrib.auth.models import Group as AuthGroup
from django.contrib.auth.models import Permission
from django.db import transaction

from rollbook.accounts import installation_id, key_fingerprints, mails, retention_guard, roles
from rollbook.accounts.audit import log, seals
from rollbook.accounts.models import (
    AccountMailKind,
    KnownAddress,
    Member,
    PasswordRequest,
    RecoveryCode,
    SecondFactor,
    Session,
    SignInFailure,
    Token,
)
from rollbook.districts.models import (
    District,
    FileSchedule,
    MissedFile,
    SchedulePause,
    School,
)
from rollbook.operations.models import (
    Alert,
    AlertMail,
    Destruction,
    DistrictExport,
    PingSchedule,
    WriteProbe,
)
from rollbook.students.models import Absence, Change, Group, Student, TouchedStudent, Transfer
from rollbook.updates.models import (
    AddedStudents,
    CheckedRange,
    ColumnMapping,
    Draft,
    Expectation,
    FileChunk,
    FileLots,
    LimitSet,
    Manifest,
    MissingStudents,
    Problem,
    ResultMail,
    RowDependency,
    StagedRow,
    UpdateEvent,
    UpdateJob,
)
from rollbook.updates.receiving import files

NOW = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)  # no microseconds, which SQLite leaves out
LATER = NOW + timedelta(microseconds=123)
STRANGE = "Zoë \\N \\. \t'\"\n\\x00 \U0001f393 \u2028"
FILE = b"STUDENT_ID\n00123\n"


def fill() -> None:
    """Create at least one row in every table."""
    installation_id.adopt()
    key_fingerprints.verify_keys()
    with transaction.atomic():
        member = _accounts()
        student = _students(member)
        _updates(member, student)
        _audit(member)
        WriteProbe.objects.create(at=NOW)
        DistrictExport.objects.create(
            district=member.district, path="maple.zip", size=1, digest="0" * 64, exported_at=NOW
        )
        Alert.objects.create(
            code="worker_gone", state="open", detail=STRANGE, opened_at=NOW, seen_at=LATER
        )
        AlertMail.objects.create(
            event="opened", to_address="op@maple.example", alerts=[["x", STRANGE]], queued_at=NOW
        )
        PingSchedule.objects.create(due_at=NOW)
        Destruction.objects.create(
            district_key=0,
            district_slug="birch-usd",
            district_name=STRANGE,
            requested_by="root",
            started_at=NOW,
            finished_at=LATER,
            counts={"students": 1},
            certificate={"statement": {"number": 1}},
        )
    for _ in range(2):
        retention_guard.check_clock(datetime.now(UTC))


def _accounts() -> Member:
    district = District.objects.create(
        name=STRANGE,
        slug="maple-usd",
        time_zone="America/Chicago",
        grade_codes={"zz": "1", "a": "K", "ß": "2"},
        requires_second_factor=True,
    )
    school = School.objects.create(district=district, organization_id="100", name="Maple")
    FileSchedule.objects.create(district=district, times=["06:00", *[""] * 6], since=LATER)
    day = date(2026, 11, 28)
    SchedulePause.objects.create(district=district, first=day, last=day)
    MissedFile.objects.create(
        district=district, day=day, expected_at=NOW, previous_at=NOW, noticed_at=LATER
    )
    member = Member.objects.create(
        district=district,
        email="ops@maple.example",
        first_name="Ana",
        last_name=STRANGE,
        password="argon2$secret",
        role=roles.standard(district, "district manager"),
    )
    member.schools.add(school)
    AuthGroup.objects.create(name="none").permissions.add(Permission.objects.all()[0])
    factor = SecondFactor.objects.create(
        member=member, encrypted_secret="c2VjcmV0", last_counter=-1, enabled_at=LATER
    )
    RecoveryCode.objects.create(second_factor=factor, digest="0" * 64)
    Token.objects.create(
        member=member,
        name=STRANGE,
        key="abcdefgh",
        digest="1" * 64,
        scopes=["start", "status"],
        created_at=NOW,
        expires_at=LATER,
    )
    for number, address in enumerate(("192.0.2.1", "2001:db8::1")):
        Session.objects.create(
            session_key=f"{'Ab'[number]}{number}",
            session_data="",
            expire_date=LATER,
            member=member,
            address=address,
            agent="curl",
            started_at=NOW,
            last_seen_at=LATER,
        )
        SignInFailure.objects.create(login_digest="2" * 64, address=address, failed_at=NOW)
        KnownAddress.objects.create(member=member, address=address, last_seen_at=LATER)
        PasswordRequest.objects.create(address=address, requested_at=NOW)
    mails.queue_mail(member, AccountMailKind.INVITATION, NOW)
    return member


def _students(member: Member) -> Student:
    school = School.objects.get()
    group = Group.objects.create(school=school, name=STRANGE, name_key="zoe")
    values = dict.fromkeys(
        (field.name for field in Student._meta.fields if field.get_internal_type() == "CharField"),
        "",
    )
    values |= {"student_id": "00123", "username": "zoë", "last_name": STRANGE, "status": "active"}
    student = Student.objects.create(
        district=member.district, school=school, dob=date(2012, 2, 29), loose_key=-(2**63), **values
    )
    student.groups.add(group)
    student.staff.add(member)
    TouchedStudent.objects.create(
        student_id=2**63 - 1, district=member.district, version=3, settled_by=2**63 - 1
    )
    transfer = Transfer.objects.create(
        district=member.district,
        source=school,
        source_name=STRANGE,
        state="pending",
        requested_by=member,
        requested_at=LATER,
    )
    transfer.students.add(student)
    return student


def _updates(member: Member, student: Student) -> None:
    file: dict[str, Any] = {
        "file_name": "students.csv",
        "file_size": len(FILE),
        "encoding": "utf-8",
    }
    file |= {"detected_encoding": "utf-8", "rules": {"b": 1, "a": {"z": None}}, "rows": 1}
    file |= {"header": ["STUDENT_ID", "é"], "checkpoints": [[0, 2], [1.5, 3]]}
    limits = LimitSet.objects.create(
        district=member.district,
        version=1,
        document={
            "profiles": [
                {"name": "Zoë", "first": "2026-06-01", "last": "2026-06-30", "limits": {}}
            ],
            "limits": {"added": {"district": {"percent": 100, "count": 10_000_000}}},
        },
        member=member,
        created_at=LATER,
    )
    mapping = ColumnMapping.objects.create(
        district=member.district,
        name="sis",
        version=1,
        document={"name": "sis", "columns": [{"to": "STUDENT_ID", "from": ["é"]}]},
        member=member,
        created_at=LATER,
    )
    update = UpdateJob.objects.create(
        district=member.district,
        limit_set=limits,
        mapping=mapping,
        summary={"schools": {"z": {}, "é": {}}, "district": {"active": 1}},
        number=1,
        mode="add",
        member=member,
        source="curl",
        state="received",
        received_at=NOW,
        problem_counts={"z": 1, "a": 2},
        **(file | store(member.district, FILE)),
    )
    UpdateJob.objects.filter(pk=update.pk).update(state="canceled", ended_at=LATER)
    event = UpdateEvent.objects.create(update=update, state="canceled", at=LATER, member=member)
    Expectation.objects.create(
        district=member.district,
        columns=["GRADE", "STUDENT_ADDED"],
        until=LATER,
        is_for_one_update=True,
        used_by=update,
        member=member,
        created_at=NOW,
    )
    Draft.objects.create(
        key=UUID("0a1b2c3d-0000-4000-8000-ffffffffffff"),
        district=member.district,
        member=member,
        created_at=NOW,
        preview={"rows": []},
        **(file | store(member.district, FILE + b"00124\n")),
    )
    FileChunk.objects.create(spool_name="a chunk", number=0, data=bytes(range(256)))
    CheckedRange.objects.create(
        update=update,
        end_byte=2**40,
        end_line=1,
        student_ids=b"\0\xff",
        line_numbers=b"",
        fingerprints=bytes(range(256)),
    )
    FileLots.objects.create(
        update=update,
        key="a key",
        start_byte=2**40,
        start_line=2,
        line_end=b"\r\n",
        open_orders=["dmy"],
        arrays=bytes(range(16)),
        checksum=b"\0\xff",
        last_update=2**40,
        last_records=3,
    )
    AddedStudents.objects.create(
        update=update, number=2**41, line_numbers=b"\0\xff", student_ids=b"\xff\0"
    )
    MissingStudents.objects.create(update=update, student_ids=b"\0\xff", files=b"\xff")
    Absence.objects.create(
        student=student,
        district=member.district,
        since=date(2026, 9, 1),
        files=3,
        last_update=update,
        deactivated_at=LATER,
    )
    Manifest.objects.create(
        district=member.district,
        update=update,
        key="0" * 32,
        ranges=1,
        rows=1,
        carried_fingerprints=bytes(range(256)),
        carried_student_ids=b"",
        checksum=b"\0\xff",
    )
    StagedRow.objects.create(
        update=update,
        line=2,
        student=student,
        values_json='{"b":["1","2"],"a":[]}',
        apply_order=2**40,
        claims_dob=date(1999, 12, 31),
    )
    RowDependency.objects.create(update=update, line=2, blocked_by_line=3)
    Problem.objects.create(update=update, line=2, code="bad_date", found=STRANGE)
    ResultMail.objects.create(
        update=update, event=event, member=member, queued_at=NOW, next_attempt_at=NOW
    )
    Change.objects.create(
        student=student, field="GRADE", old="", new=STRANGE, changed_at=LATER, update=update
    )


def store(district: District, content: bytes) -> dict[str, Any]:
    """Store an uploaded file; return the columns of the row that refers to it."""
    incoming = files.IncomingFile()
    incoming.write(content)
    name = incoming.persist(district.pk)
    incoming.release_ownership()
    incoming.discard()
    files.copy_to_database(name)
    return {"spool_name": name, "spool_digest": incoming.digest, "file_digest": incoming.digest}


def _audit(member: Member) -> None:
    for detail in ("one", STRANGE):
        log.record("sign in", "ok", member=member, address="2001:db8::1", detail=detail, now=LATER)
    seals.seal_pending(NOW)
    log.record("sign in", "failed", address="192.0.2.1", now=NOW)


if __name__ == "__main__":
    fill()
