"""Updates of a class of six that ended in different ways."""

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.updates import transitions
from rollbook.updates.cancel import cancel
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import Mode, State
from tests.updates.night import a_class, applying, finish, send, send_bytes


def completed(district: District, member: Member) -> UpdateJob:
    return run_update(district, member, a_class(6, GRADE="5"))


def completed_with_errors(district: District, member: Member) -> UpdateJob:
    rows = (
        "s000,5,,",
        "s001,15,q,",
        "s002,15,,",
        "s003,,,nobody@maple.example",
        "x,5,,",
        "s004,4,,",
    )
    return run_update(district, member, "\n".join(("STUDENT_ID,GRADE,GENDER,STAFF", *rows)))


def canceled(district: District, member: Member) -> UpdateJob:
    update = send(district, a_class(6, GRADE="5"), member=member, source="curl 8.5")
    applying(update, 1)
    cancel(district)
    return update


def refused(district: District, member: Member) -> UpdateJob:
    return send_bytes(
        district, b"STUDENT_ID,GRADE\ns000,\xe9\n", member=member, source="curl 8.5"
    ).update


def failed(district: District, member: Member) -> UpdateJob:
    update = send(district, a_class(6, GRADE="5"), member=member, source="curl 8.5")
    applying(update, 1)
    transitions.transition(update.pk, State.FAILED, error_reference="8f3a1c")
    return update


def run_update(
    district: District, member: Member, file: str, mode: Mode = Mode.UPDATE
) -> UpdateJob:
    update = send(district, file, mode, member=member, source="curl 8.5")
    finish(update)
    return update


ENDS = {end.__name__: end for end in (completed, completed_with_errors, canceled, refused, failed)}
