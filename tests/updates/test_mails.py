"""Result emails: their recipients and content, sent once, and without data of students."""

import re
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
from rollbook.studentfile.problems.problem import Severity
from rollbook.updates import mails, runner
from rollbook.updates.models import ResultMail, UpdateJob
from rollbook.updates.state_machine import UNFINISHED, Mode, State
from rollbook.version import describe
from tests.conftest import make_district, make_member
from tests.updates.ended_updates import ENDS, completed, refused, run_update
from tests.updates.night import a_class, enroll, finish, last, report_of, run, send, send_bytes

MAILS = Path(__file__).parent / "mails"
RECEIVED = datetime(2026, 11, 23, 8, 5, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, a_class(6))


@pytest.fixture
def school(enrolled: None, maple: District, manager: Member) -> District:
    return maple


def set_times(update: UpdateJob) -> None:
    """Give the update the times that the expected mails have."""
    update.refresh_from_db()
    UpdateJob.objects.filter(pk=update.pk).update(
        received_at=RECEIVED,
        started_at=RECEIVED + timedelta(seconds=1) if update.started_at else None,
        ended_at=RECEIVED + timedelta(seconds=49.2),
    )


def queued_mails(update: UpdateJob) -> list[ResultMail]:
    mails.queue_result_mails()
    return list(ResultMail.objects.filter(update=update).order_by("member__email"))


def message(update: UpdateJob) -> EmailMultiAlternatives:
    return mails.message(queued_mails(update)[0])


def html_of(message: EmailMultiAlternatives) -> str:
    [(content, kind)] = message.alternatives
    assert kind == "text/html"
    return str(content)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("end", ENDS)
def test_a_mail_is_worded_like_this(school: District, manager: Member, end: str) -> None:
    update = ENDS[end](school, manager)
    set_times(update)
    email = message(update)
    parts = {"subject": f"{email.subject}\n", "txt": email.body, "html": html_of(email)}
    golden = {kind: (MAILS / f"{end}.{kind}").read_text(encoding="utf-8") for kind in parts}
    assert parts == golden


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("end", ENDS)
def test_the_mail_has_the_counts_of_the_report(school: District, manager: Member, end: str) -> None:
    update = ENDS[end](school, manager)
    email = message(update)
    report = report_of(update)
    if report.state is State.REFUSED:
        assert email.subject == "File not accepted, nothing applied · Maple USD update 2"
        return
    rows = re.findall(r'scope="row"[^>]*>([^<]+)</th><td[^>]*>([^<]+)</td>', html_of(email))
    for word, in_subject, count in (
        ("changed", r"{} students? changed", report.updated),
        ("rejected", r"{} rows? rejected", report.rejected),
        ("not processed", "{} not processed", report.not_processed),
    ):
        in_subject = in_subject.format(count)
        assert bool(re.search(rf"\b{in_subject}\b", str(email.subject))) is (count > 0)
        assert f"\n  {word:<13}  {count}\n" in email.body
        assert (word, str(count)) in rows


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


@pytest.mark.statement("S40")
@pytest.mark.parametrize(
    "columns", [[column.name for column in COLUMNS], list(CANARIES)[:6], ["STUDENT_ID", "USERNAME"]]
)
@pytest.mark.parametrize("mode", Mode)
def test_no_mail_and_no_log_line_has_data_of_a_student(
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
    assert report_of(update).rejected > 0
    email = message(update)
    everything = (
        email.message().as_string()
        + email.body
        + html_of(email)
        + caplog.text
        + "".join(capfd.readouterr())
    )
    assert "canary" not in everything.casefold()
    assert "s000" not in everything


@pytest.mark.statement("S40")
@pytest.mark.parametrize(
    "data",
    [
        b"Canary,Canary,05/13/2012\nCanary,Canary,05/13/2013\n",
        b"canary1,Canary,Canary\n1,2,3\n",
        b"STUDENT_ID,NAME\n1,Canar\xff\n",
        b'STUDENT_ID,FIRST_NAME\n1,"Canary\n2,Canary\n',
        b"STUDENT_ID,FIRST_NAME\n1,Canary,x\n2,Canary,,x\n3,Canary,,,x\n",
        b"FIRST_NAME,LAST_NAME\nCanary,Canary\n",
        b"<html>Canary",
        b"Canary;Canary;Canary\nSTUDENT_ID;2;3\n",
    ],
)
def test_the_mail_about_a_refused_file_has_no_data_of_a_student(
    school: District, manager: Member, data: bytes
) -> None:
    update = send_bytes(school, data, member=manager).update
    assert update.state == "refused"
    email = message(update)
    assert "canar" not in (email.message().as_string() + email.body + html_of(email)).casefold()


@pytest.mark.statement("S50")
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
def test_the_name_of_a_district_cannot_add_headers(
    school: District, manager: Member, name: str
) -> None:
    update = completed(school, manager)
    District.objects.filter(pk=school.pk).update(name=name)
    email = message(UpdateJob.objects.get(pk=update.pk))
    assert email.subject.isprintable()
    assert email.subject.startswith("6 students changed · Maple")
    assert email.subject.endswith(" update 2")
    sent = email.message()
    assert sorted(sent.keys()) == [
        "Auto-Submitted",
        "Content-Type",
        "Date",
        "From",
        "MIME-Version",
        "Message-ID",
        "Subject",
        "To",
        "X-Mailer",
    ]
    assert sent["To"] == manager.email


def test_names_that_look_like_html_are_escaped(school: District, manager: Member) -> None:
    District.objects.filter(pk=school.pk).update(name="<b>Maple</b> & Co")
    update = send(school, a_class(1), member=manager, file_name="<img src=x>.csv")
    finish(update)
    email = message(UpdateJob.objects.get(pk=update.pk))
    assert "<b>Maple</b> & Co" in email.subject
    assert "<b>Maple</b> & Co" in email.body
    assert "&lt;b&gt;Maple&lt;/b&gt; &amp; Co" in html_of(email)
    assert "<b>" not in html_of(email)
    assert "<img" not in html_of(email)


@pytest.mark.statement("S40")
def test_a_mail_does_not_contain_the_name_of_the_file(school: District, manager: Member) -> None:
    update = send(school, a_class(1), member=manager, file_name="Ana Brook.csv")
    finish(update)
    email = message(UpdateJob.objects.get(pk=update.pk))
    assert "Ana Brook" not in email.message().as_string()
    assert "Ana Brook" not in email.body + html_of(email)


@pytest.mark.statement("S52")
def test_a_mail_is_marked_as_auto_generated_and_dated(school: District, manager: Member) -> None:
    [queued] = queued_mails(completed(school, manager))
    sent = mails.message(queued).message()
    assert sent["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(sent["Date"]) == queued.queued_at.replace(microsecond=0)
    assert sent["From"] == settings.DEFAULT_FROM_EMAIL
    assert sent["X-Mailer"] == f"Rollbook {describe()}"
    assert isinstance(sent, Received) or sent.is_multipart()


def test_the_message_id_is_the_same_for_every_attempt_and_unique_to_each_mail(
    school: District, manager: Member
) -> None:
    other = make_member(school, "zoe@maple.example")
    Member.objects.filter(pk=other.pk).update(receives_results=True)
    both = queued_mails(completed(school, manager))
    ids = [[mails.message(queued).message()["Message-ID"] for queued in both] for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2
    assert all(message_id.endswith("@localhost>") for message_id in ids[0])


def test_mails_are_sent_to_the_starter_and_to_the_recipients_of_results(
    school: District, manager: Member, cedar: District
) -> None:
    for email, gets, active in (
        ("a@maple.example", True, True),
        ("b@maple.example", False, True),
        ("c@maple.example", True, False),
    ):
        Member.objects.filter(pk=make_member(school, email).pk).update(
            receives_results=gets, is_active=active
        )
    Member.objects.filter(pk=make_member(cedar, "d@cedar.example").pk).update(receives_results=True)
    assert [queued.member.email for queued in queued_mails(completed(school, manager))] == [
        "a@maple.example",
        manager.email,
    ]
    finish(send(school, a_class(1)))
    assert [queued.member.email for queued in queued_mails(last(school))] == ["a@maple.example"]
    Member.objects.filter(pk=manager.pk).update(is_active=False)
    assert [queued.member.email for queued in queued_mails(refused(school, manager))] == [
        "a@maple.example"
    ]


def test_a_starter_who_also_receives_results_gets_one_mail(
    school: District, manager: Member
) -> None:
    Member.objects.filter(pk=manager.pk).update(receives_results=True)
    assert len(queued_mails(completed(school, manager))) == 1


def test_mails_are_queued_once_and_only_at_the_end(school: District, manager: Member) -> None:
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


def test_an_update_without_recipients_has_no_mails(school: District) -> None:
    run(school, a_class(1))
    assert queued_mails(last(school)) == []
    assert mails.send_due() == 0
    assert not UpdateJob.objects.filter(mails_queued_at=None).exclude(state__in=UNFINISHED).exists()


def test_a_mail_is_sent_once(school: District, manager: Member) -> None:
    [queued] = queued_mails(completed(school, manager))
    assert [mails.send_due(), mails.send_due()] == [1, 0]
    [sent] = mail.outbox
    assert sent.to == [manager.email]
    queued.refresh_from_db()
    assert (queued.attempts, queued.next_attempt_at, queued.last_error) == (1, None, "")
    assert queued.sent_at is not None


def test_a_mail_that_cannot_be_built_does_not_block_the_others(
    school: District, manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned, good = (
        queued_mails(completed(school, manager)),
        queued_mails(refused(school, manager)),
    )
    build = mails.message

    def fails(queued: ResultMail) -> EmailMultiAlternatives:
        if queued in poisoned:
            raise KeyError("canary")
        return build(queued)

    monkeypatch.setattr(mails, "message", fails)
    assert mails.send_due() == 2
    assert [sent.subject for sent in mail.outbox] == [
        "File not accepted, nothing applied · Maple USD update 3"
    ]
    [failed_mail] = ResultMail.objects.filter(pk__in=[queued.pk for queued in poisoned])
    assert failed_mail.last_error == "KeyError"
    assert failed_mail.next_attempt_at is not None
    assert failed_mail.next_attempt_at > timezone.now()
    assert ResultMail.objects.get(pk=good[0].pk).sent_at is not None


def test_a_kill_between_sending_and_recording_sends_it_again_with_the_same_id(
    school: District, manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued_mails(completed(school, manager))
    send_mail = EmailMultiAlternatives.send

    def send_then_die(message: EmailMultiAlternatives, fail_silently: bool = False) -> int:
        send_mail(message)
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(EmailMultiAlternatives, "send", send_then_die)
        with pytest.raises(SystemExit):
            mails.send_due()
    mails.send_due()
    assert mails.send_due() == 0
    first, second = (sent.message() for sent in mail.outbox)
    assert first["Message-ID"] == second["Message-ID"]


def test_the_first_lines_of_an_error_are_listed_and_said_to_be_the_first(
    school: District, manager: Member
) -> None:
    rows = [f"x{number:04},5" for number in range(1000)] + ["s000,15", "s001,15"]
    email = message(run_update(school, manager, "STUDENT_ID,GRADE\n" + "\n".join(rows)))
    assert (
        "* 1,000 \u00d7 The student doesn't exist.\n"
        "  First lines 2-21.\n"
        "  Column STUDENT_ID.\n"
        "  How to fix it: "
    ) in email.body
    assert "* 2 \u00d7 A value isn't recognized.\n  Column GRADE.\n" in email.body
    assert "lines ." not in (email.body + html_of(email)).casefold()


def test_a_mail_names_ignored_columns_and_says_no_action_only_if_there_is_nothing_to_say(
    school: District, manager: Member
) -> None:
    update = run_update(school, manager, "STUDENT_ID,GRADE,SHOE_SIZE,HAT\ns000,5,40,M")
    email = message(update)
    for text in (email.body, html_of(email)):
        assert "No action needed" not in text
        assert "SHOE_SIZE and HAT" in text
        assert "Not read" in text
    assert "2 columns weren't read: SHOE_SIZE and HAT. Check 2 warnings." in email.body
    update = run_update(school, manager, "STUDENT_ID,GRADE,_HAT\ns000,6,M")
    assert "No action needed" in message(update).body


@pytest.mark.parametrize(("rows", "lines"), [(20, "Lines 2-21."), (21, "First lines 2-21.")])
def test_twenty_lines_of_an_error_are_all_of_them_or_the_first(
    school: District, manager: Member, rows: int, lines: str
) -> None:
    file = "\n".join(f"x{number:04},15,q" for number in range(rows))
    email = message(run_update(school, manager, f"STUDENT_ID,GRADE,GENDER\n{file}"))
    assert f"\n  {lines}\n" in email.body


def test_five_errors_are_listed_and_the_others_counted(school: District, manager: Member) -> None:
    rows = [
        "s000,15,,,,",
        "s001,,2/30/2015,,,",
        "s002,,,900,,",
        "s003,,,,Wrong@user,",
        "x,5,,,,",
        "s004,5,,,,,x",
        "s005,5,,,,12345678",
        "s005,6,,,,",
    ]
    header = "STUDENT_ID,GRADE,DOB,SCHOOL_ID,USERNAME,PASSWORD"
    update = run_update(school, manager, "\n".join((header, *rows)))
    errors = [group for group in report_of(update).groups if group.severity is Severity.ERROR]
    assert len(errors) > 5
    email = message(update)
    above, _, _ = email.body.partition("\nWarnings\n")
    assert above.count("How to fix it: ") == 5
    others = f"{len(errors) - 5} other kind"
    assert others in above
    assert others in html_of(email)


def test_times_are_in_the_time_zone_of_the_district(school: District, manager: Member) -> None:
    update = completed(school, manager)
    set_times(update)
    District.objects.filter(pk=school.pk).update(time_zone="Asia/Kolkata")
    body = message(UpdateJob.objects.get(pk=update.pk)).body
    assert "  Received  Nov 23, 2026, 1:35 PM IST\n" in body


@pytest.mark.statement("S40")
def test_each_mail_links_to_the_update_and_nothing_else(school: District, manager: Member) -> None:
    email = message(completed(school, manager))
    for text in (email.body, html_of(email)):
        assert f"{settings.URL}/updates/2" in text
        assert text.count("http") == text.count(settings.URL)


def test_updates_of_other_districts_are_not_mentioned(manager: Member, school: District) -> None:
    cedar = make_district("Cedar County", "100")
    enroll(cedar, a_class(3))
    body = message(completed(school, manager)).body
    assert "Previous  update 1: 6 students, 0 changed, 6 added, 0 rejected\n" in body
    assert "Cedar" not in body
