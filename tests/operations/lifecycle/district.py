"""A district that has something in every table, in the spool and in the folder of emails."""

import json
from array import array
from datetime import time, timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import serializers
from django.utils import timezone

from rollbook.accounts import mails, roles
from rollbook.accounts.audit import log, seals
from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.members import members
from rollbook.accounts.models import AccountMailKind, KnownAddress, Member, SecondFactor
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts import schedules
from rollbook.districts.file_schedule import Pause
from rollbook.districts.local_dates import local_date
from rollbook.districts.models import District, MissedFile
from rollbook.districts.schedules import ScheduleSettings
from rollbook.operations.models import DistrictExport
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.students import absences
from rollbook.students.absences import NewCount
from rollbook.students.manual import transfers
from rollbook.students.models import Student
from rollbook.updates.mails import queue_result_mails
from rollbook.updates.mappings import store
from rollbook.updates.models import MissingStudents, UpdateJob
from rollbook.updates.planning import expectations, limit_changes
from rollbook.updates.planning.expectations import Wanted
from rollbook.updates.planning.limit_document import LimitDocument
from rollbook.updates.receiving import drafts
from tests.accounts.browser import HERE, Browser
from tests.conftest import make_member
from tests.updates.night import a_class, enroll, finish, incoming, run, send

APPS = ("districts", "accounts", "students", "updates", "operations")
STUDENTS = 5
BAD_ROWS = """
STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,GRADE,PASSWORD
s001,u001,Ann001,Lee001,05/13/2012,7,sunny1
s002,u002,Ann002,Lee002,05/13/2012,99,sunny2
nobody,unobody,Nina,Body,05/13/2012,5,sunny3
"""


def fill(district: District) -> Member:
    """Fill a district; return its manager, who is signed in."""
    domain = f"{district.slug}.example"
    manager = make_member(district, f"ops@{domain}")
    Member.objects.filter(pk=manager.pk).update(receives_results=True)
    enroll(district, a_class(STUDENTS, PASSWORD="pass{0:03}x", STAFF=manager.email, GROUPS="Band"))
    run(district, a_class(STUDENTS, GRADE="7"))
    run(district, BAD_ROWS)
    _plans(district, manager)
    _schedule(district)
    _missing(district)
    _people(district, manager, domain)
    _work(district, manager)
    queue_result_mails()
    DistrictExport.objects.create(
        district=district, path="/nowhere.zip", size=1, digest="d", exported_at=timezone.now()
    )
    log.record("audit", "seen", member=manager, address=HERE)
    while seals.seal_pending(timezone.now()):
        pass
    return manager


def _plans(district: District, manager: Member) -> None:
    """Save limits, expect changes that an update uses up, and let a dry run replace another."""
    now = timezone.now()
    limit_changes.change(district, LimitDocument(second_person=True), manager, now)
    columns = ({"to": "STUDENT_ID", "from": ["Nr"]}, {"to": "GRADE", "from": ["Level"]})
    mapping = MappingDocument.from_json({"name": "sis", "columns": list(columns)})
    store.save(district, mapping, manager, now)
    run(district, "Nr,Level\ns000,8")
    wanted = Wanted(("GRADE",), now + timedelta(days=1), is_for_one_update=True)
    expectations.expect(district, wanted, manager, now)
    run(district, a_class(1, GRADE="5"))
    for grade in ("4", "6"):
        finish(send(district, a_class(STUDENTS, GRADE=grade), is_check=True))


def _schedule(district: District) -> None:
    now = timezone.now()
    schedules.save(district, ScheduleSettings((time(6),) * 7), now)
    today = local_date(district, now)
    schedules.add_pause(district, Pause(today, today), now)
    MissedFile.objects.create(
        district=district, day=today, expected_at=now, previous_at=now, noticed_at=now
    )


def _missing(district: District) -> None:
    """Let the second file be one that doesn't name a student."""
    update = UpdateJob.objects.get(district=district, number=2)
    student = Student.objects.filter(district=district).latest("pk")
    MissingStudents.objects.create(
        update=update, student_ids=array("q", [student.pk]).tobytes(), files=b"\1"
    )
    today = local_date(district, update.received_at)
    absences.write(district.pk, update.pk, [NewCount(student.pk, today, 1)])


def _people(district: District, manager: Member, domain: str) -> None:
    now = timezone.now()
    invited = members.invite(
        district, f"new@{domain}", "Neil", "Oz", RoleType.DISTRICT_MANAGER, [], manager, now
    )
    teacher = make_member(district, f"teacher@{domain}", "instructor")
    teacher.schools.set(district.school_set.all())
    roles.create_role(manager, RoleType.INSTRUCTOR, "Helper", "", [Permission.SEE_STUDENTS])
    SecondFactor.objects.create(
        member=teacher, encrypted_secret="x", last_counter=1, enabled_at=now
    ).recoverycode_set.create(digest="d")
    KnownAddress.objects.create(member=manager, address=HERE, last_seen_at=now)
    api_tokens.create(manager, "Night", tuple(Scope), now)
    mails.queue_mail(invited, AccountMailKind.INVITATION, now, inviter=manager)
    Browser().sign_in(manager)
    folder = Path(settings.MAIL_FOLDER)
    folder.mkdir(exist_ok=True)
    text = f"Subject: Welcome\nTo: Neil <{invited.email}>\n\nHello\n"
    (folder / f"{district.slug}.log").write_text(text, encoding="utf-8")


def _work(district: District, manager: Member) -> None:
    now = timezone.now()
    student = Student.objects.filter(district=district).latest("pk")
    chosen = transfers.select_student(manager, student.pk)
    assert chosen
    transfers.request_transfer(manager, chosen, "To the new school", now)
    data = a_class(3, GRADE="11").encode()
    drafts.create_draft(manager, incoming(data), file_name="draft.csv", now=now)
    finish(send(district, a_class(2, GRADE="8"), member=manager))


def rows() -> dict[str, dict[Any, Any]]:
    """Return every row of every table as JSON, by its primary key."""
    tables: dict[str, dict[Any, Any]] = {}
    for app in APPS:
        for model in apps.get_app_config(app).get_models(include_auto_created=True):
            dumped = serializers.serialize("json", model._default_manager.order_by("pk"))
            tables[model._meta.label] = {row["pk"]: row["fields"] for row in json.loads(dumped)}
    return tables


def files() -> set[str]:
    """Return the names of all uploaded files and saved emails."""
    folders = (Path(settings.SPOOL), Path(settings.MAIL_FOLDER))
    return {path.name for folder in folders for path in folder.glob("*")}


def unfinished_update(district: District) -> UpdateJob:
    """Return a new update that is in progress."""
    return send(district, a_class(STUDENTS, GRADE="9"))
