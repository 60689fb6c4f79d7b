"""What was found is in every answer, email and command."""

from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.studentfile.fixes import Fix
from rollbook.updates import mails
from rollbook.updates.models import ResultMail
from rollbook.updates.reporting.status_json import status_context, to_json
from rollbook.updates.reporting.status_line import verdict
from rollbook.updates.state_machine import State
from tests.updates.night import a_class, complete, enroll, finish, send


def test_status_has_reasons_and_fixes(maple: District) -> None:
    enroll(maple, a_class(40, STUDENT_ID="{0:05}"))
    update = send(maple, a_class(40, STUDENT_ID="{0}", GRADE="5"), is_check=True)
    result = finish(update)
    context = status_context(maple, result, timezone.now())
    line = verdict(result, context)
    plan = to_json(result, line, context)["plan"]
    assert isinstance(plan, dict)
    assert plan["reasons"][0]["measure"] == "ids_changed_form"
    (finding,) = plan["findings"]
    assert Fix.from_json(finding["fixes"][0]) == Fix.from_json(["STUDENT_ID", "pad", "5"])
    (group,) = (group for group in result.groups if group.code == "ids_changed_form")
    assert group.hints == (
        "STUDENT_ID lost its leading zeros: 40 of 40 unknown IDs match when padded to 5",
    )


def test_the_email_says_why(maple: District, manager: Member) -> None:
    enroll(maple, a_class(120))
    update = send(maple, complete(a_class(120, LAST_NAME="LEE{0:03}")), member=manager)
    assert finish(update).state is State.HELD
    mails.queue_result_mails()
    email = mails.message(ResultMail.objects.get(update=update))
    assert "120 of 120 rows look different in LAST_NAME than in the last file" in email.body
    assert "LEE" not in email.body
