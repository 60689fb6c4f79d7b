"""Fill a district with unique strings: ``python -m tests.operations.lifecycle.canaries COUNT``.

Each string is printed on a line. They are in the texts of students and parents, groups, schools,
staff, tokens, files, drafts, problems, transfers and emails.
"""

import os
import secrets
import sys

CANARIES_PER_STUDENT = 7


def main(count: int) -> None:
    """Create the district ``maple-usd`` with about ``count`` canaries."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
    import django

    django.setup()
    from django.utils import timezone

    from rollbook.accounts import mails
    from rollbook.accounts.audit import log, seals
    from rollbook.accounts.auth import api_tokens
    from rollbook.accounts.auth.api_tokens import Scope
    from rollbook.accounts.members import members
    from rollbook.accounts.models import Member
    from rollbook.districts.models import District, School
    from rollbook.students.manual import transfers
    from rollbook.students.models import Student
    from rollbook.updates.mails import queue_result_mails
    from rollbook.updates.mails import send_due as send_results
    from rollbook.updates.receiving import drafts
    from tests.updates.night import enroll, incoming, run, send

    now = timezone.now()
    district = District.objects.create(name="Maple USD", slug="maple-usd")
    School.objects.create(district=district, organization_id="100", name=canary())
    manager = members.add_member(
        district,
        f"{canary()}@maple.example",
        canary(),
        canary(),
        "district manager",
        "correct horse battery staple",
    )
    Member.objects.update(receives_results=True)
    members.invite(
        district,
        f"{canary()}@maple.example",
        canary(),
        canary(),
        "district manager",
        [],
        manager,
        now,
    )
    api_tokens.create(manager, canary(), tuple(Scope), now)
    students = [f"s{number:06d}" for number in range(count // CANARIES_PER_STUDENT)]
    enroll(district, table(students, "GROUPS"))
    run(district, table(students))
    run(district, table([f"{canary()} 1"], "GRADE"))
    target = School.objects.create(district=district, organization_id="200", name=canary())
    moved = Student.objects.order_by("pk")[0]
    selection = transfers.select_student(manager, moved.pk)
    assert selection
    transfers.move(manager, selection, target, now)
    drafts.create_draft(manager, incoming(table(students[:5]).encode()), file_name="d.csv", now=now)
    send(district, table(students[:5]), file_name=f"{canary()}.csv")
    log.record("audit", "seen", member=manager, detail=canary())
    mails.send_due()
    queue_result_mails()
    send_results()
    while seals.seal_pending(timezone.now()):
        pass


def table(student_ids: list[str], extra: str = "NOTE") -> str:
    """Return a student file with canaries in all free texts."""
    parents = "PARENT_EMAIL_1,PARENT_EMAIL_2"
    lines = [f"STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,PASSWORD,{parents},{extra}"]
    for student_id in student_ids:
        cells = (student_id, canary(), canary(), canary(), "05/13/2012", canary())
        emails = (f"{canary()}@home.example", f"{canary()}@home.example")
        lines.append(",".join((*cells, *emails, canary())))
    return "\n".join(lines) + "\n"


def canary() -> str:
    """Return a new unique string of letters, and print it."""
    letters = "abcdefghijkmnopqrstuvwxyz"
    text = "Zq" + "".join(secrets.choice(letters) for _ in range(14))
    print(text)
    return text


if __name__ == "__main__":
    main(int(sys.argv[1]))
