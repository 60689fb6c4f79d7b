"""A phone with an authenticator app, and members who use two-step verification."""

import base64
from dataclasses import dataclass
from datetime import datetime

from rollbook.accounts.auth import second_factor, totp
from rollbook.accounts.models import Member
from tests.accounts.browser import NOW


@dataclass(frozen=True)
class Phone:
    """An authenticator app with a secret."""

    secret: bytes

    @classmethod
    def with_secret(cls, text: str) -> "Phone":
        """Set it up with the secret as shown on a page."""
        return cls(base64.b32decode(text.replace(" ", "")))

    def code(self, now: datetime = NOW, later: int = 0) -> str:
        """Return the current code, or the code that many time steps later."""
        return totp.code_of(self.secret, totp.step_at(now) + later)


@dataclass(frozen=True)
class TwoStepSetup:
    """What a member has after turning on two-step verification; the first code is used up."""

    phone: Phone
    recovery_codes: tuple[str, ...]
    token: str | None


def with_second_factor(member: Member, now: datetime = NOW) -> TwoStepSetup:
    """Turn on two-step verification for the member."""
    encrypted_secret = second_factor.new_encrypted_secret(member)
    phone = Phone.with_secret(second_factor.secret_as_text(member, encrypted_secret))
    setup = second_factor.turn_on(member, encrypted_secret, phone.code(now), now)
    return TwoStepSetup(phone, setup.recovery_codes, setup.token)
