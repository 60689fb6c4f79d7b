"""The second factor: besides the password a code of an app, or one of ten recovery codes for who has lost the app.

The app's secret is kept under a key that is not in the database, and recovery codes as keyed digests: who has the
database alone can make none of them. Every code is good once.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import IntegrityError, transaction

from rollbook.accounts import mails
from rollbook.accounts.audit import log
from rollbook.accounts.auth import api_tokens, throttle, totp
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.models import AccountMailKind, Member, RecoveryCode, SecondFactor
from rollbook.accounts.permissions import Permission
from rollbook.secret_keys import derived

RECOVERY_CODES = 10
TOKEN_NAME = "Made with the second factor"

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look like another one
_GROUPS, _LENGTH = 4, 4  # 16 characters, about 79 bits
_NONCE = 12


class CodeFailed(Exception):
    """This is neither the code that the app shows now nor a recovery code, or it has been used: one answer for all."""


class AlreadyOn(Exception):
    """The member has a second factor, perhaps since a moment ago in another browser."""


@dataclass(frozen=True)
class SecondFactorSetup:
    """What is told once: the recovery codes, and the token that scripts need, if one was made."""

    recovery_codes: tuple[str, ...]
    token: str | None


def new_encrypted_secret(member: Member) -> str:
    """A new secret for the member, sealed: it is kept so until a code has shown that an app has it."""
    return _seal(member, totp.new_secret())


def in_letters(member: Member, sealed: str) -> str:
    """The secret as it is typed into an app."""
    return totp.in_letters(_opened(member, sealed))


def address(member: Member, sealed: str) -> str:
    """What an app reads out of a QR code."""
    return totp.address(_opened(member, sealed), member.email)


def switch_on(member: Member, sealed: str, code: str, now: datetime) -> SecondFactorSetup:
    """From now on the member signs in with a code too, and scripts with a token, which is made if there is none yet.

    ``sealed`` is the draft whose code this must be. The member is told by mail. Raises CodeFailed and AlreadyOn.
    """
    step = totp.step_of(_opened(member, sealed), code, now, after=0)
    if step is None:
        raise CodeFailed
    try:
        with transaction.atomic():
            factor = SecondFactor.objects.create(
                member=member, encrypted_secret=sealed, last_counter=step, enabled_at=now
            )
            codes = _new_codes(factor)
            token = _token_for_scripts(member, now)
            mails.queue_mail(member, AccountMailKind.SECOND_FACTOR_ON, now)
    except IntegrityError:
        raise AlreadyOn from None
    return SecondFactorSetup(codes, token)


def switch_off(member: Member, now: datetime, by: Member | None = None) -> bool:
    """The password alone signs the member in again, who is told by mail; whether there was a second factor.

    ``by`` is the manager who does it; None: the member, or the host.
    """
    with transaction.atomic():
        ended, _ = SecondFactor.objects.filter(member=member).delete()
        if ended:
            mails.queue_mail(member, AccountMailKind.SECOND_FACTOR_OFF, now, by)
    return ended > 0


def new_recovery_codes(member: Member) -> tuple[str, ...]:
    """Ten new ones; those before are good no more. Raises CodeFailed if the second factor is off meanwhile."""
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(member=member).first()
        if factor is None:
            raise CodeFailed
        RecoveryCode.objects.filter(second_factor=factor).delete()
        return _new_codes(factor)


def recovery_codes_left(member: Member) -> int:
    """How many recovery codes the member can still use."""
    return RecoveryCode.objects.filter(second_factor__member=member).count()


def verify_code(
    member: Member, code: str, address: str, now: datetime, agent: str = ""
) -> int | None:
    """Take this code, which is good no more then. Of a recovery code it returns how many are left, else None.

    Raises CodeFailed, and Throttled before anything is looked at.
    """
    said = "".join(code.split()).casefold()
    left = None
    with transaction.atomic():
        # Of those that guess side by side each waits here for the one before to be counted.
        factor = SecondFactor.objects.select_for_update().filter(member=member).first()
        throttle.check_code(member.email, address, now)
        is_good = factor is not None and _use_step(factor, member, said, now)
        if factor is not None and not is_good and (is_good := _use_recovery_code(factor, said)):
            left = recovery_codes_left(member)
        if not is_good:
            throttle.record_code_failure(member.email, address, now)
        _record(member, address, agent, now, is_good=is_good, left=left)
    if not is_good:
        raise CodeFailed
    return left


def _use_step(factor: SecondFactor, member: Member, code: str, now: datetime) -> bool:
    step = totp.step_of(_opened(member, factor.encrypted_secret), code, now, factor.last_counter)
    later = SecondFactor.objects.filter(pk=factor.pk, last_counter__lt=step or 0)
    return step is not None and later.update(last_counter=step) > 0


def _use_recovery_code(factor: SecondFactor, code: str) -> bool:
    used, _ = RecoveryCode.objects.filter(
        second_factor=factor, digest=_digest(factor.member_id, code)
    ).delete()
    return used > 0


def _record(
    member: Member, address: str, agent: str, now: datetime, *, is_good: bool, left: int | None
) -> None:
    """What is as it should be the session tells that begins with it; a recovery code is worth a word of its own."""
    if not is_good:
        log.record(
            "sign in", "failed", member=member, address=address, agent=agent, detail="code", now=now
        )
    elif left is not None:
        detail = f"{left} left"
        log.record(
            "recovery code",
            "used",
            member=member,
            address=address,
            agent=agent,
            detail=detail,
            now=now,
        )


def _new_codes(factor: SecondFactor) -> tuple[str, ...]:
    codes = tuple(_random_code() for _ in range(RECOVERY_CODES))
    RecoveryCode.objects.bulk_create(
        RecoveryCode(second_factor=factor, digest=_digest(factor.member_id, code)) for code in codes
    )
    return codes


def _token_for_scripts(member: Member, now: datetime) -> str | None:
    if not member.may(Permission.UPDATE_STUDENTS) or api_tokens.active_tokens(member, now).exists():
        return None
    _, secret = api_tokens.create(member, TOKEN_NAME, tuple(Scope), now)
    return secret


def _random_code() -> str:
    """Such as ``k7fq-2m9x-tb4w-hz8d``."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)


def _digest(member: int, code: str) -> str:
    """However its groups are parted."""
    letters_alone = code.replace("-", "")
    said = f"{member}\n{letters_alone}".encode("utf-8", "surrogatepass")
    return hmac.digest(_key("recovery codes"), said, hashlib.sha256).hex()


def _seal(member: Member, secret: bytes) -> str:
    """It can be opened for this member only: moved to another one's row it is worth nothing."""
    nonce = secrets.token_bytes(_NONCE)
    sealed = AESGCM(_key("second factors")).encrypt(nonce, secret, _owner(member))
    return base64.b64encode(nonce + sealed).decode()


def _opened(member: Member, sealed: str) -> bytes:
    both = base64.b64decode(sealed)
    return AESGCM(_key("second factors")).decrypt(both[:_NONCE], both[_NONCE:], _owner(member))


def _owner(member: Member) -> bytes:
    return f"member {member.pk}".encode()


def _key(purpose: str) -> bytes:
    return derived(settings.KEYS, "logins", purpose)
