"""``start``: upload a file and create an update."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.http import UnreadablePostError
from django.test import Client

from rollbook.accounts.members.members import set_receivers
from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts import modes
from rollbook.districts.models import District
from rollbook.districts.modes import MODES, Channel
from rollbook.updates import transitions
from rollbook.updates.engine import WorkerStatus
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.receiving.files import IncomingFile
from rollbook.updates.state_machine import State
from rollbook.web.api import request_steps
from rollbook.web.http import authentication
from tests.conftest import PASSWORD, make_district, make_member
from tests.studentfile.reading.conversion.workbooks import Cell, Raw, xlsx
from tests.web.curl import STUDENTS, Curl, File, Part, basic, first_line, text, verdict

nothing_kept = pytest.mark.usefixtures("nothing_kept")
OTHER = File(STUDENTS + b"102,Grace,Hopper\r\n")
ADDRESS = "https://localhost:8443"
_SIGN_INS: dict[str, list[Part]] = {
    "stranger": [],
    "neighbor with a wrong password": [("login", "ops@cedar.example"), ("password", "wrong")],
    "instructor": [("login", "ines@maple.example"), ("password", PASSWORD)],
}


# --- What is accepted


def test_a_file_is_accepted_and_counted(curl: Curl) -> None:
    response = curl.start()
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert text(response) == (
        "OK update 1 accepted: 2 students in students.csv, now checking\n"
        "The results will be emailed to ops@maple.example.\n"
    )


def test_the_recipients_of_the_district_are_listed_too(curl: Curl, manager: Member) -> None:
    make_member(manager.district, "it@maple.example", "instructor")
    set_receivers(manager.district, ["it@maple.example", "ops@maple.example"])
    assert "emailed to ops@maple.example and it@maple.example." in text(curl.start())


def test_the_update_has_its_starter_and_file(
    curl: Curl, manager: Member, spool: Callable[[], int]
) -> None:
    curl.start(None, ("mode", "add"))
    update = UpdateJob.objects.get()
    assert (update.member, update.source, update.mode) == (manager, "curl", "add")
    assert (update.file_name, update.file_size) == ("students.csv", len(STUDENTS))
    assert spool() == 1


@pytest.mark.statement("S45")
def test_starting_is_audited(curl: Curl, manager: Member) -> None:
    curl.start(user_agent="curl/8.5.0")
    event = AuditEvent.objects.get(action="start")
    assert (event.member, event.result, event.detail, event.agent) == (
        manager,
        "received",
        "update 1",
        "curl/8.5.0",
    )


def test_credentials_may_come_before_the_file(curl: Curl) -> None:
    assert verdict(curl.post("start", [*curl.sign_in, ("file", File())])) == "OK update 1 accepted"


def test_http_basic_replaces_login_and_password(curl: Curl) -> None:
    response = curl.post(
        "start", [("file", File())], authorization=basic("ops@maple.example", PASSWORD)
    )
    assert verdict(response) == "OK update 1 accepted"


@pytest.mark.statement("S14")
def test_a_password_from_a_file_may_end_with_a_line_break(curl: Curl) -> None:
    curl.sign_in = [("login", "ops@maple.example\n"), ("password", PASSWORD + "\r\n")]
    assert verdict(curl.start()) == "OK update 1 accepted"


def test_the_encoding_in_the_form_overrides_that_of_the_district(curl: Curl) -> None:
    jose = File(STUDENTS + "102,José,Martí\r\n".encode("cp1252"))
    assert verdict(curl.start(jose)) == "REFUSED update 1"
    assert verdict(curl.start(jose, ("encoding", "Windows-1252"))) == "OK update 2 accepted"
    assert UpdateJob.objects.get(number=2).encoding == "cp1252"


def test_the_district_may_have_its_own_encoding(curl: Curl, manager: Member) -> None:
    manager.district.encoding = "cp1252"
    manager.district.save()
    assert (
        verdict(curl.start(File(STUDENTS + "102,José,Martí\r\n".encode("cp1252"))))
        == "OK update 1 accepted"
    )


@pytest.mark.statement("S18")
def test_a_cookie_is_not_a_sign_in(curl: Curl, nothing_kept: None) -> None:
    curl.client.cookies["sessionid"] = "stolen"
    assert verdict(curl.post("start", [("file", File())])) == "ERROR missing_login"


@pytest.mark.statement("S18")
def test_no_csrf_token_is_needed_because_each_request_has_credentials(
    curl: Curl,
) -> None:
    curl.client = Client(enforce_csrf_checks=True)
    assert verdict(curl.start()) == "OK update 1 accepted"


# --- The same file again, and other files


def test_the_same_file_during_its_update_is_the_same_update(curl: Curl) -> None:
    curl.start()
    response = curl.start()
    assert response["Idempotent-Replayed"] == "true"
    assert text(response) == (
        "OK update 1 accepted: 2 students in students.csv, now checking\n"
        "The results will be emailed to ops@maple.example.\n"
        "The same file is already update 1; no second update was started.\n"
    )
    assert UpdateJob.objects.count() == 1


@pytest.mark.parametrize("choice", ["needed", "weekly"])
def test_no_email_is_promised_to_those_who_do_not_get_every_one(
    curl: Curl, manager: Member, choice: str
) -> None:
    Member.objects.filter(pk=manager.pk).update(update_emails=choice)
    assert "emailed" not in text(curl.start())
    other = make_member(manager.district, "eve@maple.example")
    Member.objects.filter(pk=other.pk).update(receives_results=True)
    assert "The results will be emailed to eve@maple.example.\n" in text(curl.start())


def test_the_same_file_after_the_end_is_a_new_update_with_a_note(curl: Curl) -> None:
    curl.start()
    curl.cancel()
    response = curl.start()
    assert verdict(response) == "OK update 2 accepted"
    assert "The file is identical to the file of update 1 (canceled).\n" in text(response)
    assert "Idempotent-Replayed" not in response


def test_another_file_waits_for_the_update_in_progress(curl: Curl) -> None:
    curl.start()
    response = curl.start(OTHER)
    assert (
        first_line(response)
        == "OK update 2 accepted: 3 students in students.csv, waiting for update 1"
    )


def test_the_queue_is_full_with_the_fifth_file(curl: Curl, spool: Callable[[], int]) -> None:
    for number in range(4):
        curl.start(File(STUDENTS + b"2%d,Grace,Hopper\r\n" % number))
    response = curl.start(OTHER)
    assert (response.status_code, response["Retry-After"]) == (429, "60")
    assert verdict(response) == "ERROR queue_full"
    assert (UpdateJob.objects.count(), spool()) == (4, 4)


def test_a_file_beyond_the_quota_of_the_district_is_not_kept(
    curl: Curl, manager: Member, spool: Callable[[], int]
) -> None:
    District.objects.filter(pk=manager.district_id).update(kept_bytes_limit=len(STUDENTS) + 5)
    assert verdict(curl.start()) == "OK update 1 accepted"
    response = curl.start(OTHER)
    assert (response.status_code, verdict(response)) == (413, "ERROR quota_exceeded")
    assert "each is removed 14 days after the end of its update" in text(response)
    assert (UpdateJob.objects.count(), spool()) == (1, 1)


def test_each_district_has_its_own_numbers_and_files(curl: Curl, neighbor: Member) -> None:
    curl.start()
    assert verdict(Curl(neighbor.email).start()) == "OK update 1 accepted"


def test_without_a_worker_the_file_is_accepted_and_the_answer_says_so(
    curl: Curl, worker: Callable[[WorkerStatus], None]
) -> None:
    worker(WorkerStatus(False, datetime(2026, 11, 20, 8, 7, 11, tzinfo=UTC)))
    assert first_line(curl.start()) == (
        "OK update 1 accepted: 2 students in students.csv, waiting; no worker has been seen since "
        "2026-11-20 02:07:11 CST; nothing is lost; tell your Rollbook administrator"
    )


# --- A file that cannot be accepted


def test_a_file_that_cannot_be_accepted_is_a_refused_update(curl: Curl) -> None:
    response = curl.start(File(b""))
    assert response.status_code == 422
    assert first_line(response).startswith("REFUSED update 1: empty_file: ")
    assert UpdateJob.objects.get().state == State.REFUSED


@pytest.mark.statement("S28")
@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04\x14\x00\x06\x00",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"%PDF-1.7",
        b"\x1f\x8b\x08\x00",
        b"\x7fELF\2\1",
    ],
    ids=["xlsx or zip", "xls", "pdf", "gzip", "program"],
)
def test_a_file_of_another_type_is_detected_by_its_content(curl: Curl, data: bytes) -> None:
    response = curl.start(File(data + b"\0" * 600))
    assert (response.status_code, verdict(response)) == (415, "REFUSED update 1")


@pytest.mark.process
def test_a_workbook_is_accepted_whatever_its_name(curl: Curl, spool: Callable[[], int]) -> None:
    rows: list[list[Cell | Raw]] = [["STUDENT_ID", "GRADE"], ["00123", 5], ["00124", 6]]
    response = curl.start(File(xlsx(rows)))
    assert first_line(response).startswith("OK update 1 accepted: 2 students in students.csv")
    assert spool() == 1


def test_a_refused_file_is_not_queued(curl: Curl) -> None:
    for _ in range(6):
        assert curl.start(File(b"")).status_code == 422
    assert verdict(curl.start()) == "OK update 7 accepted"


# --- Errors on our side


@nothing_kept
@pytest.mark.parametrize(
    ("number", "code"),
    [(28, "disk_full"), (122, "disk_full"), (5, "storage_failed"), (24, "storage_failed")],
)
def test_a_disk_error_is_a_503(  # F25 F28 F35
    curl: Curl, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def full(self: IncomingFile, data: bytes) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(IncomingFile, "write", full)
    response = curl.start()
    assert (response.status_code, verdict(response), response["Retry-After"]) == (
        503,
        f"ERROR {code}",
        "60",
    )


@nothing_kept
def test_a_disk_that_is_full_at_the_end(curl: Curl, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: IncomingFile, district_id: int) -> str:
        raise OSError(28, "no")

    monkeypatch.setattr(IncomingFile, "persist", full)
    assert verdict(curl.start()) == "ERROR disk_full"


@nothing_kept
def test_a_busy_database_is_a_503(curl: Curl, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*args: object, **kwargs: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(request_steps, "receive", busy)
    response = curl.start()
    assert (response.status_code, verdict(response), response["Retry-After"]) == (
        503,
        "ERROR database_busy",
        "5",
    )


@nothing_kept
def test_an_internal_error_leaves_no_file(curl: Curl, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("Ada Lovelace, 12/10/1815")

    monkeypatch.setattr(authentication, "member_of", broken)
    response = curl.start()
    assert (response.status_code, verdict(response)) == (500, "ERROR internal_error")
    assert response["X-Request-Id"] in text(response)
    assert "Lovelace" not in text(response)


@nothing_kept
def test_a_connection_that_is_lost_while_reading(
    curl: Curl, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object, size: int = -1) -> bytes:
        raise UnreadablePostError("reset")

    monkeypatch.setattr("django.http.request.HttpRequest.read", broken)
    assert verdict(curl.start()) == "ERROR incomplete_upload"


# --- JSON


def _json(response: Any) -> dict[str, Any]:
    body = json.loads(response.content)
    assert isinstance(body, dict)
    return body


def test_the_response_as_json_has_a_location(curl: Curl) -> None:
    response = curl.start(accept="application/json")
    assert (response.status_code, response["Content-Type"]) == (202, "application/json")
    assert (response["Location"], response["Retry-After"]) == (f"{ADDRESS}/updates/1", "5")
    body = _json(response)
    assert (body["verdict"], body["update"], body["state"], body["rows"]) == (
        "OK",
        1,
        "received",
        2,
    )
    assert body["file"]["name"] == "students.csv"
    assert body["replayed"] is False
    assert first_line(curl.start()) == body["message"]


def test_an_error_as_json_is_an_rfc_9457_problem(curl: Curl, nothing_kept: None) -> None:
    response = curl.post("start", curl.sign_in, accept="application/json")
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    assert _json(response) == {
        "title": "Bad Request",
        "status": 400,
        "code": "missing_file",
        "detail": "no file was sent; add -F file=@students.csv",
    }


def test_a_refused_file_as_json_is_a_problem_too(curl: Curl) -> None:
    response = curl.start(File(b""), accept="application/json")
    assert (response.status_code, response["Content-Type"]) == (422, "application/problem+json")
    body = _json(response)
    assert (body["code"], body["update"], body["verdict"]) == ("empty_file", 1, "REFUSED")


# --- Concurrent requests


@pytest.mark.django_db(transaction=True)
def test_the_same_upload_twenty_times_in_parallel_is_one_update() -> None:  # F38
    make_member(make_district("Maple USD"), "ops@maple.example")
    together, answers = Barrier(20), []

    def send() -> None:
        together.wait()
        answers.append(curl_once())
        connection.close()

    def curl_once() -> Any:
        return Curl().start()

    threads = [Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [verdict(answer) for answer in answers] == ["OK update 1 accepted"] * 20
    assert sum("Idempotent-Replayed" in answer for answer in answers) == 19
    assert UpdateJob.objects.count() == 1


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("person", _SIGN_INS)
def test_what_is_sent_without_permission_is_not_written_to_the_database(
    monkeypatch: pytest.MonkeyPatch, person: str
) -> None:
    monkeypatch.setattr(files, "LARGE_BYTES", 1)
    make_member(make_district("Maple USD"), "ops@maple.example")
    make_member(make_district("Cedar USD"), "ops@cedar.example")
    make_member(District.objects.get(slug="maple-usd"), "ines@maple.example", "instructor")
    unknown, written = Curl(), _chunks_ever_written()
    unknown.sign_in = _SIGN_INS[person]
    assert verdict(unknown.start()).startswith("ERROR ")
    assert _chunks_ever_written() == written
    Curl().start()
    assert _chunks_ever_written() > written


def _chunks_ever_written() -> tuple[bool, int]:
    """Return what grows with every chunk, also with one that is rolled back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT is_called, last_value FROM updates_filechunk_id_seq")
        is_called, last = cursor.fetchone()
    return is_called, last


def test_a_lost_answer_is_repeated(curl: Curl) -> None:  # F37
    first, second = curl.start(), curl.start()
    assert first_line(first) == first_line(second)
    transitions.transition(UpdateJob.objects.get().pk, State.CHECKING, run_id="r")
    assert verdict(curl.start()) == "OK update 1 accepted"


# --- The mode


@nothing_kept
def test_full_sync_is_refused_in_one_sentence_until_it_is_turned_on(curl: Curl) -> None:
    response = curl.start(None, ("mode", "sync"))
    assert response.status_code == 403
    assert first_line(response) == (
        "ERROR mode_not_allowed: Maple USD doesn't allow mode=sync for scripts, only update and "
        "add; a district manager can change that in the settings, under Full sync"
    )
    assert not UpdateJob.objects.exists()


def test_full_sync_is_accepted_once_it_is_turned_on(curl: Curl, maple: District) -> None:
    maple.modes = modes.as_stored({Channel.SCRIPTS: MODES})
    maple.save()
    assert curl.start(None, ("mode", "sync")).status_code == 200
    assert UpdateJob.objects.get().mode == "sync"
