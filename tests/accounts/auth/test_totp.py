"""Codes of the time, as RFC 6238 says."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from rollbook.accounts.auth import totp

SECRET = b"12345678901234567890"  # of the RFC's own examples
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
STEP = totp.step_at(NOW)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    assert totp.code_of(SECRET, totp.step_at(now)) == code
    assert totp.step_of(SECRET, code, now, after=0) == seconds // 30


@pytest.mark.parametrize("beside", [-1, 0, 1])
def test_the_step_before_and_the_one_after_are_good_too(beside: int) -> None:
    assert totp.step_of(SECRET, totp.code_of(SECRET, STEP + beside), NOW, after=0) == STEP + beside


@pytest.mark.parametrize("beside", [-3, -2, 2, 3])
def test_others_are_not(beside: int) -> None:
    assert totp.step_of(SECRET, totp.code_of(SECRET, STEP + beside), NOW, after=0) is None


def test_what_was_used_and_what_was_before_it_is_good_no_more() -> None:
    codes = [totp.code_of(SECRET, STEP + beside) for beside in (-1, 0, 1)]
    assert [totp.step_of(SECRET, code, NOW, after=STEP) for code in codes] == [None, None, STEP + 1]


@pytest.mark.parametrize(
    "said", ["", "12345", "1234567", "12345a", "１２３４５６", "-12345", "12 456", "x" * 5000, "\0"]
)
def test_rubbish_is_no_code(said: str) -> None:
    assert totp.step_of(SECRET, said, NOW, after=0) is None


def test_every_secret_is_another_one_and_long_enough() -> None:
    secrets = {totp.new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(secret) for secret in secrets} == {20}


def test_the_secret_is_written_in_groups_of_four() -> None:
    assert totp.in_letters(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"


def test_the_address_tells_an_app_all_that_it_needs() -> None:
    parts = urlsplit(totp.address(SECRET, "ops+night@maple.example"))
    assert (parts.scheme, parts.netloc, unquote(parts.path)) == (
        "otpauth",
        "totp",
        "/Rollbook:ops+night@maple.example",
    )
    told = {name: value for name, [value] in parse_qs(parts.query).items()}
    assert told == {
        "digits": "6",
        "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "algorithm": "SHA1",
        "issuer": "Rollbook",
        "period": "30",
    }


def test_a_step_is_half_a_minute() -> None:
    begin = datetime.fromtimestamp(STEP * 30, UTC)
    assert {totp.step_at(begin), totp.step_at(begin + timedelta(seconds=29.9))} == {STEP}
    assert totp.step_at(begin + timedelta(seconds=30)) == STEP + 1
