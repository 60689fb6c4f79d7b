"""Students, their groups, every change to them, and transfers between schools."""

from enum import StrEnum

from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower

from rollbook.accounts.models import Member
from rollbook.districts.models import District, School

DEFAULT_GROUP = "Default"


class Group(models.Model):
    """A group of students of one school."""

    school = models.ForeignKey(School, on_delete=models.PROTECT, db_index=False)
    name = models.CharField(max_length=255)
    name_key = models.CharField(max_length=512, help_text="the name with its case folded")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school", "name_key"], name="group_name")]

    def __str__(self) -> str:
        return self.name


class Student(models.Model):
    """A student; the values are stored as in a student file, and ``""`` is no value."""

    district = models.ForeignKey(District, on_delete=models.PROTECT, db_index=False)
    school = models.ForeignKey(School, on_delete=models.PROTECT)
    student_id = models.CharField(max_length=64, null=True)
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
    name_key = models.CharField(
        max_length=512, help_text="the names folded for searching, see name_keys.py"
    )
    loose_key = models.BigIntegerField(
        help_text="hash of names and date of birth for matching, see name_keys.py"
    )
    version = models.PositiveIntegerField(
        default=0, db_default=0, help_text="how often the student has changed"
    )
    groups = models.ManyToManyField(Group)
    staff = models.ManyToManyField(Member)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["district", "student_id"], name="student_student_id"),
            models.UniqueConstraint(fields=["district", "username"], name="student_username"),
            models.CheckConstraint(
                condition=Q(status__in=["active", "inactive"]), name="student_status"
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(("password__gte", "hmac")),
                name="student_hash_to_upgrade",
            ),
            models.Index(fields=["district", "loose_key"], name="student_loose_key"),
            # Active students are counted as all students of a school without these.
            models.Index(
                fields=["school"], condition=Q(status="inactive"), name="student_inactive"
            ),
            # The order of the list of students.
            models.Index(
                F("district"),
                Lower("last_name"),
                Lower("first_name"),
                F("id"),
                name="student_list_order",
            ),
            # In SQL: similar_ids.folded_sql().
            models.Index(
                F("district"),
                Lower(Func(F("student_id"), Value("0"), function="LTRIM")),
                name="student_folded_id",
            ),
        ]

    def __str__(self) -> str:
        return f"student {self.pk}"


class TouchedStudent(models.Model):
    """A student who has changed since the manifest of the district was made, see ``touched``.

    Triggers write it. There is no foreign key to the student, because deleted ones count, too.
    """

    student_id = models.BigIntegerField(primary_key=True)
    district = models.ForeignKey(District, on_delete=models.PROTECT, db_index=False)
    version = models.PositiveIntegerField(help_text="of the student, when it changed last")
    settled_by = models.BigIntegerField(
        null=True,
        help_text="the ID of the update whose row is what the student is now; null: none",
    )

    class Meta:
        db_table = "students_touched"
        indexes = [models.Index(fields=["district"], name="touched_district")]

    def __str__(self) -> str:
        return f"touched student {self.student_id}"


class Absence(models.Model):
    """A student whom the files of a district in full sync no longer name.

    Until ``deactivated_at`` is set, the student is active and *missing*. A trigger removes it when
    anything else changes the student's status, see ``absence_triggers.py``.
    """

    student = models.OneToOneField(Student, primary_key=True, on_delete=models.PROTECT)
    district = models.ForeignKey(District, on_delete=models.PROTECT, db_index=False)
    since = models.DateField(help_text="the day of the first file without the student")
    files = models.PositiveSmallIntegerField(help_text="such files, at most one a day")
    last_update = models.ForeignKey(
        "updates.UpdateJob",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="the update that counted last, or has deactivated the student",
    )
    deactivated_at = models.DateTimeField(null=True, help_text="null: the student is active")

    class Meta:
        indexes = [
            models.Index(
                fields=["district"], condition=Q(deactivated_at=None), name="absence_missing"
            )
        ]

    def __str__(self) -> str:
        return f"absence of student {self.student_id}"


class Change(models.Model):
    """A changed field of a student, with the update or the member that changed it."""

    student = models.ForeignKey(Student, on_delete=models.PROTECT)
    field = models.CharField(
        max_length=32, help_text="a column's name; STUDENT where the student was added"
    )
    old = models.TextField()
    new = models.TextField()
    changed_at = models.DateTimeField()
    update = models.ForeignKey("updates.UpdateJob", null=True, on_delete=models.PROTECT)
    member = models.ForeignKey(Member, null=True, on_delete=models.PROTECT)

    def __str__(self) -> str:
        return f"{self.field} of {self.student}"


class TransferState(StrEnum):
    """The state of a transfer by hand."""

    PENDING = "pending"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"


class Transfer(models.Model):
    """A move of students to another school by hand, or a request to the district to do it."""

    district = models.ForeignKey(District, on_delete=models.PROTECT)
    source = models.ForeignKey(
        School,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="null: closed since",
    )
    source_name = models.CharField(max_length=200)
    target = models.ForeignKey(
        School,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="null: the district has not decided, or closed since",
    )
    target_name = models.CharField(max_length=200, default="")
    students = models.ManyToManyField(Student)
    note = models.CharField(max_length=200, default="")
    state = models.CharField(max_length=16)
    requested_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    closed_by = models.ForeignKey(
        Member,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="who moved the students, or withdrew the request",
    )
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state=TransferState.PENDING.value,
                    closed_by__isnull=True,
                    closed_at__isnull=True,
                )
                | Q(
                    state__in=[TransferState.COMPLETED.value, TransferState.WITHDRAWN.value],
                    closed_by__isnull=False,
                    closed_at__isnull=False,
                ),
                name="transfer_state",
            )
        ]

    def __str__(self) -> str:
        return f"transfer {self.pk} ({self.state})"
