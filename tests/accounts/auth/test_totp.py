"""Time-based one-time codes (RFC 6238)."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from rollbook.accounts.auth import totp

SECRET = b"12345678901234567890"  # from the examples in the RFC
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
def test_codes_match_the_examples_in_the_rfc(seconds: int, code: str) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    assert totp.code_of(SECRET, totp.step_at(now)) == code
    assert totp.step_of(SECRET, code, now, after=0) == seconds // 30


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_codes_of_neighboring_steps_are_accepted(offset: int) -> None:
    assert totp.step_of(SECRET, totp.code_of(SECRET, STEP + offset), NOW, after=0) == STEP + offset


@pytest.mark.parametrize("offset", [-3, -2, 2, 3])
def test_codes_of_other_steps_are_rejected(offset: int) -> None:
    assert totp.step_of(SECRET, totp.code_of(SECRET, STEP + offset), NOW, after=0) is None


def test_codes_up_to_the_last_used_step_are_rejected() -> None:
    codes = [totp.code_of(SECRET, STEP + offset) for offset in (-1, 0, 1)]
    assert [totp.step_of(SECRET, code, NOW, after=STEP) for code in codes] == [None, None, STEP + 1]


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "12345a", "１２３４５６", "-12345", "12 456", "x" * 5000, "\0"]
)
def test_invalid_text_is_rejected(code: str) -> None:
    assert totp.step_of(SECRET, code, NOW, after=0) is None


def test_secrets_are_different_and_long_enough() -> None:
    secrets = {totp.new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(secret) for secret in secrets} == {20}


def test_the_secret_is_shown_in_groups_of_four() -> None:
    assert totp.secret_as_text(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"


def test_the_uri_has_all_parameters_for_an_app() -> None:
    parts = urlsplit(totp.otpauth_uri(SECRET, "ops+night@maple.example"))
    assert (parts.scheme, parts.netloc, unquote(parts.path)) == (
        "otpauth",
        "totp",
        "/Rollbook:ops+night@maple.example",
    )
    parameters = {name: value for name, [value] in parse_qs(parts.query).items()}
    assert parameters == {
        "digits": "6",
        "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "algorithm": "SHA1",
        "issuer": "Rollbook",
        "period": "30",
    }


def test_a_time_step_is_30_seconds() -> None:
    begin = datetime.fromtimestamp(STEP * 30, UTC)
    assert {totp.step_at(begin), totp.step_at(begin + timedelta(seconds=29.9))} == {STEP}
    assert totp.step_at(begin + timedelta(seconds=30)) == STEP + 1
