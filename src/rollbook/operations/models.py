"""What operations store: exports of districts, what was destroyed, alerts, and a probe."""

from typing import Any

from django.db import models
from django.db.models import Q, Value

from rollbook.districts.models import District
from rollbook.operations.alerts.models import Alert, AlertMail, PingSchedule

__all__ = [
    "Alert",
    "AlertMail",
    "Destruction",
    "DistrictExport",
    "PingSchedule",
    "WriteProbe",
]


class DistrictExport(models.Model):
    """The last export of a district, which has to exist before the district is deleted."""

    district = models.OneToOneField(District, primary_key=True, on_delete=models.CASCADE)
    path = models.CharField(max_length=4096)
    size = models.PositiveBigIntegerField(help_text="in bytes")
    digest = models.CharField(max_length=64, help_text="SHA-256, hexadecimal")
    exported_at = models.DateTimeField(help_text="when reading the data began")

    def __str__(self) -> str:
        return self.path


class Destruction(models.Model):
    """The deletion of a district or the erasure of a student, see ``lifecycle/destruction.py``.

    Or the erasure of several persons by retention, see ``retention/erasing.py``, which is stored
    once it is finished. It is kept with its certificate, and contains no personal data of students.
    """

    district_key = models.BigIntegerField()
    district_slug = models.CharField(max_length=100)
    district_name = models.CharField(max_length=100)
    student_key = models.BigIntegerField(
        null=True, help_text="primary key of the erased student; null: the whole district"
    )
    persons = models.CharField(
        max_length=16,
        default="",
        db_default="",
        help_text="students or staff, if retention erased several; then it isn't a district",
    )
    person_keys = models.JSONField(
        default=list, db_default=Value([], models.JSONField()), help_text="their primary keys"
    )
    subject_digest = models.CharField(
        max_length=64, default="", help_text="keyed digest of the student's STUDENT_ID"
    )
    removes_files = models.BooleanField(
        default=True, help_text="whether uploaded files that contain the student are removed"
    )
    export_digest = models.CharField(
        max_length=64, default="", help_text="SHA-256 of the export; empty: deleted without one"
    )
    requested_by = models.CharField(
        max_length=64, help_text="the account of the operating system that ran the command"
    )
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict, help_text="what was removed so far: kind to count")
    remaining = models.JSONField(
        default=list, help_text="what isn't removed, and until when: lines of the certificate"
    )
    certificate = models.JSONField(null=True, help_text="signed, see lifecycle/certificates.py")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["district_key"],
                condition=Q(student_key__isnull=True, finished_at__isnull=True),
                name="destruction_of_district_once",
            ),
            models.UniqueConstraint(
                fields=["student_key"],
                condition=Q(student_key__isnull=False, finished_at__isnull=True),
                name="destruction_of_student_once",
            ),
        ]

    def __str__(self) -> str:
        return f"certificate {self.pk}"

    @property
    def what(self) -> str:
        """What is destroyed: ``district``, ``student``, ``students`` or ``staff``."""
        if self.persons:
            return self.persons
        return "district" if self.student_key is None else "student"

    @property
    def signed_certificate(self) -> dict[str, Any]:
        """The certificate; empty until it is finished."""
        return self.certificate or {}


class WriteProbe(models.Model):
    """A row that is inserted and deleted at once, to find out if the database can be written."""

    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"write probe {self.pk}"
