"""The limits on uploads in progress, by their Content-Length."""

import shutil
from collections import namedtuple

import pytest

from rollbook.web.http import upload_quota
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.upload_quota import UploadQuota
from tests.web.curl import Curl, verdict

LARGEST = 1000
Disk = namedtuple("Disk", "total used free")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk of 10,000 bytes of which 5,500 are free, 500 of them reserved."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Disk(10_000, 4_500, 5_500))


@pytest.mark.usefixtures("disk")
def test_one_address_may_send_many_small_files() -> None:
    quota = UploadQuota()
    reservations = [quota.reserve("a", 100, LARGEST) for _ in range(20)]
    for reservation in reservations:
        reservation.__enter__()
    with pytest.raises(ApiError, match="too_many_uploads"), quota.reserve("a", 1, LARGEST):
        pass


@pytest.mark.usefixtures("disk")
def test_an_upload_releases_its_quota_however_it_ends() -> None:
    quota = UploadQuota()
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), quota.reserve("a", 2 * LARGEST, LARGEST):
            raise ZeroDivisionError
    assert quota._taken.total() == 0


@pytest.mark.statement("S25")
@pytest.mark.usefixtures("disk")
def test_all_addresses_together_have_a_limit() -> None:
    quota = UploadQuota()
    with (
        quota.reserve("a", 2000, LARGEST),
        quota.reserve("b", 2000, LARGEST),
        pytest.raises(ApiError, match="server_busy"),
        quota.reserve("c", 1, LARGEST),
    ):
        pass


@pytest.mark.statement("S25")
@pytest.mark.usefixtures("disk")
def test_disk_space_is_reserved() -> None:
    quota = UploadQuota()
    with (
        quota.reserve("a", 5000, 10 * LARGEST),
        pytest.raises(ApiError, match="disk_full") as caught,
        quota.reserve("b", 1, 10 * LARGEST),
    ):
        pass
    assert (caught.value.status, caught.value.retry_after) == (503, 60)


@pytest.mark.usefixtures("disk")
def test_an_upload_without_disk_space_is_not_read(
    curl: Curl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_quota, "RESERVED_DISK_BYTES", 100_000)
    monkeypatch.setattr(upload_quota, "RESERVED_DISK_SHARE", 1.0)
    assert verdict(curl.start()) == "ERROR disk_full"
    assert verdict(curl.status()).startswith("NONE")


def test_the_addresses_of_one_ipv6_network_share_their_quota(
    curl: Curl, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses: list[str] = []
    monkeypatch.setattr(
        UploadQuota, "_require", lambda quota, address, size, largest: addresses.append(address)
    )
    for last in "123":
        curl.client.defaults["REMOTE_ADDR"] = f"2001:db8::{last}"
        curl.start()
    assert addresses == ["2001:db8::"] * 3


@pytest.mark.statement("S25")
def test_every_upload_releases_its_quota(curl: Curl) -> None:
    curl.start()
    curl.sign_in[1] = ("password", "wrong")
    curl.start()
    assert upload_quota.UPLOAD_QUOTA._taken.total() == 0
