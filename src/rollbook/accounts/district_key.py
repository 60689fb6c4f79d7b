"""The keys of districts, wrapped by the installation's key."""

from uuid import uuid4

from django.db import models

from rollbook.districts.models import District


class DistrictKey(models.Model):
    """A key of a district, see ``district_keys.py``. What it encrypts names its primary key."""

    key = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    district = models.ForeignKey(District, on_delete=models.PROTECT, db_index=False)
    purpose = models.CharField(max_length=32)
    wrapped_key = models.BinaryField(help_text="encrypted with the key district-keys")
    key_version = models.PositiveSmallIntegerField(help_text="version of district-keys")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["district", "purpose"], name="district_key_once")
        ]

    def __str__(self) -> str:
        return f"key for {self.purpose} of {self.district}"
