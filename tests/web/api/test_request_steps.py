"""Requests are checked in a fixed order: of any two errors, the earlier one is reported."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from rollbook.accounts import roles
from rollbook.accounts.auth.throttle import MAX_CHECKED_PER_ADDRESS, record_failure
from rollbook.accounts.models import KnownAddress, Member
from rollbook.districts.models import District
from rollbook.updates.models import UpdateJob
from rollbook.web.http.upload_form import MAX_FORM_BYTES
from tests.conftest import PASSWORD
from tests.web.curl import FORM, STUDENTS, File, Part, form, verdict

CLIENT_ADDRESS = "127.0.0.1"
WAITING = 4


@dataclass
class Request:
    """A request that is being broken."""

    file: Part = ("file", File())
    fields: dict[str, str] = field(
        default_factory=lambda: {"login": "ops@maple.example", "password": PASSWORD}
    )
    secure: bool = True
    method: str = "POST"
    query: str = ""
    meta: dict[str, str] = field(default_factory=lambda: {"CONTENT_TYPE": FORM})
    length: bool = True
    cut: bool = False

    def send(self, command: str = "start") -> Any:
        body = form([self.file, *self.fields.items()], end=not self.cut)
        length = {"CONTENT_LENGTH": str(len(body))} if self.length else {}
        return Client().generic(
            self.method,
            f"/slc/studentupdate/{command}",
            secure=self.secure,
            QUERY_STRING=self.query,
            **{"wsgi.input": io.BytesIO(body), **length, **self.meta},  # type: ignore[arg-type]
        )


def _plain_http(request: Request, settings: Settings) -> None:
    request.secure = False


def _exposed(request: Request, settings: Settings) -> None:
    request.query += "&password=secret"


def _get(request: Request, settings: Settings) -> None:
    request.method = "GET"


def _query(request: Request, settings: Settings) -> None:
    request.query += "update=17"


def _json(request: Request, settings: Settings) -> None:
    request.meta["CONTENT_TYPE"] = "application/json"


def _no_length(request: Request, settings: Settings) -> None:
    request.length = False


def _too_large(request: Request, settings: Settings) -> None:
    settings.MAX_UPLOAD_BYTES = 10 - MAX_FORM_BYTES


def _throttled(request: Request, settings: Settings) -> None:
    KnownAddress.objects.all().delete()
    for number in range(MAX_CHECKED_PER_ADDRESS):
        record_failure(
            f"{number}@maple.example", CLIENT_ADDRESS, timezone.now() - timedelta(minutes=1)
        )


def _incomplete(request: Request, settings: Settings) -> None:
    request.cut = True


def _wrong_password(request: Request, settings: Settings) -> None:
    request.fields["password"] = "wrong"


def _no_right(request: Request, settings: Settings) -> None:
    Member.objects.update(role=roles.standard(District.objects.get(), "instructor"))


def _misspelled(request: Request, settings: Settings) -> None:
    request.fields["chek"] = "yes"


def _wrong_kind(request: Request, settings: Settings) -> None:
    request.file = ("file", File(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"))


def _wrong_structure(request: Request, settings: Settings) -> None:
    if request.file == ("file", File()):  # a file of another type has no structure
        request.file = ("file", File(b""))


def _full_queue(request: Request, settings: Settings) -> None:
    for number in range(WAITING):
        Request(("file", File(STUDENTS + b"1%d,Ada,Byron\r\n" % number))).send()


# What breaks the request, and the resulting verdict and status, in the order of the steps.
FAULTS: list[tuple[Callable[[Request, Settings], None], str, int]] = [
    (_plain_http, "ERROR use_https", 403),
    (_exposed, "ERROR credentials_in_address", 400),
    (_get, "ERROR use_post", 405),
    (_query, "ERROR query_string", 400),
    (_json, "ERROR not_a_form", 415),
    (_no_length, "ERROR length_required", 411),
    (_too_large, "ERROR too_large", 413),
    (_throttled, "ERROR throttled", 429),
    (_incomplete, "ERROR incomplete_upload", 400),
    (_wrong_password, "ERROR sign_in_failed", 401),
    (_no_right, "ERROR not_allowed", 403),
    (_misspelled, "ERROR misspelled_field", 400),
    (_wrong_kind, "REFUSED update 1", 415),
    (_wrong_structure, "REFUSED update 1", 422),
    (_full_queue, "ERROR queue_full", 429),
]
NAMES = [fault.__name__.strip("_") for fault, _, _ in FAULTS]
PAIRS = [
    pytest.param(first, second, id=f"{NAMES[first]} before {NAMES[second]}")
    for first, second in combinations(range(len(FAULTS)), 2)
]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_of_two_errors_the_earlier_one_is_reported(
    first: int, second: int, manager: Member, settings: Settings
) -> None:
    request = Request()
    # The later one first: the queue must be filled before the address is throttled.
    FAULTS[second][0](request, settings)
    FAULTS[first][0](request, settings)
    response = request.send()
    _, expected, status = FAULTS[first]
    # A refused update gets the next number, after the waiting ones.
    expected = expected.replace("update 1", f"update {UpdateJob.objects.count()}")
    assert (verdict(response), response.status_code) == (expected, status)


@pytest.mark.parametrize("number", range(len(FAULTS)), ids=NAMES)
def test_each_error_is_reported_when_it_is_the_only_one(
    number: int, manager: Member, settings: Settings
) -> None:
    request = Request()
    break_request, expected, status = FAULTS[number]
    break_request(request, settings)
    response = request.send()
    assert (verdict(response), response.status_code) == (expected, status)


def test_a_correct_request_is_accepted(manager: Member) -> None:
    assert verdict(Request().send()) == "OK update 1 accepted"


@pytest.mark.parametrize("command", ["status", "cancel"])
def test_status_and_cancel_are_checked_in_the_same_order(command: str, manager: Member) -> None:
    request = Request(file=("update", "17"), secure=False, method="GET", query="a=b")
    assert verdict(request.send(command)) == "ERROR use_https"
    request.secure = True
    assert verdict(request.send(command)) == "ERROR use_post"
    request.method = "POST"
    assert verdict(request.send(command)) == "ERROR query_string"
