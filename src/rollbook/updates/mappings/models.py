"""The versions of the column mappings of districts."""

from django.db import models

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.studentfile.mapping.sizes import MAX_NAME_LENGTH


class ColumnMapping(models.Model):
    """A version of a column mapping; it never changes. The latest one of a name applies."""

    district = models.ForeignKey(District, on_delete=models.PROTECT, db_index=False)
    name = models.CharField(max_length=MAX_NAME_LENGTH)
    version = models.PositiveIntegerField(help_text="consecutive in each district and name")
    document = models.JSONField(
        null=True, help_text="see studentfile/mapping/mapping.py; null: the mapping was removed"
    )
    member = models.ForeignKey(
        Member, null=True, on_delete=models.PROTECT, help_text="who saved it; null: the operator"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["district", "name", "version"], name="column_mapping_version"
            )
        ]

    def __str__(self) -> str:
        return f"mapping {self.name} {self.version} of {self.district}"

    @property
    def mapping(self) -> MappingDocument | None:
        """The mapping; None if this version removed it."""
        if self.document is None:
            return None
        return MappingDocument.from_json(self.document).as_version(self.version)
