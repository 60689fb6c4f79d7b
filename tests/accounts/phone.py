"""A phone with an app for one-time codes, and a member who has one."""

import base64
from dataclasses import dataclass
from datetime import datetime

from rollbook.accounts.auth import second_factor, totp
from rollbook.accounts.models import Member
from tests.accounts.browser import NOW


@dataclass(frozen=True)
class Phone:
    """It has been told a secret."""

    secret: bytes

    @classmethod
    def told(cls, letters: str) -> "Phone":
        """The secret as a page shows it."""
        return cls(base64.b32decode(letters.replace(" ", "")))

    def code(self, now: datetime = NOW, later: int = 0) -> str:
        """What it shows now, or so many steps later."""
        return totp.code_of(self.secret, totp.step_at(now) + later)


@dataclass(frozen=True)
class Kept:
    """What a member has after switching a second factor on; the code of that moment is used up."""

    phone: Phone
    recovery_codes: tuple[str, ...]
    token: str | None


def with_second_factor(member: Member, now: datetime = NOW) -> Kept:
    """The member has one from now on."""
    draft = second_factor.new_encrypted_secret(member)
    phone = Phone.told(second_factor.in_letters(member, draft))
    made = second_factor.switch_on(member, draft, phone.code(now), now)
    return Kept(phone, made.recovery_codes, made.token)
