"""Who may act: the members of a district's staff, what they tried, and what they did."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q

from rollbook.roster.models import District
from rollbook.staff.permissions import Role


class Member(AbstractBaseUser):
    """A staff member with a login e-mail, unique on the whole server, kept as ``signing_in.fold_login`` folds it."""

    district = models.ForeignKey(District, on_delete=models.PROTECT)
    email = models.CharField(max_length=254, unique=True)
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    role = models.CharField(max_length=32)
    is_active = models.BooleanField(default=True)
    gets_results = models.BooleanField(default=False, help_text="gets the mail of every update of the district")

    objects = BaseUserManager["Member"]()

    USERNAME_FIELD = "email"

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(role__in=[role.value for role in Role]), name="member_role")]

    def __str__(self) -> str:
        return self.email

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


class SignInFailure(models.Model):
    """A sign-in that failed; they are counted to throttle the next ones."""

    login_digest = models.CharField(max_length=64, help_text="of what was sent as login: it may have been anything")
    address = models.GenericIPAddressField()
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["address", "at"], name="failures_by_address"),
            models.Index(fields=["login_digest", "at"], name="failures_by_login"),
        ]


class KnownAddress(models.Model):
    """An address from which a member has signed in: a stranger's failures elsewhere never lock it out."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE)
    address = models.GenericIPAddressField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "address"], name="known_address")]


class AuditEvent(models.Model):
    """Something that was done or refused, told without personal data of students."""

    at = models.DateTimeField()
    district = models.ForeignKey(District, null=True, on_delete=models.PROTECT)
    member = models.ForeignKey(Member, null=True, on_delete=models.PROTECT)
    action = models.CharField(max_length=32)
    result = models.CharField(max_length=32)
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=100, help_text="the User-Agent, cut and without control characters")
    detail = models.CharField(max_length=200)


class KeyMark(models.Model):
    """By which a key that stands beside the database is told from another one, see keyring.py."""

    name = models.CharField(max_length=64, unique=True)
    mark = models.CharField(max_length=32)

    def __str__(self) -> str:
        return self.name
