"""Who may act: the members of a district's staff, what they tried, and what they did."""

from enum import StrEnum

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q

from rollbook.accounts.permissions import POSSIBLE, Permission, RoleType
from rollbook.districts.models import District, School
from rollbook.mail.models import OutgoingMail


class Role(models.Model):
    """What members of a district are, and may do; a standard one is made when it is first needed, see roles.py."""

    district = models.ForeignKey(District, on_delete=models.PROTECT)
    type = models.CharField(max_length=32)
    name = models.CharField(max_length=60)
    name_key = models.CharField(max_length=180, help_text="the name as it is compared")
    description = models.CharField(max_length=200, default="")
    permissions = models.JSONField(
        default=list, help_text="the names of those that are switched on"
    )
    is_standard = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(type__in=[type_.value for type_ in RoleType]), name="role_type"
            ),
            models.UniqueConstraint(fields=["district", "name_key"], name="role_name"),
            models.UniqueConstraint(
                fields=["district", "type"], condition=Q(is_standard=True), name="standard_role"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_fixed(self) -> bool:
        """The standard district manager's: somebody must be able to do everything."""
        return self.is_standard and self.type == RoleType.DISTRICT_MANAGER

    @property
    def is_district_wide(self) -> bool:
        """Whether its members act for the whole district; all others have the schools that they cover."""
        return RoleType(self.type).is_district_wide

    @property
    def granted(self) -> frozenset[Permission]:
        """What its members may do."""
        possible = POSSIBLE[RoleType(self.type)]
        return frozenset(each for each in possible if self.is_fixed or each in self.permissions)


class Member(AbstractBaseUser):
    """A staff member with a login e-mail, unique on the whole server, kept as ``signing_in.fold_login`` folds it."""

    district = models.ForeignKey(District, on_delete=models.PROTECT)
    email = models.CharField(max_length=254, unique=True)
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    role = models.ForeignKey(Role, on_delete=models.PROTECT)
    is_active = models.BooleanField(default=True)
    receives_results = models.BooleanField(
        default=False, help_text="gets the mail of every update of the district"
    )
    schools = models.ManyToManyField(
        School, help_text="that the member covers; none: the role is district-wide"
    )

    objects = BaseUserManager["Member"]()

    USERNAME_FIELD = "email"

    def __str__(self) -> str:
        return self.email

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    def may(self, permission: Permission) -> bool:
        """Whether the member's role allows this."""
        return permission in self.role.granted

    @property
    def has_second_factor(self) -> bool:
        """Whether signing in takes a code too."""
        return hasattr(self, "second_factor")

    @property
    def lacks_second_factor(self) -> bool:
        """Whether the district requires one, and the member has none yet."""
        return self.district.requires_second_factor and not self.has_second_factor


class SecondFactor(models.Model):
    """What a member signs in with besides the password: a secret of which an app makes codes, see second_factor.py."""

    member = models.OneToOneField(Member, on_delete=models.CASCADE, related_name="second_factor")
    encrypted_secret = models.CharField(
        max_length=255, help_text="the secret, under a key that is not in the database"
    )
    last_counter = models.BigIntegerField(
        help_text="the latest step whose code was taken: each is good once"
    )
    enabled_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"second factor {self.pk}"


class RecoveryCode(models.Model):
    """A code instead of the app's, for who has lost it; it goes when it is used."""

    second_factor = models.ForeignKey(SecondFactor, on_delete=models.CASCADE, db_index=False)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["second_factor", "digest"], name="recovery_code")
        ]

    def __str__(self) -> str:
        return f"recovery code {self.pk}"


class Token(models.Model):
    """A secret by which scripts act as the member who made it; only its digest is kept, see tokens.py."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT)
    name = models.CharField(max_length=60)
    key = models.CharField(
        max_length=8, unique=True, help_text="what stands behind rb_, by which it is found"
    )
    digest = models.CharField(max_length=64)
    scopes = models.JSONField(help_text="the commands it is for")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, help_text="to within a minute; null: never")

    def __str__(self) -> str:
        return f"token {self.key}"


class Session(AbstractBaseSession):
    """A browser in which a member is signed in; written by ``sessions.py`` only.

    ``session_key`` is a digest of what the browser holds, and ``expire_date`` is when it ends unless it is seen again.
    """

    member = models.ForeignKey(
        Member, null=True, on_delete=models.CASCADE, help_text="null: nobody is signed in"
    )
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(
        max_length=200, help_text="the User-Agent, cut and without control characters"
    )
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(help_text="to within a minute")


class SignInFailure(models.Model):
    """A sign-in that failed; they are counted to throttle the next ones."""

    login_digest = models.CharField(
        max_length=64, help_text="of what was sent as login: it may have been anything"
    )
    address = models.GenericIPAddressField()
    failed_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["address", "failed_at"], name="failures_by_address"),
            models.Index(fields=["login_digest", "failed_at"], name="failures_by_login"),
        ]


class PasswordRequest(models.Model):
    """Somebody who says that a password was forgotten; they are counted to throttle the next ones."""

    address = models.GenericIPAddressField()
    requested_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["address", "requested_at"], name="requests_by_address")]


class KnownAddress(models.Model):
    """An address from which a member has signed in: a stranger's failures elsewhere never lock it out."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE)
    address = models.GenericIPAddressField()
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "address"], name="known_address")]


class AuditSeal(models.Model):
    """A keyed digest over events and the seal before, see sealing.py."""

    number = models.PositiveIntegerField(primary_key=True)
    events = models.PositiveIntegerField(help_text="how many were put under it")
    at = models.DateTimeField()
    digest = models.CharField(max_length=64)
    removed_events = models.PositiveIntegerField(
        default=0, help_text="how many of them retention has removed"
    )
    remaining_digest = models.CharField(
        max_length=64, default="", help_text="once some are: over those that are left"
    )

    def __str__(self) -> str:
        return f"seal {self.number}"

    @property
    def left(self) -> int:
        """How many events must be there."""
        return self.events - self.removed_events


class AuditEvent(models.Model):
    """Something that was done or refused, told without personal data of students; never changed once it is sealed."""

    at = models.DateTimeField()
    district = models.ForeignKey(District, null=True, on_delete=models.PROTECT)
    member = models.ForeignKey(Member, null=True, on_delete=models.PROTECT)
    action = models.CharField(max_length=32)
    result = models.CharField(max_length=32)
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(
        max_length=100, help_text="the User-Agent, cut and without control characters"
    )
    detail = models.CharField(max_length=200)
    seal = models.ForeignKey(
        AuditSeal, null=True, on_delete=models.PROTECT, help_text="null: not sealed yet"
    )

    class Meta:
        indexes = [models.Index(fields=["district", "at"], name="audit_by_district")]

    def __str__(self) -> str:
        return f"{self.action} {self.result}"


class KeyFingerprint(models.Model):
    """By which a key that stands beside the database is told from another one, see keyring.py."""

    name = models.CharField(max_length=64, unique=True)
    fingerprint = models.CharField(max_length=32)

    def __str__(self) -> str:
        return self.name


class AccountMailKind(StrEnum):
    """What a letter to a member is about."""

    INVITATION = "invitation"
    FORGOTTEN_PASSWORD = "forgotten password"
    PASSWORD_CHANGED = "password changed"
    EMAIL_CHANGED = "e-mail changed"
    SECOND_FACTOR_ON = "second factor on"
    SECOND_FACTOR_OFF = "second factor off"
    TOKEN_MADE = "token made"


class AccountMail(OutgoingMail):
    """A mail about a member's own access, see letters.py. Its link is made when it is sent, and kept nowhere."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT)
    kind = models.CharField(max_length=32)
    actor = models.ForeignKey(
        Member,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="or who changed something; null: the host, or the member",
    )
    to_address = models.CharField(
        max_length=254, default="", help_text="an address that the member had before"
    )
    subject_name = models.CharField(
        max_length=60, default="", help_text="the name of what it tells of"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in AccountMailKind]),
                name="account_mail_kind",
            )
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="account_mail_due",
            )
        ]

    def __str__(self) -> str:
        return f"email {self.pk} ({self.kind})"

    @property
    def recipient(self) -> str:
        """The member's address, unless the email is about an address that the member had before."""
        return self.to_address or self.member.email
