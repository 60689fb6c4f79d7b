"""The limits on the bytes of uploads in progress, by their Content-Length."""

import shutil
from collections import namedtuple
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.http import HttpRequest

from rollbook.accounts.models import Member
from rollbook.web.http import upload_quota
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.upload_quota import UploadQuota
from rollbook.web.http.upload_shares import Caller, ShareExceeded, Trust
from rollbook.web.http.upload_slots import admit
from tests.conftest import PASSWORD, make_member
from tests.web.curl import Curl, basic, verdict

LARGEST = 1000
HERE, THERE, ELSEWHERE = "192.0.2.1", "198.51.100.1", "203.0.113.1"
Disk = namedtuple("Disk", "total used free")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk of 10,000 bytes of which 5,500 are free, 500 of them reserved."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Disk(10_000, 4_500, 5_500))


def known(address: str) -> Caller:
    return Caller(address, Trust.KNOWN)


def stranger(address: str) -> Caller:
    return Caller(address, Trust.STRANGER)


@pytest.mark.usefixtures("disk")
def test_one_address_may_send_many_small_files() -> None:
    quota = UploadQuota()
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(quota.reserve(known(HERE), 100, LARGEST))
        with (
            pytest.raises(ApiError, match="too_many_uploads"),
            quota.reserve(known(HERE), 1, LARGEST),
        ):
            pass


@pytest.mark.usefixtures("disk")
def test_an_upload_releases_its_quota_however_it_ends() -> None:
    quota = UploadQuota()
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), quota.reserve(known(HERE), 2 * LARGEST, LARGEST):
            raise ZeroDivisionError
    assert quota.shares.total == 0


@pytest.mark.usefixtures("disk")
def test_an_upload_without_a_slot_is_refused_and_releases_its_quota() -> None:
    def refuse(caller: Caller) -> None:
        raise ShareExceeded("server_busy")

    quota = UploadQuota()
    token = admit.set(refuse)
    with pytest.raises(ApiError, match="server_busy"), quota.reserve(known(HERE), 1, LARGEST):
        pass
    admit.reset(token)
    assert quota.shares.total == 0


@pytest.mark.statement("S25")
@pytest.mark.usefixtures("disk")
def test_all_addresses_together_have_a_limit() -> None:
    quota = UploadQuota()
    with (
        quota.reserve(known(HERE), 2000, LARGEST),
        quota.reserve(known(THERE), 2000, LARGEST),
        pytest.raises(ApiError, match="server_busy"),
        quota.reserve(known(ELSEWHERE), 1, LARGEST),
    ):
        pass


@pytest.mark.statement("S25")
@pytest.mark.usefixtures("disk")
def test_disk_space_is_reserved() -> None:
    quota = UploadQuota()
    with (
        quota.reserve(known(HERE), 5000, 10 * LARGEST),
        pytest.raises(ApiError, match="disk_full") as caught,
        quota.reserve(known(THERE), 1, 10 * LARGEST),
    ):
        pass
    assert (caught.value.status, caught.value.retry_after) == (503, 60)


@pytest.mark.usefixtures("disk")
def test_strangers_may_fill_half_of_the_free_disk() -> None:
    quota = UploadQuota()
    with quota.reserve(stranger(HERE), 2500, 10 * LARGEST):
        with (
            pytest.raises(ApiError, match="disk_full"),
            quota.reserve(stranger(THERE), 1, 10 * LARGEST),
        ):
            pass
        with quota.reserve(known(ELSEWHERE), 2500, 10 * LARGEST):
            pass


@pytest.mark.usefixtures("disk")
def test_an_upload_without_disk_space_is_not_read(
    curl: Curl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_quota, "RESERVED_DISK_BYTES", 100_000)
    monkeypatch.setattr(upload_quota, "RESERVED_DISK_SHARE", 1.0)
    assert verdict(curl.start()) == "ERROR disk_full"
    assert verdict(curl.status()).startswith("NONE")


@pytest.fixture
def callers() -> Iterator[list[Caller]]:
    """Who has been admitted, in place of the web server."""
    admitted: list[Caller] = []
    token = admit.set(admitted.append)
    yield admitted
    admit.reset(token)


def test_the_addresses_of_one_ipv6_network_share_their_quota(
    curl: Curl, callers: list[Caller]
) -> None:
    for last in "123":
        curl.client.defaults["REMOTE_ADDR"] = f"2001:db8::{last}"
        curl.start()
    assert [caller.address for caller in callers] == ["2001:db8::"] * 3


def test_credentials_in_the_header_are_checked_before_the_body(
    curl: Curl, callers: list[Caller], manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    curl.sign_in = []
    curl.start(authorization=basic(manager.email, PASSWORD))
    assert [caller.trust for caller in callers] == [Trust.KNOWN]
    monkeypatch.setattr(HttpRequest, "read", _never)
    answer = curl.start(authorization=basic(manager.email, "wrong"))
    assert (answer.status_code, verdict(answer)) == (401, "ERROR sign_in_failed")
    make_member(manager.district, "teacher@maple.example", "instructor")
    answer = curl.start(authorization=basic("teacher@maple.example", PASSWORD))
    assert (answer.status_code, verdict(answer)) == (403, "ERROR not_allowed")
    assert len(callers) == 1


def _never(*args: object) -> bytes:
    raise AssertionError("the body was read")


def test_an_address_is_known_after_a_sign_in(
    curl: Curl, callers: list[Caller], manager: Member
) -> None:
    curl.start()
    curl.start()
    assert [caller.trust for caller in callers] == [Trust.STRANGER, Trust.KNOWN]


@pytest.mark.statement("S25")
def test_every_upload_releases_its_quota(curl: Curl) -> None:
    curl.start()
    curl.sign_in[1] = ("password", "wrong")
    curl.start()
    assert upload_quota.UPLOAD_QUOTA.shares.total == 0
