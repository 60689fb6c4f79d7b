"""Who is enrolled: districts, their schools and groups, the students, and every change made to them."""

from enum import StrEnum

from django.db import models
from django.db.models import Q

DEFAULT_GROUP = "Default"

FILES_KEPT_DAYS = (1, 365)
DETAILS_KEPT_DAYS = (7, 1095)  # mails about an update are tried for two days, and name lines
AUDIT_KEPT_YEARS = (1, 7)
"""The shortest and the longest that a district can settle."""


class District(models.Model):
    """The school system that sends files: the tenant."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=100, unique=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    encoding = models.CharField(max_length=32, default="utf-8")
    requires_second_factor = models.BooleanField(default=False, help_text="of every member who signs in")
    files_kept_days = models.PositiveSmallIntegerField(default=14, help_text="after the end of the file's update")
    details_kept_days = models.PositiveSmallIntegerField(
        default=90, help_text="rows and problems, after the end of their update"
    )
    audit_kept_years = models.PositiveSmallIntegerField(default=7)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(files_kept_days__range=FILES_KEPT_DAYS), name="district_files_kept"),
            models.CheckConstraint(
                condition=Q(details_kept_days__range=DETAILS_KEPT_DAYS), name="district_details_kept"
            ),
            models.CheckConstraint(condition=Q(audit_kept_years__range=AUDIT_KEPT_YEARS), name="district_audit_kept"),
        ]

    def __str__(self) -> str:
        return self.slug


class School(models.Model):
    """A place in a district, known by its organization ID."""

    district = models.ForeignKey(District, on_delete=models.PROTECT, db_index=False)
    organization_id = models.CharField(max_length=64)
    name = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["district", "organization_id"], name="school_organization_id")]

    def __str__(self) -> str:
        return self.organization_id

    @property
    def title(self) -> str:
        """``Maple High (100)``."""
        return f"{self.name} ({self.organization_id})"


class Group(models.Model):
    """Students of one school taught together."""

    school = models.ForeignKey(School, on_delete=models.PROTECT, db_index=False)
    name = models.CharField(max_length=255)
    name_key = models.CharField(max_length=512, help_text="the name with its case folded")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school", "name_key"], name="group_name")]

    def __str__(self) -> str:
        return self.name


class Student(models.Model):
    """The person the record is about. Its values are kept as the student file writes them; "" is no value."""

    district = models.ForeignKey(District, on_delete=models.PROTECT, db_index=False)
    school = models.ForeignKey(School, on_delete=models.PROTECT)
    student_id = models.CharField(max_length=32, null=True)
    username = models.CharField(max_length=64)
    password = models.CharField(max_length=255, help_text="see passwords.py")
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    middle_initial = models.CharField(max_length=1)
    dob = models.DateField()
    gender = models.CharField(max_length=1)
    grade = models.CharField(max_length=8)
    ell = models.CharField(max_length=1)
    special_ed = models.CharField(max_length=1)
    title_1 = models.CharField(max_length=1)
    migrant = models.CharField(max_length=1)
    race = models.CharField(max_length=2)
    classifications = models.CharField(max_length=512)
    parent_email_1 = models.CharField(max_length=254)
    parent_email_2 = models.CharField(max_length=254)
    additional_info_1 = models.CharField(max_length=255)
    additional_info_2 = models.CharField(max_length=255)
    additional_info_3 = models.CharField(max_length=255)
    status = models.CharField(max_length=8)
    name_key = models.CharField(max_length=512, help_text="the names folded for matching, see names.py")
    groups = models.ManyToManyField(Group)
    staff = models.ManyToManyField("staff.Member")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["district", "student_id"], name="student_student_id"),
            models.UniqueConstraint(fields=["district", "username"], name="student_username"),
            models.UniqueConstraint(fields=["district", "name_key", "dob"], name="student_name_and_dob"),
            models.CheckConstraint(condition=Q(status__in=["active", "inactive"]), name="student_status"),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(password__gte="hmac"), name="student_unwrapped")]  # noqa: S106 (a method's name)

    def __str__(self) -> str:
        return f"student {self.pk}"


class RowFingerprint(models.Model):
    """Which record of a student file set the student last, see digests.py; every student has one of these."""

    student = models.OneToOneField(Student, primary_key=True, on_delete=models.CASCADE)
    district = models.ForeignKey(District, on_delete=models.PROTECT, db_index=False)
    fingerprint = models.BigIntegerField(null=True, help_text="null: something else has changed the student since")
    student_version = models.PositiveIntegerField(default=0, help_text="counts how often the student was changed")

    class Meta:
        indexes = [models.Index(fields=["district"], name="row_digest_district")]  # none on digest, see docs


class Change(models.Model):
    """One field of one student, old value to new, and the update or member that made it."""

    student = models.ForeignKey(Student, on_delete=models.PROTECT)
    field = models.CharField(max_length=32, help_text="a column's name; STUDENT where the student was added")
    old = models.TextField()
    new = models.TextField()
    changed_at = models.DateTimeField()
    update = models.ForeignKey("updates.Update", null=True, on_delete=models.PROTECT)
    member = models.ForeignKey("staff.Member", null=True, on_delete=models.PROTECT)

    def __str__(self) -> str:
        return f"{self.field} of {self.student}"


class TransferState(StrEnum):
    """How far a transfer by hand is."""

    PENDING = "waiting"
    COMPLETED = "moved"
    WITHDRAWN = "withdrawn"


class Transfer(models.Model):
    """Students of one school who were moved to another one by hand, or whom the district is asked to move."""

    district = models.ForeignKey(District, on_delete=models.PROTECT)
    source = models.ForeignKey(
        School, null=True, on_delete=models.SET_NULL, related_name="+", help_text="null: closed since"
    )
    source_name = models.CharField(max_length=200)
    target = models.ForeignKey(
        School,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="null: for the district to say, or closed since",
    )
    target_name = models.CharField(max_length=200, default="")
    students = models.ManyToManyField(Student)
    note = models.CharField(max_length=200, default="")
    state = models.CharField(max_length=16)
    requested_by = models.ForeignKey("staff.Member", on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    closed_by = models.ForeignKey(
        "staff.Member",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="who moved the students, or took the wish back",
    )
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state=TransferState.PENDING.value, ended_by__isnull=True, ended_at__isnull=True)
                | Q(
                    state__in=[TransferState.COMPLETED.value, TransferState.WITHDRAWN.value],
                    ended_by__isnull=False,
                    ended_at__isnull=False,
                ),
                name="transfer_state",
            )
        ]

    def __str__(self) -> str:
        return f"transfer {self.pk} ({self.state})"
