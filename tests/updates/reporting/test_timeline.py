"""The timeline of an update, its result emails, and the description of its file."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.updates import mails
from rollbook.updates.cancel import cancel
from rollbook.updates.models import ResultMail, UpdateJob
from rollbook.updates.planning import decisions
from rollbook.updates.planning.decisions import Decider
from rollbook.updates.reporting.timeline import (
    FileDescription,
    MailStatus,
    describe_file,
    result_mails,
    timeline,
)
from tests.updates.night import a_class, applying, enroll, finish, send, send_bytes


@pytest.fixture
def school(maple: District) -> District:
    enroll(maple, a_class(3))
    return maple


def events(update: UpdateJob) -> list[str]:
    update.refresh_from_db()
    return [entry.what for entry in timeline(update)]


@pytest.mark.parametrize(
    ("decide", "entries"),
    [
        (decisions.approve, ["received", "begun", "checked", "approved", "ended"]),
        (decisions.discard, ["received", "begun", "checked", "ended"]),
    ],
)
def test_an_approval_has_an_entry(school: District, decide: Any, entries: list[str]) -> None:
    update = send(school, a_class(3, GRADE="5"), is_check=True)
    finish(update)
    assert events(update) == ["received", "begun", "checked"]
    decide(school, update.number, update.plan_digest, Decider(None), timezone.now())
    finish(update)
    assert events(update) == entries


def test_each_entry_has_the_time_since_the_one_before(
    school: District,
) -> None:
    update = send(school, a_class(3, GRADE="5"))
    assert events(update) == ["received"]
    applying(update)
    assert events(update) == ["received", "begun", "checked"]
    finish(update)
    assert events(update) == ["received", "begun", "checked", "ended"]
    received, begun, checked, ended = timeline(update)
    assert received.took is None
    assert (begun.took, checked.took, ended.took) == (
        begun.at - received.at,
        checked.at - begun.at,
        ended.at - checked.at,
    )
    assert all(entry.took is None or entry.took >= timedelta(0) for entry in timeline(update))
    assert ended.at == update.ended_at


def test_events_that_did_not_happen_are_left_out(school: District) -> None:
    update = send(school, a_class(3, GRADE="5"))
    cancel(school)
    assert events(update) == ["received", "ended"]
    assert events(send_bytes(school, b"").update) == ["received", "ended"]


def test_mails_are_sent_or_failed_or_waiting(
    school: District, manager: Member, neighbor: Member
) -> None:
    update = send(school, a_class(3, GRADE="5"), member=manager)
    assert result_mails(update) == ()
    finish(update)
    mails.queue_result_mails()
    mail = ResultMail.objects.get(update=update)
    assert result_mails(update) == (MailStatus(manager, "waiting", mail.queued_at, ""),)
    now = timezone.now()
    ResultMail.objects.update(next_attempt_at=now, last_error="SMTPServerDisconnected")
    assert result_mails(update) == (MailStatus(manager, "waiting", now, "SMTPServerDisconnected"),)
    ResultMail.objects.update(next_attempt_at=None)
    assert result_mails(update) == (
        MailStatus(manager, "failed", mail.queued_at, "SMTPServerDisconnected"),
    )
    ResultMail.objects.update(sent_at=now, last_error="")
    assert result_mails(update) == (MailStatus(manager, "sent", now, ""),)


def test_the_description_of_the_file(school: District) -> None:
    data = "STUDENT_ID,Home Room,DATE OF BIRTH\ns000,a,2012-05-13\n".encode("utf-8-sig")
    update = send_bytes(school, data, file_name="from sis.csv", encoding="cp1252").update
    assert describe_file(update) == FileDescription(
        name="from sis.csv",
        size=len(data),
        digest=update.file_digest,
        encoding="cp1252",
        detected_encoding="utf-8",
        rows=1,
        known=("STUDENT_ID", "DOB"),
        ignored=("Home Room",),
    )
