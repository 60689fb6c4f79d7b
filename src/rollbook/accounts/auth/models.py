"""What sign-in stores: second factors, tokens, sessions, and what the rate limits count."""

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class SecondFactor(models.Model):
    """Two-step verification of a member, with the secret for one-time codes.

    See ``second_factor.py``.
    """

    member = models.OneToOneField(
        "accounts.Member", on_delete=models.CASCADE, related_name="second_factor"
    )
    encrypted_secret = models.CharField(
        max_length=255, help_text="TOTP secret, encrypted with a key outside the database"
    )
    last_counter = models.BigIntegerField(
        help_text="time step of the last code that was accepted; each code works once"
    )
    enabled_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"two-step verification {self.pk}"


class RecoveryCode(models.Model):
    """A one-time code to use without the authenticator app; deleted when it is used."""

    second_factor = models.ForeignKey(SecondFactor, on_delete=models.CASCADE, db_index=False)
    digest = models.CharField(max_length=64)
    key_version = models.PositiveSmallIntegerField(
        db_default=1, help_text="version of the key of the digest"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["second_factor", "digest"], name="recovery_code")
        ]

    def __str__(self) -> str:
        return f"recovery code {self.pk}"


class Token(models.Model):
    """An API token of a member; only the digest of its secret is stored, see ``api_tokens.py``."""

    member = models.ForeignKey("accounts.Member", on_delete=models.PROTECT)
    name = models.CharField(max_length=60)
    key = models.CharField(
        max_length=8, unique=True, help_text="characters after rb_, used to look up the token"
    )
    digest = models.CharField(max_length=64)
    scopes = models.JSONField(help_text="upload commands the token may call")
    networks = models.JSONField(
        null=True, help_text="networks from which it works, in CIDR notation; null: from anywhere"
    )
    limits = models.JSONField(
        null=True, help_text="what its files may do, see token_limits.py; null: everything"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, help_text="accurate to one minute; null: never")
    expiry_mailed_at = models.DateTimeField(
        null=True, help_text="when the email that it expires soon was queued; null: not yet"
    )

    def __str__(self) -> str:
        return f"token {self.key}"


class Session(AbstractBaseSession):
    """A browser session; written by ``sessions.py`` only.

    ``session_key`` is a digest of the key in the cookie. ``expire_date`` is when the session
    expires if there are no more requests.
    """

    member = models.ForeignKey(
        "accounts.Member", null=True, on_delete=models.CASCADE, help_text="null: not signed in"
    )
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(
        max_length=200, help_text="User-Agent, truncated, without control characters"
    )
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(help_text="accurate to one minute")


class SignInFailure(models.Model):
    """A failed sign-in, counted for the rate limit."""

    login_digest = models.CharField(
        max_length=64, help_text="keyed digest of the submitted login, which can be any text"
    )
    address = models.GenericIPAddressField()
    failed_at = models.DateTimeField()
    of_member = models.BooleanField(
        db_default=False, help_text="whether the login exists; such failures count on their own"
    )

    class Meta:
        indexes = [
            models.Index(fields=["address", "failed_at"], name="failures_by_address"),
            models.Index(fields=["login_digest", "failed_at"], name="failures_by_login"),
        ]


class PasswordRequest(models.Model):
    """A request for a password reset, counted for the rate limit."""

    address = models.GenericIPAddressField()
    requested_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["address", "requested_at"], name="requests_by_address")]


class KnownAddress(models.Model):
    """A network from which a member has signed in, see ``known_addresses.py``."""

    member = models.ForeignKey("accounts.Member", on_delete=models.CASCADE)
    address = models.GenericIPAddressField()
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "address"], name="known_address")]
        indexes = [models.Index(fields=["address", "last_seen_at"], name="known_addresses")]
