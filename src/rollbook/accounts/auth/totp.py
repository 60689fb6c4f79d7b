"""Time-based one-time codes of six digits (RFC 6238), as authenticator apps generate them."""

import base64
import secrets
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

DIGITS = 6
STEP_S = 30
"""Length of a time step in seconds."""

SECRET_BYTES = 20
ISSUER = "Rollbook"

# The current time step, then its neighbors, for clocks that are wrong and people who type slowly.
_TOLERATED_OFFSETS = (0, -1, 1)


def new_secret() -> bytes:
    """Return a random secret."""
    return secrets.token_bytes(SECRET_BYTES)


def step_at(now: datetime) -> int:
    """Return the number of the time step at this time."""
    return int(now.timestamp()) // STEP_S


def code_of(secret: bytes, step: int) -> str:
    """Return the code of a time step."""
    return _totp(secret).generate(step * STEP_S).decode()


def step_of(secret: bytes, code: str, now: datetime, after: int) -> int | None:
    """Return the time step that the code belongs to, or None if it isn't valid.

    The code must belong to the current time step or one of its neighbors, and that must be later
    than ``after``.
    """
    if not (code.isascii() and code.isdigit() and len(code) == DIGITS):
        return None
    for offset in _TOLERATED_OFFSETS:
        step = step_at(now) + offset
        if step > after and _is_code(secret, code, step):
            return step
    return None


def secret_as_text(secret: bytes) -> str:
    """Return the secret to type into an app: base32 in groups of four characters."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def otpauth_uri(secret: bytes, login: str) -> str:
    """Return the URI that apps read from a QR code: ``otpauth://totp/Rollbook:…``."""
    return _totp(secret).get_provisioning_uri(login, ISSUER)


def _is_code(secret: bytes, code: str, step: int) -> bool:
    try:
        _totp(secret).verify(code.encode(), step * STEP_S)
    except InvalidToken:
        return False
    return True


def _totp(secret: bytes) -> TOTP:
    # SHA-1 is secure within HMAC, and many apps support nothing else, whatever the QR code says.
    return TOTP(secret, DIGITS, SHA1(), STEP_S)  # noqa: S303 - see above
