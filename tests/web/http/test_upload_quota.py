"""Whether there is room for one more upload, judged by what it announces."""

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
    """A disk of 10,000 bytes of which 5,500 are free, 500 of them kept so."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Disk(10_000, 4_500, 5_500))


@pytest.mark.usefixtures("disk")
def test_twenty_small_files_from_one_address_have_room() -> None:
    office = UploadQuota()
    held = [office.reserve("a", 100, LARGEST) for _ in range(20)]
    for one in held:
        one.__enter__()
    with pytest.raises(ApiError, match="too_many_uploads"), office.reserve("a", 1, LARGEST):
        pass


@pytest.mark.usefixtures("disk")
def test_an_upload_that_has_ended_makes_room_however_it_ended() -> None:
    office = UploadQuota()
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), office.reserve("a", 2 * LARGEST, LARGEST):
            raise ZeroDivisionError
    assert office._taken.total() == 0


@pytest.mark.usefixtures("disk")
def test_all_addresses_together_have_a_limit() -> None:
    office = UploadQuota()
    with (
        office.reserve("a", 2000, LARGEST),
        office.reserve("b", 2000, LARGEST),
        pytest.raises(ApiError, match="server_busy"),
        office.reserve("c", 1, LARGEST),
    ):
        pass


@pytest.mark.usefixtures("disk")
def test_the_disk_is_never_filled_to_the_brim() -> None:
    office = UploadQuota()
    with (
        office.reserve("a", 5000, 10 * LARGEST),
        pytest.raises(ApiError, match="disk_full") as caught,
        office.reserve("b", 1, 10 * LARGEST),
    ):
        pass
    assert (caught.value.status, caught.value.retry_after) == (503, 60)


@pytest.mark.usefixtures("disk")
def test_an_upload_that_finds_no_room_is_not_read(
    curl: Curl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_quota, "KEPT_FREE", 100_000)
    monkeypatch.setattr(upload_quota, "KEPT_FREE_SHARE", 1.0)
    assert verdict(curl.start()) == "ERROR disk_full"
    assert verdict(curl.status()).startswith("NONE")


def test_the_addresses_of_one_ipv6_customer_share_their_room(
    curl: Curl, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        UploadQuota, "_require", lambda room, address, size, largest: asked.append(address)
    )
    for last in "123":
        curl.client.defaults["REMOTE_ADDR"] = f"2001:db8::{last}"
        curl.start()
    assert asked == ["2001:db8::"] * 3


def test_every_upload_gives_its_room_back(curl: Curl) -> None:
    curl.start()
    curl.sign_in[1] = ("password", "wrong")
    curl.start()
    assert upload_quota.UPLOAD_QUOTA._taken.total() == 0
