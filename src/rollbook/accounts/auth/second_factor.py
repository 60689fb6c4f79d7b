"""Two-step verification: besides the password, a code from an app, or one of ten recovery codes.

The app's secret is encrypted with a key outside the database, and recovery codes are stored as
keyed digests, so a copy of the database is not enough to sign in. Each code works once.

An encrypted secret begins with the version of its key, unless that is the first one. A recovery
code can't be digested again with another key, so its row contains the version.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from rollbook.accounts import key_ring, mails, notices
from rollbook.accounts.audit import log
from rollbook.accounts.auth import api_tokens, throttle, totp
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.models import AccountMailKind, Member, RecoveryCode, SecondFactor
from rollbook.accounts.notices import Notice
from rollbook.accounts.permissions import Permission
from rollbook.secret_keys import FIRST_VERSION, KeyUnusable

RECOVERY_CODES = 10
NOTICED_WRONG_CODES = 5
TOKEN_NAME = "Created with two-step verification"  # noqa: S105 - not a secret

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without characters that look alike
_GROUP_COUNT, _GROUP_LENGTH = 4, 4  # 16 characters, about 79 bits
_NONCE_BYTES = 12
_PURPOSE = "second factors"
_SEPARATOR = "."  # between the version of the key and the secret


class CodeRejected(Exception):
    """The code is wrong, expired or already used; deliberately the same error for all."""


class SecretUnreadable(Exception):
    """This machine doesn't have the key of the secret, or has another one under its name."""


class AlreadyTurnedOn(Exception):
    """Two-step verification is already on, perhaps turned on in another browser."""


@dataclass(frozen=True)
class SecondFactorSetup:
    """What is shown once after turning on two-step verification.

    Attributes:
        recovery_codes: Ten codes.
        token: The secret of a token for scripts, if one was created.
    """

    recovery_codes: tuple[str, ...]
    token: str | None


def new_encrypted_secret(member: Member) -> str:
    """Return a new encrypted secret, to keep until a code confirms that an app has it."""
    return _encrypt(member, totp.new_secret())


def secret_as_text(member: Member, encrypted_secret: str) -> str:
    """Return the encrypted secret as text to type into an app."""
    return totp.secret_as_text(_decrypt(member, encrypted_secret))


def otpauth_uri(member: Member, encrypted_secret: str) -> str:
    """Return the URI of the encrypted secret, which an app reads from a QR code."""
    return totp.otpauth_uri(_decrypt(member, encrypted_secret), member.email)


def turn_on(member: Member, encrypted_secret: str, code: str, now: datetime) -> SecondFactorSetup:
    """Turn on two-step verification, and notify the member by email.

    Scripts then need a token; one is created if the member may update students and has none.

    Args:
        member: The member.
        encrypted_secret: The encrypted secret from ``new_encrypted_secret``.
        code: A current code, which shows that the app has the secret.
        now: The current time.

    Raises:
        CodeRejected: The code is wrong.
        AlreadyTurnedOn: Two-step verification is already on.
    """
    step = totp.step_of(_decrypt(member, encrypted_secret), code, now, after=0)
    if step is None:
        raise CodeRejected
    try:
        with transaction.atomic():
            factor = SecondFactor.objects.create(
                member=member, encrypted_secret=encrypted_secret, last_counter=step, enabled_at=now
            )
            codes = _new_codes(factor)
            token = _token_for_scripts(member, now)
            mails.queue_mail(member, AccountMailKind.SECOND_FACTOR_ON, now)
    except IntegrityError:
        raise AlreadyTurnedOn from None
    return SecondFactorSetup(codes, token)


def turn_off(member: Member, now: datetime, by: Member | None = None) -> bool:
    """Turn off two-step verification, and notify the member by email.

    Args:
        member: The member.
        now: The current time.
        by: The manager who does it; None: the member, or the operator.

    Returns:
        Whether it was on.
    """
    with transaction.atomic():
        deleted, _ = SecondFactor.objects.filter(member=member).delete()
        if deleted:
            mails.queue_mail(member, AccountMailKind.SECOND_FACTOR_OFF, now, by)
    return deleted > 0


def new_recovery_codes(member: Member) -> tuple[str, ...]:
    """Replace the recovery codes, and return the new ones.

    Raises:
        CodeRejected: Two-step verification has been turned off.
    """
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(member=member).first()
        if factor is None:
            raise CodeRejected
        RecoveryCode.objects.filter(second_factor=factor).delete()
        return _new_codes(factor)


def recovery_codes_left(member: Member) -> int:
    """Return the number of unused recovery codes."""
    return RecoveryCode.objects.filter(second_factor__member=member).count()


def verify_code(
    member: Member, code: str, address: str, now: datetime, agent: str = ""
) -> int | None:
    """Verify a code of the app or a recovery code, and use it up.

    Returns:
        The number of recovery codes left if this was one, otherwise None.

    Raises:
        CodeRejected: The code isn't valid.
        RateLimited: Too many codes were wrong; the code isn't verified.
    """
    normalized = "".join(code.split()).casefold()
    left = None
    with transaction.atomic():
        # The lock makes concurrent guesses wait until the previous one is counted.
        factor = SecondFactor.objects.select_for_update().filter(member=member).first()
        throttle.check_code(member.email, now)
        is_valid = factor is not None and _use_app_code(factor, member, normalized, now)
        if factor is not None and not is_valid and _use_recovery_code(factor, normalized):
            is_valid = True
            left = recovery_codes_left(member)
        if not is_valid:
            throttle.record_code_failure(member.email, address, now)
            if throttle.recent_code_failures(member.email, now) == NOTICED_WRONG_CODES:
                notices.notify(Notice.WRONG_CODES, now, member, detail=address)
        elif left is not None:
            notices.notify(Notice.RECOVERY_CODE, now, member, detail=str(left))
        _record(member, address, agent, now, is_valid=is_valid, left=left)
    if not is_valid:
        raise CodeRejected
    return left


def encrypted_with(version: int) -> QuerySet[SecondFactor]:
    """Return those whose secret is encrypted with this version of the key."""
    factors = SecondFactor.objects.all()
    if version == FIRST_VERSION:
        return factors.exclude(encrypted_secret__contains=_SEPARATOR)
    return factors.filter(encrypted_secret__startswith=_prefix(version))


def encrypt_again(version: int, limit: int) -> int:
    """Encrypt up to ``limit`` secrets of this version of the key with the current one.

    Returns:
        The number of secrets of this version that were found.
    """
    ring = key_ring.ring(key_ring.LOGINS)
    if version not in ring.keys or version == ring.current:
        return 0
    found = list(encrypted_with(version).select_related("member").order_by("pk")[:limit])
    with transaction.atomic():
        for factor in found:
            old = factor.encrypted_secret
            new = _encrypt(factor.member, _decrypt(factor.member, old))
            same = SecondFactor.objects.filter(pk=factor.pk, encrypted_secret=old)
            same.update(encrypted_secret=new)
    return len(found)


def turn_off_lost(version: int, now: datetime) -> list[Member]:
    """Turn off two-step verification of all members whose secret needs a lost key.

    Recovery codes that need it are deleted.

    Args:
        version: The version of the key.
        now: The current time.

    Returns:
        The members.
    """
    found = encrypted_with(version).select_related("member__district").order_by("pk")
    members = [factor.member for factor in found]
    with transaction.atomic():
        for member in members:
            turn_off(member, now)
        RecoveryCode.objects.filter(key_version=version).delete()
    return members


def _use_app_code(factor: SecondFactor, member: Member, code: str, now: datetime) -> bool:
    secret = _decrypt(member, factor.encrypted_secret)
    step = totp.step_of(secret, code, now, factor.last_counter)
    if step is None:
        return False
    unused = SecondFactor.objects.filter(pk=factor.pk, last_counter__lt=step)
    return unused.update(last_counter=step) > 0


def _use_recovery_code(factor: SecondFactor, code: str) -> bool:
    codes = RecoveryCode.objects.filter(second_factor=factor)
    for version in set(codes.values_list("key_version", flat=True)):
        if digest := _digest(factor.member_id, code, version):
            used, _ = codes.filter(digest=digest, key_version=version).delete()
            if used:
                return True
    return False


def _record(
    member: Member, address: str, agent: str, now: datetime, *, is_valid: bool, left: int | None
) -> None:
    """Record a failure or the use of a recovery code; the new session is recorded anyway."""
    if not is_valid:
        log.record(
            "sign in", "failed", member=member, address=address, agent=agent, detail="code", now=now
        )
    elif left is not None:
        log.record(
            "recovery code",
            "used",
            member=member,
            address=address,
            agent=agent,
            detail=f"{left} left",
            now=now,
        )


def _new_codes(factor: SecondFactor) -> tuple[str, ...]:
    codes = tuple(_random_code() for _ in range(RECOVERY_CODES))
    version = key_ring.ring(key_ring.LOGINS).current
    digests = [_digest(factor.member_id, code, version) for code in codes]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(second_factor=factor, digest=digest, key_version=version) for digest in digests
    )
    return codes


def _token_for_scripts(member: Member, now: datetime) -> str | None:
    if not member.may(Permission.UPDATE_STUDENTS) or api_tokens.active_tokens(member, now).exists():
        return None
    _, secret = api_tokens.create(member, TOKEN_NAME, tuple(Scope), now)
    return secret


def _random_code() -> str:
    """Return a recovery code such as ``k7fq-2m9x-tb4w-hz8d``."""
    return "-".join(_random_group() for _ in range(_GROUP_COUNT))


def _random_group() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH))


def _digest(member: int, code: str, version: int) -> str:
    """Return the keyed digest of a recovery code, with or without hyphens.

    It is empty if this machine doesn't have the version of the key.
    """
    ring = key_ring.ring_with(key_ring.LOGINS, version)
    if version not in ring.keys:
        return ""
    text = f"{member}\n{code.replace('-', '')}".encode("utf-8", "surrogatepass")
    return hmac.digest(ring.derive("recovery codes", version), text, hashlib.sha256).hex()


def _encrypt(member: Member, secret: bytes) -> str:
    """Encrypt the secret so that it can be decrypted for this member only."""
    ring = key_ring.ring(key_ring.LOGINS)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    cipher = AESGCM(ring.derive(_PURPOSE))
    encrypted = base64.b64encode(nonce + cipher.encrypt(nonce, secret, _associated_data(member)))
    return f"{_prefix(ring.current)}{encrypted.decode()}"


def _decrypt(member: Member, encrypted_secret: str) -> bytes:
    """Decrypt the secret.

    Raises:
        SecretUnreadable: This machine doesn't have the version of the key.
    """
    version, text = _split(encrypted_secret)
    try:
        key = key_ring.ring_with(key_ring.LOGINS, version).derive(_PURPOSE, version)
    except (KeyError, KeyUnusable) as error:
        raise SecretUnreadable from error
    decoded = base64.b64decode(text)
    nonce, encrypted = decoded[:_NONCE_BYTES], decoded[_NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, encrypted, _associated_data(member))
    except InvalidTag as error:
        raise SecretUnreadable from error


def _prefix(version: int) -> str:
    return "" if version == FIRST_VERSION else f"{version}{_SEPARATOR}"


def _split(encrypted_secret: str) -> tuple[int, str]:
    """Return the version of the key, and the rest."""
    version, separator, text = encrypted_secret.rpartition(_SEPARATOR)
    if not separator:
        return FIRST_VERSION, text
    return int(version), text


def _associated_data(member: Member) -> bytes:
    return f"member {member.pk}".encode()
