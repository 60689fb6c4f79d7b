"""Test ``/updates/17`` as plain text and JSON, which the answers of the commands link to."""

import json
from typing import Any

import pytest
from django.test import Client

from rollbook.accounts.auth.throttle import MAX_FAILURES_PER_LOGIN_AND_ADDRESS
from rollbook.accounts.models import AuditEvent, Member
from rollbook.updates.models import UpdateJob
from tests.conftest import PASSWORD, make_member
from tests.web.api.test_status import work
from tests.web.curl import STUDENTS, Curl, File, basic, first_line, text, verdict


def get(
    login: str = "ops@maple.example", password: str = PASSWORD, number: int = 1, **headers: str
) -> Any:
    meta = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return Client().get(
        f"/updates/{number}",
        secure=True,
        **{"HTTP_AUTHORIZATION": basic(login, password), **meta},  # type: ignore[arg-type]
    )


def test_the_report_starts_with_the_verdict_and_groups_the_problems(curl: Curl) -> None:
    curl.start()
    work()
    response = get()
    lines = text(response).splitlines()
    assert response.status_code == 200
    assert lines[0] == first_line(curl.status())
    assert lines[2] == "File: students.csv, 68 bytes, 2 rows"
    assert lines[5] == "Started by: Ana Ruiz (ops@maple.example), with curl"
    assert any(line.startswith("2 x ") for line in lines)
    assert "Lines: 2 and 3" in lines


def test_the_report_uses_the_words_of_the_pages(curl: Curl) -> None:
    rows = b"".join(b"%d,Ada,Byron\r\n" % number for number in range(30))
    curl.start(File(STUDENTS + rows))
    work()
    UpdateJob.objects.update(member=None, source="rollbook")
    lines = text(get()).splitlines()
    assert "Started by: your Rollbook administrator, with rollbook" in lines
    assert [line.partition(":")[0] for line in lines if " CST" in line or " UTC" in line] == [
        "Received",
        "Started",
        "Ended",
    ]
    assert [line for line in lines if line.startswith("First lines: 2, 3, ")]


def test_the_link_in_the_answer_is_this_address(curl: Curl) -> None:
    curl.start()
    work()
    link = first_line(curl.status()).partition("see ")[2]
    assert link == "https://localhost:8443/updates/1"


def test_a_refused_file_has_a_report_too(curl: Curl) -> None:
    curl.start(File(b""))
    assert first_line(get()).startswith("REFUSED update 1: empty_file: ")


def test_the_report_as_json(curl: Curl) -> None:
    curl.start()
    work()
    answer = json.loads(get(accept="application/json").content)
    assert (
        answer["update"],
        answer["problems"][0]["count"],
        answer["problems"][0]["first_lines"],
    ) == (
        1,
        2,
        [2, 3],
    )


def test_clients_have_to_sign_in(curl: Curl) -> None:
    curl.start()
    response = Client().get("/updates/1", secure=True)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Basic realm="Rollbook", charset="UTF-8"'


def test_another_district_finds_nothing_and_that_is_audited(curl: Curl, neighbor: Member) -> None:
    curl.start()
    response = get(neighbor.email)
    assert (response.status_code, text(response)) == (
        404,
        "ERROR not_found: there is nothing at this address\n",
    )
    event = AuditEvent.objects.get(action="report")
    assert (event.result, event.member) == ("not found", neighbor)


@pytest.mark.parametrize("role", ["school manager", "instructor"])
def test_only_district_managers_read_it(curl: Curl, manager: Member, role: str) -> None:
    curl.start()
    make_member(manager.district, "it@maple.example", role)
    assert get("it@maple.example").status_code == 403


@pytest.mark.statement("S04")
def test_a_wrong_password_is_throttled_as_everywhere(curl: Curl) -> None:
    codes = [
        get(password="wrong").status_code for _ in range(MAX_FAILURES_PER_LOGIN_AND_ADDRESS + 1)
    ]
    assert codes == [401] * MAX_FAILURES_PER_LOGIN_AND_ADDRESS + [429]


def test_reading_is_audited(curl: Curl, manager: Member) -> None:
    curl.start()
    get()
    assert AuditEvent.objects.get(action="report").result == "seen"


def test_http_post_and_query_strings_are_refused(curl: Curl) -> None:
    assert verdict(Client().get("/updates/1")) == "ERROR use_https"
    response = Client().post("/updates/1", secure=True)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert verdict(Client().get("/updates/1?format=csv", secure=True)) == "ERROR query_string"


@pytest.mark.parametrize("number", [0, 2, 10**9, 10**30])
def test_numbers_that_are_no_update_are_not_found(curl: Curl, number: int) -> None:
    curl.start()
    assert get(number=number).status_code == 404


def test_a_path_that_is_no_number_is_not_found(curl: Curl) -> None:
    assert (
        text(Client().get("/updates/seventeen", secure=True))
        == "ERROR not_found: there is nothing at this address\n"
    )
