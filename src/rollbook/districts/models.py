"""Districts and their schools."""

from django.db import models
from django.db.models import F, Q

from rollbook.studentfile.rules import DateOrder

# The minimum and the maximum that a district can set.
FILES_KEPT_DAYS = (1, 365)
DETAILS_KEPT_DAYS = (7, 1095)  # emails contain line numbers, and are retried for two days
AUDIT_KEPT_YEARS = (1, 7)
HISTORY_KEPT_DAYS = (7, 3660)  # at least as long as the rows and problems of updates
PERSONS_KEPT_DAYS = (30, 3660)  # students who left and staff without access; or 0: not removed

INVITATIONS_PER_DAY = 2000  # as many as a staff file can have rows
KEPT_BYTES_LIMIT = 20_000_000_000  # nearly twenty of the largest files

GRACE_MINUTES = (0, 720)
ABSENT_FILES = (2, 30)  # never after a single file
ABSENT_DAYS = (1, 60)


class District(models.Model):
    """A school system that sends student files: the tenant."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=100, unique=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    encoding = models.CharField(max_length=32, default="utf-8")
    date_order = models.CharField(
        max_length=3,
        default=DateOrder.MONTH_FIRST.value,
        help_text="of dates such as 05/06/2013 in student files",
    )
    grade_codes = models.JSONField(
        default=dict, help_text="the district's own codes for grades, and the grades they mean"
    )
    reactivates_students = models.BooleanField(
        default=False, help_text="whether a row without STATUS makes an inactive student active"
    )
    requires_second_factor = models.BooleanField(
        default=False, help_text="of every member who signs in"
    )
    quiet_hours = models.JSONField(
        default=list,
        db_default=[],
        help_text="for each weekday from Monday, the first and last local time; see quiet_hours.py",
    )
    files_kept_days = models.PositiveSmallIntegerField(
        default=14, help_text="after the end of the file's update"
    )
    details_kept_days = models.PositiveSmallIntegerField(
        default=90, help_text="rows and problems, after the end of their update"
    )
    audit_kept_years = models.PositiveSmallIntegerField(default=7)
    history_kept_days = models.PositiveSmallIntegerField(
        default=2562,
        db_default=2562,
        help_text="changes of students; 2,562 days are seven years, as for the audit",
    )
    leavers_kept_days = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="students, after they became inactive; 0: until someone erases them",
    )
    staff_kept_days = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="deactivated members, and those who never accepted an invitation; 0: forever",
    )
    history_removed_through = models.BigIntegerField(
        default=0,
        db_default=0,
        help_text="primary key of the change up to which retention has removed the history",
    )
    invitations_per_day = models.PositiveIntegerField(
        default=INVITATIONS_PER_DAY,
        db_default=INVITATIONS_PER_DAY,
        help_text="by members of the district, in 24 hours; the operator sets it",
    )
    kept_bytes_limit = models.PositiveBigIntegerField(
        default=KEPT_BYTES_LIMIT,
        db_default=KEPT_BYTES_LIMIT,
        help_text="of all files of the district that are kept; the operator sets it",
    )
    modes = models.JSONField(
        null=True,
        help_text="the modes that scripts, pages and the command may use; null: update and add",
    )
    absent_files = models.PositiveSmallIntegerField(
        default=3,
        db_default=3,
        help_text="files in full sync, on as many days, after which a missing student is due",
    )
    absent_days = models.PositiveSmallIntegerField(
        default=2, db_default=2, help_text="days after which a missing student is due"
    )
    suspended_at = models.DateTimeField(
        null=True, help_text="since when nobody in the district may do anything, see suspension.py"
    )
    suspension_reason = models.CharField(max_length=200, default="")
    deleting_at = models.DateTimeField(
        null=True, help_text="since when the district is being deleted; it is suspended then, too"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(deleting_at__isnull=True) | Q(suspended_at__isnull=False),
                name="district_deleted_is_suspended",
            ),
            models.CheckConstraint(
                condition=Q(
                    date_order__in=[DateOrder.MONTH_FIRST.value, DateOrder.DAY_FIRST.value]
                ),
                name="district_date_order",
            ),
            models.CheckConstraint(
                condition=Q(files_kept_days__range=FILES_KEPT_DAYS), name="district_files_kept"
            ),
            models.CheckConstraint(
                condition=Q(details_kept_days__range=DETAILS_KEPT_DAYS),
                name="district_details_kept",
            ),
            models.CheckConstraint(
                condition=Q(audit_kept_years__range=AUDIT_KEPT_YEARS), name="district_audit_kept"
            ),
            models.CheckConstraint(
                condition=Q(history_kept_days__range=HISTORY_KEPT_DAYS),
                name="district_history_kept",
            ),
            models.CheckConstraint(
                condition=Q(leavers_kept_days=0) | Q(leavers_kept_days__range=PERSONS_KEPT_DAYS),
                name="district_leavers_kept",
            ),
            models.CheckConstraint(
                condition=Q(staff_kept_days=0) | Q(staff_kept_days__range=PERSONS_KEPT_DAYS),
                name="district_staff_kept",
            ),
            models.CheckConstraint(
                condition=Q(absent_files__range=ABSENT_FILES), name="district_absent_files"
            ),
            models.CheckConstraint(
                condition=Q(absent_days__range=ABSENT_DAYS), name="district_absent_days"
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def is_suspended(self) -> bool:
        """Whether nobody in the district may do anything."""
        return self.suspended_at is not None

    @property
    def is_being_deleted(self) -> bool:
        """Whether the operator has begun to delete the district."""
        return self.deleting_at is not None


class School(models.Model):
    """A school of a district, identified by its School ID."""

    district = models.ForeignKey(District, on_delete=models.PROTECT, db_index=False)
    organization_id = models.CharField(max_length=64)
    name = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["district", "organization_id"], name="school_organization_id"
            )
        ]

    def __str__(self) -> str:
        return self.organization_id

    @property
    def title(self) -> str:
        """The name with the School ID, such as ``Maple High (100)``."""
        return f"{self.name} ({self.organization_id})"


class FileSchedule(models.Model):
    """By when a district's student file is expected; a district without one expects none."""

    district = models.OneToOneField(District, on_delete=models.PROTECT, primary_key=True)
    times = models.JSONField(
        help_text="for each weekday from Monday, a local time such as 06:00; empty: no file"
    )
    grace_minutes = models.PositiveSmallIntegerField(
        default=30, help_text="how late a file may be before an email reports it"
    )
    needs_half = models.BooleanField(
        default=True, help_text="whether a file must have half as many rows as active students"
    )
    since = models.DateTimeField(help_text="files that were expected earlier don't count")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(grace_minutes__range=GRACE_MINUTES), name="schedule_grace_minutes"
            )
        ]

    def __str__(self) -> str:
        return f"schedule of {self.district}"


class SchedulePause(models.Model):
    """Local days on which a district expects no file, such as holidays."""

    district = models.ForeignKey(District, on_delete=models.PROTECT, db_index=False)
    first = models.DateField()
    last = models.DateField()
    begin_announced = models.BooleanField(
        default=False, help_text="whether the email about its beginning is queued"
    )
    end_announced = models.BooleanField(
        default=False, help_text="whether the email about its end is queued"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["district", "first"], name="pause_first_day"),
            models.CheckConstraint(condition=Q(first__lte=F("last")), name="pause_days"),
        ]

    def __str__(self) -> str:
        return f"pause of {self.district} from {self.first} to {self.last}"


class MissedFile(models.Model):
    """A student file that was expected on a local day and did not arrive."""

    district = models.ForeignKey(District, on_delete=models.PROTECT, db_index=False)
    day = models.DateField()
    expected_at = models.DateTimeField()
    previous_at = models.DateTimeField(
        help_text="when the file before was expected; a file that arrived since then counts"
    )
    noticed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["district", "day"], name="missed_file_day")]

    def __str__(self) -> str:
        return f"file of {self.district} missed on {self.day}"
