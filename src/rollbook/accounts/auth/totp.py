"""Codes of six digits that an app makes of a secret and the time, as RFC 6238 says: what every such app can do."""

import base64
import secrets
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

DIGITS = 6
SECONDS = 30
"""How long one step is, and its code the newest."""

BYTES = 20
ISSUER = "Rollbook"

# The step that is on, then those of a clock that is slow or fast, or of somebody who types slowly.
_TOLERATED = (0, -1, 1)


def new_secret() -> bytes:
    """Random bytes that nobody has had before."""
    return secrets.token_bytes(BYTES)


def step_at(now: datetime) -> int:
    """The number of the step that is on at this moment."""
    return int(now.timestamp()) // SECONDS


def code_of(secret: bytes, step: int) -> str:
    """The code of this step."""
    return _totp(secret).generate(step * SECONDS).decode()


def step_of(secret: bytes, code: str, now: datetime, after: int) -> int | None:
    """The step whose code this is: the one that is on, or one beside it, if it is later than ``after``; else None."""
    if not (code.isascii() and code.isdigit() and len(code) == DIGITS):
        return None
    steps = (step_at(now) + beside for beside in _TOLERATED)
    return next((step for step in steps if step > after and _is_code(secret, code, step)), None)


def in_letters(secret: bytes) -> str:
    """The secret as it is typed into an app: groups of four letters and digits."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def address(secret: bytes, login: str) -> str:
    """What apps read out of a QR code, ``otpauth://totp/Rollbook:…``."""
    return _totp(secret).get_provisioning_uri(login, ISSUER)


def _is_code(secret: bytes, code: str, step: int) -> bool:
    try:
        _totp(secret).verify(code.encode(), step * SECONDS)
    except InvalidToken:
        return False
    return True


def _totp(secret: bytes) -> TOTP:
    # SHA-1 within HMAC is sound, and many apps know no other, whatever a QR code says.
    return TOTP(secret, DIGITS, SHA1(), SECONDS)
