"""A Report becomes mails: to whom, with which words, once; and nothing of any student in them."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage as Received
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.studentfile.columns import COLUMNS
from rollbook.updates import mails, runner, transitions
from rollbook.updates.cancel import cancel
from rollbook.updates.models import ResultMail, UpdateJob
from rollbook.updates.state_machine import UNFINISHED, Mode, State
from tests.conftest import a_district, a_member
from tests.updates.night import a_class, applying, enroll, finish, last, run, send, send_bytes, told

MAILS = Path(__file__).parent / "mails"
RECEIVED = datetime(2026, 11, 23, 8, 5, 10, tzinfo=UTC)


@pytest.fixture
def school(maple: District, manager: Member) -> District:
    enroll(maple, a_class(6))
    return maple


def dated(update: UpdateJob) -> None:
    """Give the update the times that the expected mails have."""
    update.refresh_from_db()
    UpdateJob.objects.filter(pk=update.pk).update(
        received_at=RECEIVED,
        started_at=RECEIVED + timedelta(seconds=1) if update.started_at else None,
        ended_at=RECEIVED + timedelta(seconds=49.2),
    )


def completed(district: District, member: Member) -> UpdateJob:
    return run_update(district, member, a_class(6, GRADE="5"))


def completed_with_errors(district: District, member: Member) -> UpdateJob:
    file = "STUDENT_ID,GRADE,GENDER,STAFF\ns000,5,,\ns001,13,q,\ns002,13,,\ns003,,,nobody@maple.example\nx,5,,\ns004,4,,"
    return run_update(district, member, file)


def canceled(district: District, member: Member) -> UpdateJob:
    update = send(district, a_class(6, GRADE="5"), member=member, via="curl 8.5")
    applying(update, 1)
    cancel(district)
    return update


def refused(district: District, member: Member) -> UpdateJob:
    return send_bytes(
        district, b"STUDENT_ID,GRADE\ns000,\xe9\n", member=member, via="curl 8.5"
    ).update


def failed(district: District, member: Member) -> UpdateJob:
    update = send(district, a_class(6, GRADE="5"), member=member, via="curl 8.5")
    applying(update, 1)
    transitions.transition(update.pk, State.FAILED, error_reference="8f3a1c")
    return update


def run_update(
    district: District, member: Member, file: str, mode: Mode = Mode.UPDATE
) -> UpdateJob:
    update = send(district, file, mode, member=member, via="curl 8.5")
    finish(update)
    return update


ENDS = {end.__name__: end for end in (completed, completed_with_errors, canceled, refused, failed)}


def letters(update: UpdateJob) -> list[ResultMail]:
    mails.queue_result_mails()
    return list(ResultMail.objects.filter(update=update).order_by("member__email"))


def message(update: UpdateJob) -> EmailMultiAlternatives:
    return mails.message(letters(update)[0])


def html_of(message: EmailMultiAlternatives) -> str:
    [(content, kind)] = message.alternatives
    assert kind == "text/html"
    return str(content)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("end", ENDS)
def test_a_mail_has_these_very_words(school: District, manager: Member, end: str) -> None:
    update = ENDS[end](school, manager)
    dated(update)
    written = message(update)
    found = {"subject": f"{written.subject}\n", "txt": written.body, "html": html_of(written)}
    assert found == {kind: (MAILS / f"{end}.{kind}").read_text(encoding="utf-8") for kind in found}


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("end", ENDS)
def test_the_mail_has_the_counts_of_the_report(school: District, manager: Member, end: str) -> None:
    update = ENDS[end](school, manager)
    written = message(update)
    facts = told(update)
    if facts.state is State.REFUSED:
        assert "not_utf8" in written.subject
        return
    for word, count in (
        ("updated", facts.updated),
        ("rejected", facts.rejected),
        ("not processed", facts.not_processed),
    ):
        assert (f"{count} {word}" in written.subject) is (count > 0)
        assert f"\n  {word:<20}  {count}\n" in written.body
        assert f'<th scope="row">{word}</th><td>{count}</td>' in html_of(written)


CANARIES = {
    "STUDENT_ID": "canary-id-{0}",
    "USERNAME": "canaryuser{0}",
    "PASSWORD": "canarypass{0}",
    "FIRST_NAME": "Canaryfirst{0}",
    "LAST_NAME": "Canarylast{0}",
    "MIDDLE_INITIAL": "canary{0}",
    "DOB": "canary{0}",
    "GENDER": "canary{0}",
    "GRADE": "canary{0}",
    "SCHOOL_ID": "canary{0}",
    "RACE": "canary{0}",
    "PARENT_EMAIL_1": "canary{0}@home.example",
    "PARENT_EMAIL_2": "canary {0}",
    "ADDITIONAL_INFO_1": "canary <b>{0}</b>",
    "GROUPS": "canary{0}",
    "STAFF": "canary{0}@maple.example&canary",
}


@pytest.mark.parametrize(
    "columns", [[column.name for column in COLUMNS], list(CANARIES)[:6], ["STUDENT_ID", "USERNAME"]]
)
@pytest.mark.parametrize("mode", Mode)
def test_no_mail_and_no_log_line_has_anything_of_a_student(
    school: District,
    manager: Member,
    columns: list[str],
    mode: Mode,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    rows = [
        [CANARIES.get(column, "canary{0}").format(number) for column in columns]
        for number in (1, 2, 2)
    ]
    rows += [[*rows[0][:-1], "canary"], ["canary", *rows[0][1:], "canary"], ["s000", *rows[0][1:]]]
    file = "\n".join([",".join(columns), *map(",".join, rows)]) + "\n"
    update = send_bytes(school, file.encode(), mode, member=manager).update
    finish(update)
    assert told(update).rejected > 0
    written = message(update)
    everything = (
        written.message().as_string()
        + written.body
        + html_of(written)
        + caplog.text
        + "".join(capfd.readouterr())
    )
    assert "canary" not in everything.casefold()
    assert "s000" not in everything


@pytest.mark.parametrize(
    "data",
    [
        b"Canary,Canary,05/13/2012\nCanary,Canary,05/13/2013\n",
        b"canary1,Canary,Canary\n1,2,3\n",
        b"STUDENT_ID,NAME\n1,Canar\xff\n",
        b'STUDENT_ID,FIRST_NAME\n1,"Canary\n2,Canary\n',
        b"STUDENT_ID,FIRST_NAME\n1,Canary,\n2,Canary,,\n3,Canary,,,\n",
        b"FIRST_NAME,LAST_NAME\nCanary,Canary\n",
        b"<html>Canary",
        b"Canary;Canary;Canary\nSTUDENT_ID;2;3\n",
    ],
)
def test_the_mail_of_a_refused_file_has_nothing_of_a_student_either(
    school: District, manager: Member, data: bytes
) -> None:
    update = send_bytes(school, data, member=manager).update
    assert update.state == "refused"
    written = message(update)
    assert (
        "canar" not in (written.message().as_string() + written.body + html_of(written)).casefold()
    )


@pytest.mark.parametrize(
    "name",
    [
        "Maple\r\nBcc: eve@evil.example\r\n\r\nUSD",
        "Maple\nBcc: eve@evil.example",
        "Maple\rX: y",
        "Maple\x1b[31m\x07USD",
        "Maple\u2028Bcc: eve\u2029\x85",
        "Maple\u202e\u200bUSD",
    ],
)
def test_no_name_of_a_district_can_write_headers(
    school: District, manager: Member, name: str
) -> None:
    update = completed(school, manager)
    District.objects.filter(pk=school.pk).update(name=name)
    written = message(UpdateJob.objects.get(pk=update.pk))
    assert written.subject.isprintable()
    assert written.subject.endswith("Student update 2 completed: 6 updated")
    sent = written.message()
    assert sorted(sent.keys()) == [
        "Auto-Submitted",
        "Content-Type",
        "Date",
        "From",
        "MIME-Version",
        "Message-ID",
        "Subject",
        "To",
    ]
    assert sent["To"] == manager.email


def test_names_that_look_like_html_are_shown_as_they_are(school: District, manager: Member) -> None:
    District.objects.filter(pk=school.pk).update(name="<b>Maple</b> & Co")
    update = send(school, a_class(1), member=manager, file_name="<img src=x>.csv")
    finish(update)
    written = message(UpdateJob.objects.get(pk=update.pk))
    assert "<b>Maple</b> & Co" in written.subject
    assert "<b>Maple</b> & Co" in written.body
    assert "&lt;b&gt;Maple&lt;/b&gt; &amp; Co" in html_of(written)
    assert "<b>" not in html_of(written)
    assert "<img" not in html_of(written)


def test_a_mail_says_that_a_machine_wrote_it_and_when(school: District, manager: Member) -> None:
    [letter] = letters(completed(school, manager))
    sent = mails.message(letter).message()
    assert sent["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(sent["Date"]) == letter.queued_at.replace(microsecond=0)
    assert sent["From"] == settings.DEFAULT_FROM_EMAIL
    assert isinstance(sent, Received) or sent.is_multipart()


def test_the_message_id_is_the_same_at_every_try_and_another_for_every_letter(
    school: District, manager: Member
) -> None:
    other = a_member(school, "zoe@maple.example")
    Member.objects.filter(pk=other.pk).update(receives_results=True)
    both = letters(completed(school, manager))
    ids = [[mails.message(letter).message()["Message-ID"] for letter in both] for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2
    assert all(found.endswith("@localhost>") for found in ids[0])


def test_letters_go_to_who_started_it_and_to_who_gets_the_results(
    school: District, manager: Member, cedar: District
) -> None:
    for email, gets, active in (
        ("a@maple.example", True, True),
        ("b@maple.example", False, True),
        ("c@maple.example", True, False),
    ):
        Member.objects.filter(pk=a_member(school, email).pk).update(
            receives_results=gets, is_active=active
        )
    Member.objects.filter(pk=a_member(cedar, "d@cedar.example").pk).update(receives_results=True)
    assert [letter.member.email for letter in letters(completed(school, manager))] == [
        "a@maple.example",
        manager.email,
    ]
    finish(send(school, a_class(1)))
    assert [letter.member.email for letter in letters(last(school))] == ["a@maple.example"]
    Member.objects.filter(pk=manager.pk).update(is_active=False)
    assert [letter.member.email for letter in letters(refused(school, manager))] == [
        "a@maple.example"
    ]


def test_who_started_it_and_gets_the_results_gets_one_letter(
    school: District, manager: Member
) -> None:
    Member.objects.filter(pk=manager.pk).update(receives_results=True)
    assert len(letters(completed(school, manager))) == 1


def test_letters_are_written_once_and_only_at_the_end(school: District, manager: Member) -> None:
    ResultMail.objects.all().delete()
    mails.queue_result_mails()
    update = send(school, a_class(6, GRADE="5"), member=manager)
    for _ in runner.run_steps(update.pk):
        assert mails.queue_result_mails() == 0
        assert not ResultMail.objects.exists()
    assert mails.queue_result_mails() == 1
    assert mails.queue_result_mails() == 0
    assert ResultMail.objects.count() == 1
    update.refresh_from_db()
    assert update.mails_queued_at is not None


def test_an_update_that_nobody_waits_for_is_announced_to_nobody(school: District) -> None:
    run(school, a_class(1))
    assert letters(last(school)) == []
    assert mails.send_due() == 0
    assert not UpdateJob.objects.filter(mails_queued_at=None).exclude(state__in=UNFINISHED).exists()


def test_a_letter_is_sent_once(school: District, manager: Member) -> None:
    [letter] = letters(completed(school, manager))
    assert [mails.send_due(), mails.send_due()] == [1, 0]
    [sent] = mail.outbox
    assert sent.to == [manager.email]
    letter.refresh_from_db()
    assert (letter.attempts, letter.next_attempt_at, letter.last_error) == (1, None, "")
    assert letter.sent_at is not None


def test_a_letter_that_cannot_be_written_does_not_hold_up_the_others(
    school: District, manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned, good = letters(completed(school, manager)), letters(refused(school, manager))
    write = mails.message

    def fails(letter: ResultMail) -> EmailMultiAlternatives:
        if letter in poisoned:
            raise KeyError("canary")
        return write(letter)

    monkeypatch.setattr(mails, "message", fails)
    assert mails.send_due() == 2
    assert [sent.subject for sent in mail.outbox] == [
        "[Maple USD] Student update 3 refused: not_utf8"
    ]
    [letter] = ResultMail.objects.filter(pk__in=[letter.pk for letter in poisoned])
    assert letter.last_error == "KeyError"
    assert letter.next_attempt_at is not None
    assert letter.next_attempt_at > timezone.now()
    assert ResultMail.objects.get(pk=good[0].pk).sent_at is not None


def test_dying_between_sent_and_marked_sends_it_once_more_under_the_same_id(
    school: District, manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters(completed(school, manager))
    send_it = EmailMultiAlternatives.send

    def then_dies(message: EmailMultiAlternatives, fail_silently: bool = False) -> int:
        send_it(message)
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(EmailMultiAlternatives, "send", then_dies)
        with pytest.raises(SystemExit):
            mails.send_due()
    mails.send_due()
    assert mails.send_due() == 0
    first, second = (sent.message() for sent in mail.outbox)
    assert first["Message-ID"] == second["Message-ID"]


def test_more_than_a_thousand_rejected_rows_are_counted_and_the_first_thousand_named(
    school: District, manager: Member
) -> None:
    rows = [f"x{number:04},5" for number in range(1000)] + ["s000,13", "s001,13"]
    written = message(run_update(school, manager, "STUDENT_ID,GRADE\n" + "\n".join(rows)))
    assert (
        "  unknown_student: 1,000 \u00d7 No such student.\n    Lines 2-1001.\n    To do: "
        in written.body
    )
    assert (
        "  bad_value: 2 \u00d7 The value is not one of those the column knows.\n    To do: "
        in written.body
    )
    assert "\nOnly the first 1,000 of these lines are named here.\n" in written.body
    assert "<p>Only the first 1,000 of these lines are named here.</p>" in html_of(written)
    assert "Lines ." not in written.body + html_of(written)


def test_exactly_a_thousand_rejected_rows_are_all_named(school: District, manager: Member) -> None:
    rows = [f"x{number:04},13,q" for number in range(1000)]
    written = message(run_update(school, manager, "STUDENT_ID,GRADE,GENDER\n" + "\n".join(rows)))
    assert "Lines 2-1001.\n" in written.body
    assert "are named here" not in written.body


def test_times_are_those_of_the_district(school: District, manager: Member) -> None:
    update = completed(school, manager)
    dated(update)
    District.objects.filter(pk=school.pk).update(time_zone="Asia/Kolkata")
    body = message(UpdateJob.objects.get(pk=update.pk)).body
    assert "Received  2026-11-23 13:35:10 IST\n" in body


def test_each_mail_leads_to_the_update_and_to_no_other_place(
    school: District, manager: Member
) -> None:
    written = message(completed(school, manager))
    for text in (written.body, html_of(written)):
        assert f"{settings.URL}/updates/2" in text
        assert text.count("http") == text.count(settings.URL)


def test_the_neighbours_updates_are_never_spoken_of(manager: Member, school: District) -> None:
    cedar = a_district("Cedar County", "100")
    enroll(cedar, a_class(3))
    body = message(completed(school, manager)).body
    assert "Before    update 1: 6 students, 0 updated, 6 added, 0 rejected\n" in body
    assert "Cedar" not in body
