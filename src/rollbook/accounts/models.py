"""Staff members, roles, keys, the audit log and emails about accounts."""

from enum import StrEnum

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from rollbook.accounts.auth.models import (
    KnownAddress,
    PasswordRequest,
    RecoveryCode,
    SecondFactor,
    Session,
    SignInFailure,
    Token,
)
from rollbook.accounts.district_key import DistrictKey
from rollbook.accounts.email_choice import EmailChoice
from rollbook.accounts.permissions import POSSIBLE_PERMISSIONS, Permission, RoleType, needed_by
from rollbook.districts.models import District, School
from rollbook.mail.models import OutgoingMail

__all__ = [
    "AccountMail",
    "AccountMailKind",
    "AuditEvent",
    "AuditSeal",
    "DistrictKey",
    "Installation",
    "KeyFingerprint",
    "KeyState",
    "KnownAddress",
    "Member",
    "PasswordRequest",
    "RecoveryCode",
    "RetentionGuard",
    "Role",
    "SecondFactor",
    "Session",
    "SignInFailure",
    "Token",
]


class Role(models.Model):
    """A role of a district, with its permissions.

    Standard roles are created when they are first needed, see ``roles.py``.
    """

    district = models.ForeignKey(District, on_delete=models.PROTECT)
    type = models.CharField(max_length=32)
    name = models.CharField(max_length=60)
    name_key = models.CharField(max_length=180, help_text="name in the form used for comparison")
    description = models.CharField(max_length=200, default="")
    permissions = models.JSONField(
        default=list, help_text="names of the permissions that are turned on"
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
        """Whether it is the standard district manager role, which always has every permission."""
        return self.is_standard and self.type == RoleType.DISTRICT_MANAGER

    @property
    def is_district_wide(self) -> bool:
        """Whether it applies to the whole district; members with other roles have schools."""
        return RoleType(self.type).is_district_wide

    @property
    def granted_permissions(self) -> frozenset[Permission]:
        """The permissions of its members; one that needs another has no effect without it."""
        possible = POSSIBLE_PERMISSIONS[RoleType(self.type)]
        if self.is_fixed:
            return frozenset(possible)
        turned_on = frozenset(each for each in possible if each in self.permissions)
        return frozenset(each for each in turned_on if needed_by(each) <= turned_on)


class Member(AbstractBaseUser):
    """A staff member.

    ``email`` is the login, stored as ``sign_in.fold_login`` returns it. It is unique in a district,
    and on the whole server among members who hold it as their login. An invited member doesn't
    before the invitation is accepted, so nobody learns who is invited or a member elsewhere.
    """

    district = models.ForeignKey(District, on_delete=models.PROTECT)
    email = models.CharField(max_length=254)
    holds_login = models.BooleanField(
        default=True, db_default=True, help_text="whether the member signs in with the email"
    )
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    role = models.ForeignKey(Role, on_delete=models.PROTECT)
    is_active = models.BooleanField(default=True)
    added_at = models.DateTimeField(
        default=timezone.now, db_default=Now(), help_text="or when Rollbook began to store it"
    )
    deactivated_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(
        null=True, help_text="when the name and email were erased; the row stays for the history"
    )
    receives_results = models.BooleanField(
        default=False, help_text="gets an email with the results of every update of the district"
    )
    update_emails = models.CharField(
        max_length=8,
        default=EmailChoice.ALWAYS.value,
        db_default=EmailChoice.ALWAYS.value,
        help_text="which emails about updates the member gets, see email_choice.py",
    )
    summarized_on = models.DateField(
        null=True, help_text="the local Monday of the member's last weekly summary"
    )
    schools = models.ManyToManyField(
        School, help_text="the member's schools; none if the role is district-wide"
    )

    objects = BaseUserManager["Member"]()

    USERNAME_FIELD = "email"

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["district", "email"], name="member_email"),
            models.UniqueConstraint(
                fields=["email"], condition=Q(holds_login=True), name="member_login"
            ),
            models.CheckConstraint(
                condition=Q(update_emails__in=[choice.value for choice in EmailChoice]),
                name="member_update_emails",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"

    def may(self, permission: Permission) -> bool:
        """Return whether the member's role includes the permission."""
        return permission in self.role.granted_permissions

    @property
    def has_second_factor(self) -> bool:
        """Whether two-step verification is on."""
        return hasattr(self, "second_factor")

    @property
    def lacks_second_factor(self) -> bool:
        """Whether the district requires two-step verification and it isn't on."""
        return self.district.requires_second_factor and not self.has_second_factor


class AuditSeal(models.Model):
    """A keyed digest of audit events and the previous seal, see ``seals.py``."""

    number = models.PositiveIntegerField(primary_key=True)
    events = models.PositiveIntegerField(help_text="number of events that were sealed")
    at = models.DateTimeField()
    digest = models.CharField(max_length=64)
    removed_events = models.PositiveIntegerField(
        default=0, help_text="number of those that retention has removed"
    )
    remaining_digest = models.CharField(
        max_length=64,
        default="",
        help_text="keyed digest of the remaining events, once some were removed",
    )
    key_version = models.PositiveSmallIntegerField(
        db_default=1, help_text="version of the key of both digests"
    )
    covers_time = models.BooleanField(
        db_default=False, help_text="whether both digests are also over the time of the seal"
    )

    def __str__(self) -> str:
        return f"seal {self.number}"

    @property
    def remaining_events(self) -> int:
        """Number of events that must still exist."""
        return self.events - self.removed_events


class AuditEvent(models.Model):
    """An action that succeeded, failed or was refused, and the students that it showed.

    It has no data of students but their primary keys. Never changes once it is sealed.
    """

    at = models.DateTimeField()
    district = models.ForeignKey(District, null=True, on_delete=models.PROTECT)
    member = models.ForeignKey(Member, null=True, on_delete=models.PROTECT)
    action = models.CharField(max_length=32)
    result = models.CharField(max_length=32)
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(
        max_length=100, help_text="User-Agent, truncated, without control characters"
    )
    detail = models.CharField(max_length=200)
    students = models.TextField(
        db_default="", help_text="the students that were shown, see student_sets.py"
    )
    seal = models.ForeignKey(
        AuditSeal, null=True, on_delete=models.PROTECT, help_text="null: not sealed yet"
    )

    class Meta:
        indexes = [models.Index(fields=["district", "at"], name="audit_by_district")]

    def __str__(self) -> str:
        return f"{self.action} {self.result}"


class KeyState(StrEnum):
    """What a version of a secret key is used for."""

    STAGED = "staged"
    ACTIVE = "active"
    RETIRED = "retired"
    REMOVED = "removed"
    LOST = "lost"


class KeyFingerprint(models.Model):
    """A version of a secret key in the data folder, see ``key_ring.py``.

    A staged version can be read, so that it can be copied to all machines before it is used. New
    data is written with the active version. A retired one is only read, until nothing needs it and
    it is removed. A version that is lost can no longer be read.
    """

    name = models.CharField(max_length=64)
    version = models.PositiveSmallIntegerField(db_default=1)
    fingerprint = models.CharField(max_length=32)
    state = models.CharField(max_length=16, db_default=KeyState.ACTIVE.value)
    created_at = models.DateTimeField(null=True, help_text="null: before this was stored")
    changed_at = models.DateTimeField(null=True, help_text="the last change of the state")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="key_version"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(state=KeyState.ACTIVE.value), name="active_key"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in KeyState]), name="key_state"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"


class Installation(models.Model):
    """The ID that the database and the data folder share, see ``installation_id.py``.

    There is one row, with the primary key 1.
    """

    key = models.CharField(max_length=32, help_text="hexadecimal")
    unfinished = models.CharField(
        max_length=16, default="", help_text="what was begun and has not ended: restore or move"
    )
    moved_at = models.DateTimeField(
        null=True, help_text="when everything was moved to another database"
    )
    restored_at = models.DateTimeField(null=True, help_text="when a backup was last restored")
    restored_backup_at = models.DateTimeField(null=True, help_text="when that backup was made")
    mail_held_since = models.DateTimeField(
        null=True, help_text="no emails are sent until the operator releases them"
    )
    backed_up_at = models.DateTimeField(null=True, help_text="when the last backup was made")
    backup_bytes = models.PositiveBigIntegerField(null=True, help_text="the size of that backup")

    def __str__(self) -> str:
        return self.key


class RetentionGuard(models.Model):
    """When retention last ran and whether it is stopped, see ``retention_guard.py``.

    There is at most one row.
    """

    checked_at = models.DateTimeField(help_text="the last time at which the clock was plausible")
    counted_at = models.DateTimeField(null=True, help_text="when the last run began")
    due = models.JSONField(default=dict, help_text="what was due in that run: kind to count")
    may_remove = models.BooleanField(default=False, help_text="whether that run may remove it")
    stopped_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, default="", help_text="why it is stopped")

    def __str__(self) -> str:
        return "stopped" if self.stopped_at else "running"


class AccountMailKind(StrEnum):
    """The subject of an email to a member about their account or their district."""

    INVITATION = "invitation"
    FORGOTTEN_PASSWORD = "forgotten password"  # noqa: S105 - not a secret
    PASSWORD_CHANGED = "password changed"  # noqa: S105 - not a secret
    EMAIL_CHANGED = "email changed"
    SECOND_FACTOR_ON = "two-step verification on"
    SECOND_FACTOR_OFF = "two-step verification off"
    TOKEN_CREATED = "token created"  # noqa: S105 - not a secret
    TOKEN_EXPIRES = "token expires"  # noqa: S105 - not a secret
    SECURITY_NOTICE = "security notice"
    UNUSED_ACCOUNTS = "unused accounts"
    FILE_MISSING = "file missing"
    PAUSE_BEGINS = "pause begins"
    PAUSE_ENDS = "pause ends"
    WEEKLY_SUMMARY = "weekly summary"


class AccountMail(OutgoingMail):
    """An email to a member about their account, see ``mails.py``.

    Its link is created when the email is sent, and never stored.
    """

    member = models.ForeignKey(Member, on_delete=models.PROTECT)
    kind = models.CharField(max_length=32)
    actor = models.ForeignKey(
        Member,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="member who invited or made the change; null: the operator, or the recipient",
    )
    to_address = models.CharField(
        max_length=254, default="", help_text="previous address of the member; empty: current one"
    )
    subject_name = models.CharField(
        max_length=60, default="", help_text="token, time or day that the email is about"
    )
    notice = models.CharField(
        max_length=32, db_default="", help_text="what a security notice is about, see notices.py"
    )
    notice_detail = models.CharField(max_length=200, db_default="")
    figures = models.JSONField(null=True, help_text="the numbers of a weekly summary, by name")
    notice_about = models.ForeignKey(
        Member,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="member whom a security notice is about; null: the district",
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
        """The previous address if the email is about its change, otherwise the member's email."""
        return self.to_address or self.member.email
