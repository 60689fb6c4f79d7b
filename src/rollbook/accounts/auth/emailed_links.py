"""The secret in a mailed link: it proves that its holder reads the member's mail, once, and for a while.

It is signed, and kept nowhere. What it signs includes a fingerprint of the stored password, so that it is used up when
a password is set, and of e-mail address and activity, so that it ends with either.
"""

from datetime import timedelta

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.utils.crypto import constant_time_compare, salted_hmac

from rollbook.accounts.models import AccountMailKind, Member

LIFETIME: dict[AccountMailKind, timedelta] = {
    AccountMailKind.INVITATION: timedelta(days=7),
    AccountMailKind.FORGOTTEN_PASSWORD: timedelta(hours=1),
}
"""The letters that have a link, and how long it may be used."""

_SALT = "rollbook.accounts.auth.emailed_links"
_SEPARATOR = "."


class LinkExpired(Exception):
    """The link was used, is too old or not whole, or its member may not sign in any more: one answer for all."""

    def __init__(self) -> None:
        super().__init__(
            "This link has been used, is too old, or is not complete. Ask for a new one."
        )


def make(member: Member, kind: AccountMailKind) -> str:
    """A new token, fit for a URL; it is good from now on."""
    return _signer(kind).sign(f"{member.pk}{_SEPARATOR}{_fingerprint(member, kind)}")


def address(token: str) -> str:
    """Where the token leads; never made from what a request says of the host."""
    return f"{settings.URL}/password/{token}"


def read(token: str) -> tuple[Member, AccountMailKind]:
    """Whose link it is, and of which kind. Raises BadLink. It is used up by setting a password, not by reading."""
    for kind in LIFETIME:
        try:
            signed = _signer(kind).unsign(token, max_age=LIFETIME[kind])
        except BadSignature:
            continue
        return _member(signed, kind), kind
    raise LinkExpired


def _member(signed: str, kind: AccountMailKind) -> Member:
    number, _, fingerprint = signed.partition(_SEPARATOR)
    found = Member.objects.select_related("district", "role", "second_factor")
    member = found.filter(pk=int(number), is_active=True).first()
    if member is None or not constant_time_compare(fingerprint, _fingerprint(member, kind)):
        raise LinkExpired
    return member


def _signer(kind: AccountMailKind) -> TimestampSigner:
    return TimestampSigner(sep=_SEPARATOR, salt=f"{_SALT} {kind}")


def _fingerprint(member: Member, kind: AccountMailKind) -> str:
    facts = "\0".join((str(member.pk), member.password, member.email, str(member.is_active)))
    return salted_hmac(f"{_SALT} {kind}", facts, algorithm="sha256").hexdigest()
