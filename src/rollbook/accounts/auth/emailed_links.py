"""Tokens in emailed links, which work once, for a limited time.

A token is signed, and not stored. The signed text includes a fingerprint of the stored password,
so that the token is invalid once a password is set, and of the email and whether the member is
active, so that it is invalid once either changes.
"""

from datetime import timedelta

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.utils.crypto import constant_time_compare, salted_hmac

from rollbook.accounts import key_ring
from rollbook.accounts.models import AccountMailKind, Member

LIFETIME: dict[AccountMailKind, timedelta] = {
    AccountMailKind.INVITATION: timedelta(days=7),
    AccountMailKind.FORGOTTEN_PASSWORD: timedelta(hours=1),
}
"""The kinds of email that have a link, and how long it works."""

_SALT = "rollbook.accounts.auth.emailed_links"
_SEPARATOR = "."


class LinkExpired(Exception):
    """The link isn't valid, or its member is inactive; deliberately the same error for all."""

    def __init__(self) -> None:
        super().__init__(
            "This link has expired, has already been used, or isn't complete. Request a new one."
        )


def make_token(member: Member, kind: AccountMailKind) -> str:
    """Return a new token, safe in URLs; its lifetime begins now."""
    fingerprint = _fingerprint(member, kind, _keys()[0])
    return _signer(kind).sign(f"{member.pk}{_SEPARATOR}{fingerprint}")


def link_url(token: str) -> str:
    """Return the URL with this token; its host is the setting, never the Host header."""
    return f"{settings.URL}/password/{token}"


def read_token(token: str) -> tuple[Member, AccountMailKind]:
    """Return the member and the kind of email that the token was made for.

    This doesn't use up the token; setting a password does.

    Raises:
        LinkExpired: The token isn't valid.
    """
    for kind, lifetime in LIFETIME.items():
        try:
            signed = _signer(kind).unsign(token, max_age=lifetime)
        except BadSignature:
            continue
        return _member(signed, kind), kind
    raise LinkExpired


def _member(signed: str, kind: AccountMailKind) -> Member:
    key, _, fingerprint = signed.partition(_SEPARATOR)
    members = Member.objects.select_related("district", "role", "second_factor")
    member = members.filter(pk=int(key), is_active=True).first()
    if member is None:
        raise LinkExpired
    valid = [_fingerprint(member, kind, secret) for secret in _keys()]
    if not any(constant_time_compare(fingerprint, each) for each in valid):
        raise LinkExpired
    return member


def _signer(kind: AccountMailKind) -> TimestampSigner:
    current, *others = _keys()
    salt = f"{_SALT} {kind}"
    return TimestampSigner(key=current, fallback_keys=[*others], sep=_SEPARATOR, salt=salt)


def _fingerprint(member: Member, kind: AccountMailKind, key: str) -> str:
    text = "\0".join((str(member.pk), member.password, member.email, str(member.is_active)))
    return salted_hmac(f"{_SALT} {kind}", text, secret=key, algorithm="sha256").hexdigest()


def _keys() -> list[str]:
    """Return the session key, followed by those that it has replaced."""
    return [key.hex() for key in key_ring.ring(key_ring.SESSION).newest_first()]
